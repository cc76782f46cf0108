"""From uploaded files to results: what the model says of each, or why it can't."""

from typing import NamedTuple

import numpy as np

from brain_tumor_clf._answers import (
    CLASSIFIED,
    NOT_A_SCAN,
    NOT_SURE,
    UNREADABLE,
    state_of,
)
from brain_tumor_clf.app._limits import (
    BYTES_A_MB,
    MAX_FILE_MB,
    MAX_FILES,
    MAX_PIXELS,
    MAX_TOTAL_MB,
)
from brain_tumor_clf.exceptions import ImageReadError
from brain_tumor_clf.preprocessing import HeadCropper, ImageReader, iter_outcomes

_THUMBNAIL = 96  # pixels; enough for a table, and large JPEG files decode faster


class Upload(NamedTuple):
    """A file as it came in.

    Attributes
    ----------
    key : str
        Tells it from all others of the session.
    name : str
        As its owner calls it.
    data : bytes
        Its content.
    """

    key: str
    name: str
    data: bytes


class Answer(NamedTuple):
    """What a model says of an image.

    Attributes
    ----------
    label : str
        The class that ``predict`` gives.
    probability : float
        Of that class.
    probabilities : dict of str to float
        By class, in the model's order.
    """

    label: str
    probability: float
    probabilities: dict


class Result(NamedTuple):
    """What came of one file.

    Attributes
    ----------
    name : str
        The file's name.
    state : str
        `CLASSIFIED`, `NOT_SURE`, `NOT_A_SCAN` or `UNREADABLE`.
    answer : Answer or None
        What the model says, whether or not it may be shown; None if unreadable.
    error : str or None
        Why the file could not be read.
    notes : tuple of str
        What the reader remarked.
    size : (int, int) or None
        Height and width in pixels.
    thumbnail : ndarray of shape (h, w, 3), uint8, or None
        The image made small.
    """

    name: str
    state: str
    answer: Answer | None = None
    error: str | None = None
    notes: tuple = ()
    size: tuple | None = None
    thumbnail: np.ndarray | None = None

    @property
    def shown_answer(self):
        """The answer, unless the image is no scan: then it gets none."""
        return None if self.state == NOT_A_SCAN else self.answer

    @property
    def label(self):
        """The class, where the model stands for one."""
        return self.answer.label if self.state == CLASSIFIED else None


def classify(model, uploads):
    """Classify uploaded files in one pass of the model.

    Parameters
    ----------
    model : ServedModel
    uploads : list of Upload

    Returns
    -------
    list of Result
        One a file, in order. A file that is too large or cannot be read is a result
        of its own and spoils no other.
    """
    refused = _check_sizes(uploads)
    admitted = [i for i in range(len(uploads)) if i not in refused]
    outcomes = iter_outcomes(_look_at, [uploads[i].data for i in admitted])
    seen = {}
    for i, outcome in zip(admitted, outcomes, strict=True):
        if outcome.failure is None:
            seen[i] = outcome
        else:
            refused[i] = outcome.failure
    answers, states = _ask(model, {i: uploads[i].data for i in seen}, refused)
    results = []
    for i, upload in enumerate(uploads):
        if i in refused:
            results.append(Result(upload.name, UNREADABLE, error=refused[i]))
            continue
        size, thumbnail = seen[i].image
        notes = tuple(text for _, text in seen[i].notes)
        results.append(
            Result(upload.name, states[i], answers[i], None, notes, size, thumbnail)
        )
    return results


def read_scan(data, longest):
    """An uploaded scan for the screen.

    Parameters
    ----------
    data : bytes
    longest : int
        Height and width at most, in pixels.

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
    """
    image = _reader(longest)._apply(data)
    return _shrink(image, longest)


def count_states(results):
    """How many results of each state there are: dict, in a fixed order, no zeros."""
    states = [result.state for result in results]
    ordered = (CLASSIFIED, NOT_SURE, NOT_A_SCAN, UNREADABLE)
    return {state: states.count(state) for state in ordered if state in states}


def _check_sizes(uploads):
    """Position -> reason, of files that are not even looked at."""
    refused, total = {}, 0
    for i, upload in enumerate(uploads):
        size = len(upload.data)
        if i >= MAX_FILES:
            refused[i] = f"left out: more than {MAX_FILES} files at once"
        elif size > MAX_FILE_MB * BYTES_A_MB:
            refused[i] = f"left out: larger than {MAX_FILE_MB} MB"
        elif total + size > MAX_TOTAL_MB * BYTES_A_MB:
            refused[i] = f"left out: all files together exceed {MAX_TOTAL_MB} MB"
        else:
            total += size
    return refused


def _reader(least_size):
    return ImageReader("rgb", least_size, max_pixels=MAX_PIXELS)


def _look_at(data):
    """Size and thumbnail of a file; what is odd about it is noted."""
    image, placement = _reader(_THUMBNAIL)._apply_and_locate(data)
    HeadCropper()._apply(image)  # notes it where there is no head
    return placement.image_shape, _shrink(image, _THUMBNAIL)


def _shrink(image, longest):
    from PIL import Image

    if max(image.shape[:2]) <= longest:
        return image
    picture = Image.fromarray(image)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _ask(model, files, refused):
    """Answers and states by position; what the model cannot read joins `refused`."""
    files = dict(files)
    while files:
        try:
            batch = list(files.values())
            probabilities = model.predict_proba(batch)
            scans = model.are_scans(batch)
            break
        except ImageReadError as error:
            # The model's own reader may be stricter than ours.
            positions = list(files)
            for position, failure in error.failures.items():
                i = positions[position]
                refused[i] = failure.reason
                del files[i]
    threshold = None if model.abstention is None else model.abstention.threshold
    answers, states = {}, {}
    for k, i in enumerate(files):
        answers[i] = _answer(model, probabilities[k])
        states[i] = state_of(answers[i].probability, scans[k], threshold)
    return answers, states


def _answer(model, probabilities):
    best = int(probabilities.argmax())
    by_class = dict(zip(model.labels, map(float, probabilities), strict=True))
    return Answer(model.labels[best], float(probabilities[best]), by_class)
