"""From uploaded files to results: the model's answer to each, or why there is none."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from brain_tumor_clf.app._images import look_at
from brain_tumor_clf.preprocessing import iter_outcomes
from brain_tumor_clf.selective import (
    CLASSIFIED,
    NOT_A_SCAN,
    UNCERTAIN,
    UNREADABLE,
    answers_to_csv,
)

# So that no visitor can fill the memory.
MAX_FILE_MB = 32  # an uncompressed 16-bit slice of 2048x2048 pixels has 8
MAX_FILES = 200
MAX_TOTAL_MB = 512
BYTES_A_MB = 2**20


class Upload(NamedTuple):
    """A file of a visitor.

    Attributes
    ----------
    key : str
        Tells it from all others of the session.
    name : str
        Name of the file.
    data : bytes
        Its content.
    """

    key: str
    name: str
    data: bytes


class Result(NamedTuple):
    """The answer to one file.

    Attributes
    ----------
    name : str
        Name of the file.
    state : str
        `CLASSIFIED`, `UNCERTAIN`, `NOT_A_SCAN` or `UNREADABLE`.
    label : str or None
        The class, where the state is `CLASSIFIED`.
    probabilities : dict of str to float
        By class; empty where the model was not asked.
    reason : str or None
        Why there is no class.
    notes : tuple of str
        What was unusual in reading the file.
    size : (int, int) or None
        Height and width in pixels.
    thumbnail : ndarray of shape (h, w, 3), uint8, or None
        The image made small.
    """

    name: str
    state: str
    label: str | None = None
    probabilities: dict = {}
    reason: str | None = None
    notes: tuple = ()
    size: tuple | None = None
    thumbnail: np.ndarray | None = None

    @property
    def likeliest(self):
        """The most probable class, or None."""
        return max(self.probabilities, key=self.probabilities.get, default=None)

    @property
    def probability(self):
        """Probability of the most probable class, or None."""
        return self.probabilities.get(self.likeliest)


def classify(model, uploads, *, guard=True):
    """Classify uploaded files in one call of the model.

    A file that is too large or cannot be read has a result of its own and affects no
    other. Without `guard` images that do not look like scans are classified, too.

    Returns
    -------
    list of Result
        One per file, in order.
    """
    reasons = _refuse_large(uploads)
    admitted = [i for i in range(len(uploads)) if i not in reasons]
    outcomes = iter_outcomes(look_at, [uploads[i].data for i in admitted])
    seen = {}
    for i, outcome in zip(admitted, outcomes, strict=True):
        if outcome.failure is None:
            seen[i] = outcome
        else:
            reasons[i] = outcome.failure
    files = [uploads[i].data for i in seen]
    answers = model.predict_files(files, guard=guard).to_dict("records")
    answers = dict(zip(seen, answers, strict=True))
    return [
        _result(upload.name, model.labels, seen[i], answers[i])
        if i in seen
        else Result(upload.name, UNREADABLE, reason=reasons[i])
        for i, upload in enumerate(uploads)
    ]


def count_states(results):
    """Count the results of each state: dict, in a fixed order, no zeros."""
    states = [result.state for result in results]
    ordered = (CLASSIFIED, UNCERTAIN, NOT_A_SCAN, UNREADABLE)
    return {state: states.count(state) for state in ordered if state in states}


def to_csv(model, results):
    """Write results as the table of ``brain-tumor-clf predict --csv``."""
    rows = [
        {
            "file": _as_text_cell(result.name),
            "state": result.state,
            "label": result.label,
            "probability": result.probability,
            **{f"p_{name}": result.probabilities.get(name) for name in model.labels},
            "reason": result.reason,
        }
        for result in results
    ]
    return answers_to_csv(pd.DataFrame(rows), model.model_id)


def _refuse_large(uploads):
    """Return the files that are too many or too large: position -> reason."""
    reasons, total = {}, 0
    for i, upload in enumerate(uploads):
        size = len(upload.data)
        if i >= MAX_FILES:
            reasons[i] = f"skipped: more than {MAX_FILES} files at once"
        elif size > MAX_FILE_MB * BYTES_A_MB:
            reasons[i] = f"skipped: larger than {MAX_FILE_MB} MB"
        elif total + size > MAX_TOTAL_MB * BYTES_A_MB:
            reasons[i] = f"skipped: all files together exceed {MAX_TOTAL_MB} MB"
        else:
            total += size
    return reasons


def _result(name, labels, outcome, answer):
    """Join what was seen of a file and its row of `predict_files`."""
    size, thumbnail = outcome.image
    probabilities = {label: answer[f"p_{label}"] for label in labels}
    return Result(
        name,
        answer["state"],
        None if answer["label"] is None else str(answer["label"]),
        {} if np.isnan(answer["probability"]) else probabilities,
        answer["reason"],
        tuple(text for _, text in outcome.notes),
        size,
        thumbnail,
    )


def _as_text_cell(name):
    """Return a file's name so that no spreadsheet takes it for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
