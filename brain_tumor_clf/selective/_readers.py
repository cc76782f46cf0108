"""The image readers inside a model, and a quick look at files through them."""

from functools import partial

from sklearn.base import BaseEstimator

from brain_tumor_clf.exceptions import BlankImageWarning
from brain_tumor_clf.preprocessing import (
    ImageReader,
    iter_outcomes,
    read_image,
)

_ENOUGH = (64, 64)  # pixels; JPEG files are decoded at a fraction of their size


def image_readers(model):
    """Return every `ImageReader` inside a model, frozen or stacked ones included."""
    found, seen, waiting = [], set(), [model]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, ImageReader):
            found.append(part)
        elif isinstance(part, BaseEstimator):
            waiting += vars(part).values()
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part
    return found


def look_at(model, sources):
    """Read files as a model does: reasons of failures by position, and blank images."""
    readers = image_readers(model)
    if not readers:
        return {}, []
    reader = readers[0]
    options = ImageReader(
        frame=reader.frame,
        percentiles=tuple(reader.percentiles),
        max_pixels=reader.max_pixels,
    )
    read = partial(read_image, options=options, least_size=_ENOUGH)
    failures, blank = {}, []
    for i, outcome in enumerate(iter_outcomes(read, sources, reader.n_jobs)):
        if outcome.failure is not None:
            failures[i] = outcome.failure
        elif any(category is BlankImageWarning for category, _ in outcome.notes):
            blank.append(i)
    return failures, blank
