"""From uploaded files to results: the model's answer to each, or why there is none."""

from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import pandas as pd

from brain_tumor_clf.app._images import look_at, read_frame
from brain_tumor_clf.app._words import without_advice
from brain_tumor_clf.exceptions import ImageReadWarning
from brain_tumor_clf.preprocessing import iter_outcomes
from brain_tumor_clf.selective import UNREADABLE, answers_to_csv

# So that no visitor can fill the memory.
MAX_FILE_MB = 32  # an uncompressed 16-bit slice of 2048x2048 pixels has 8
MAX_FILES = 200
MAX_TOTAL_MB = 512
BYTES_A_MB = 2**20
_CHUNK_SIZE = 32  # files that are classified in one turn, so that none waits for long


class Upload(NamedTuple):
    """A file of a visitor."""

    key: str  # tells it from all others of the session
    name: str
    data: bytes
    frame: int | None = None  # of a file with several, from 0

    @property
    def source(self):
        """What the model is given."""
        return self.data if self.frame is None else read_frame(self)


class Result(NamedTuple):
    """The answer to one file."""

    name: str
    state: str  # as in `predict_files`
    label: str | None = None  # the class, where there is one
    probabilities: dict = {}  # by class; empty where the model was not asked
    reason: str | None = None  # why there is no class
    notes: tuple = ()  # what was unusual in reading the file
    size: tuple | None = None  # height and width in pixels
    thumbnail: np.ndarray | None = None  # (h, w, 3), uint8
    has_frames: bool = False  # whether it has several, none of which was chosen

    @property
    def likeliest(self):
        """The most probable class, or None."""
        return max(self.probabilities, key=self.probabilities.get, default=None)

    @property
    def probability(self):
        """Probability of the most probable class, or None."""
        return self.probabilities.get(self.likeliest)


def classify(model, uploads, *, guard=True, turn=nullcontext):
    """Yield the result of each uploaded file, in order; `turn` makes the context.

    A file that is too large or cannot be read has a result of its own and affects no
    other. Without `guard` images that do not look like scans are classified, too.
    """
    reasons = _refuse_large(uploads)
    for start in range(0, len(uploads), _CHUNK_SIZE):
        chunk = slice(start, start + _CHUNK_SIZE)
        with turn():
            results = _classify_chunk(model, uploads[chunk], reasons[chunk], guard)
        yield from results


def _classify_chunk(model, uploads, reasons, guard):
    """Return the results of some files; files that have a reason are not read."""
    results = [
        Result(upload.name, UNREADABLE, reason=reason)
        for upload, reason in zip(uploads, reasons, strict=True)
    ]
    admitted = [i for i, reason in enumerate(reasons) if reason is None]
    outcomes = list(iter_outcomes(look_at, [uploads[i] for i in admitted]))
    seen = {}
    for i, outcome in zip(admitted, outcomes, strict=True):
        if outcome.failure is None:
            seen[i] = outcome
        else:
            results[i] = _unreadable(uploads[i], outcome.failure)
    answers = model.predict_files([uploads[i].source for i in seen], guard=guard)
    for i, answer in zip(seen, answers.to_dict("records"), strict=True):
        results[i] = _result(uploads[i].name, model.labels, seen[i], answer)
    return results


def to_csv(model, results):
    """Write results as the table of ``brain-tumor-clf predict --csv``."""
    rows = [
        {
            "file": _as_text_cell(result.name),
            "state": result.state,
            "label": result.label,
            "probability": result.probability,
            **{f"p_{name}": result.probabilities.get(name) for name in model.labels},
            "reason": result.reason and without_advice(result.reason),
        }
        for result in results
    ]
    return answers_to_csv(pd.DataFrame(rows), model.model_id)


def _refuse_large(uploads):
    """Return for each file why it is not read, or None."""
    reasons, total = [], 0
    for i, upload in enumerate(uploads):
        size, reason = len(upload.data), None
        if i >= MAX_FILES:
            reason = f"skipped: more than {MAX_FILES} files at once"
        elif size > MAX_FILE_MB * BYTES_A_MB:
            reason = f"skipped: larger than {MAX_FILE_MB} MB"
        elif total + size > MAX_TOTAL_MB * BYTES_A_MB:
            reason = f"skipped: all files together exceed {MAX_TOTAL_MB} MB"
        else:
            total += size
        reasons.append(reason)
    return reasons


def _unreadable(upload, reason):
    """Explain why a file cannot be read; a DICOM file of several frames can be."""
    if upload.frame is not None:
        reason = f"frame {upload.frame + 1} cannot be read"
        return Result(upload.name, UNREADABLE, reason=reason)
    has_frames = read_frame(upload._replace(frame=0)) is not None
    return Result(upload.name, UNREADABLE, reason=reason, has_frames=has_frames)


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
        any(category is ImageReadWarning for category, _ in outcome.notes),
    )


def _as_text_cell(name):
    """Return a file's name so that no spreadsheet takes it for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
