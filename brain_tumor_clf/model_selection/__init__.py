"""Splits without leakage, and labels that are probably wrong."""

from brain_tumor_clf.model_selection._label_issues import find_label_issues
from brain_tumor_clf.model_selection._near_duplicates import (
    NearDuplicateGrouper,
    find_nearest,
)
from brain_tumor_clf.model_selection._sources import leave_one_source_out
from brain_tumor_clf.model_selection._thumbnails import (
    make_thumbnails,
    to_vectors,
    transforms,
)

__all__ = [
    "NearDuplicateGrouper",
    "find_label_issues",
    "find_nearest",
    "leave_one_source_out",
    "make_thumbnails",
    "to_vectors",
    "transforms",
]
