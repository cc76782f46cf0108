"""From image files to answers: reject what is no scan, abstain where unsure."""

from brain_tumor_clf._validation import name_by_room
from brain_tumor_clf.selective._classifier import SelectiveClassifier
from brain_tumor_clf.selective._metadata import (
    Abstention,
    as_selective,
    read_abstention,
)
from brain_tumor_clf.selective._predict_files import (
    CLASSIFIED,
    NONE_OF_THESE,
    NOT_A_SCAN,
    STATES,
    UNCERTAIN,
    UNFAMILIAR,
    UNREADABLE,
    answers_to_csv,
    predict_files,
)
from brain_tumor_clf.selective._readers import image_readers

__all__ = [
    "CLASSIFIED",
    "NONE_OF_THESE",
    "NOT_A_SCAN",
    "STATES",
    "UNCERTAIN",
    "UNFAMILIAR",
    "UNREADABLE",
    "Abstention",
    "SelectiveClassifier",
    "answers_to_csv",
    "as_selective",
    "image_readers",
    "predict_files",
    "read_abstention",
]

name_by_room(globals())
