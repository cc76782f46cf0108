"""Apply a function to every image of a collection, in threads and in order.

A problem with one image stops no other: reasons are gathered, and raised or warned of
together.
"""

import contextlib
import os
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import NamedTuple

from joblib import effective_n_jobs

from brain_tumor_clf.exceptions import ImageReadError, ReadFailure

_MAX_NAMES_IN_WARNING = 10
_collected_notes = ContextVar("collected_notes", default=None)


class UnreadableImageError(ValueError):
    """One image could not be read; the text is the reason, without the path."""


class _Outcome(NamedTuple):
    image: object
    failure: str | None
    notes: list


def note(category, reason):
    """Warn about the current image; one warning names all images of a collection."""
    notes = _collected_notes.get()
    if notes is None:
        warnings.warn(reason, category, stacklevel=2)
    else:
        notes.append((category, reason))


def was_noted(category):
    """Return whether `note` has been called with a category for the current image."""
    return any(noted is category for noted, _ in _collected_notes.get() or ())


def source_name(source, position):
    """Return the path of a source, or ``"X[3]"`` where it has none."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return f"X[{position}]"


def iter_results(function, sources, n_jobs=None):
    """Yield ``function(source)`` in order; raise an ImageReadError at the end.

    All sources are tried, but nothing is yielded after the first failure.
    """
    failures, notes = {}, {}
    outcomes = iter_outcomes(function, sources, n_jobs)
    with contextlib.closing(outcomes):
        for i, outcome in enumerate(outcomes):
            for key in outcome.notes:
                notes.setdefault(key, []).append(i)
            if outcome.failure is not None:
                failures[i] = ReadFailure(source_name(sources[i], i), outcome.failure)
            elif not failures:
                yield outcome.image
    _warn_once_per_reason(notes, sources)
    if failures:
        raise ImageReadError(failures, n_images=len(sources))


def iter_outcomes(function, sources, n_jobs=None):
    """Yield outcomes of ``function(source)`` in order, raising for no image.

    An outcome has ``image``, ``failure`` (the text of an `UnreadableImageError`, or
    None) and ``notes`` (pairs of a warning's category and text).
    """
    n_threads = effective_n_jobs(n_jobs)
    if min(n_threads, len(sources)) == 1:
        for source in sources:
            yield _attempt(function, source)
        return
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="images")
    waiting = deque()
    try:
        for source in sources:
            waiting.append(pool.submit(_attempt, function, source))
            if len(waiting) > 2 * n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _attempt(function, source):
    notes = []
    token = _collected_notes.set(notes)
    try:
        return _Outcome(function(source), None, notes)
    except UnreadableImageError as error:
        return _Outcome(None, str(error), notes)
    finally:
        _collected_notes.reset(token)


def _warn_once_per_reason(notes, sources):
    for (category, reason), positions in notes.items():
        listed = [source_name(sources[i], i) for i in positions[:_MAX_NAMES_IN_WARNING]]
        if len(positions) > len(listed):
            listed.append(f"and {len(positions) - len(listed)} more")
        warning = category(
            f"{len(positions)} of {len(sources)} images: {reason} ({', '.join(listed)})"
        )
        warning.positions = positions
        warnings.warn(warning, stacklevel=4)
