"""What a model's file says about abstention, and a loaded model as a selective one.

Metadata come from a file and may hold anything: what is not well formed counts as
absent.
"""

from numbers import Real
from typing import NamedTuple

from sklearn.frozen import FrozenEstimator

from brain_tumor_clf.selective._classifier import SelectiveClassifier


class Abstention(NamedTuple):
    """The abstention threshold of a model, and the rates it was chosen for."""

    threshold: float
    error_rate: float | None
    coverage: float | None


def read_abstention(metadata):
    """Return the `Abstention` in a model's metadata, or None.

    Examples
    --------
    >>> from brain_tumor_clf.selective import read_abstention
    >>> read_abstention({"abstention": {"threshold": 0.7, "coverage": 0.9}})
    Abstention(threshold=0.7, error_rate=None, coverage=0.9)
    """
    found = metadata.get("abstention")
    if not isinstance(found, dict) or not _is_share(found.get("threshold")):
        return None
    rates = [found.get(name) for name in ("error_rate", "coverage")]
    rates = [rate if _is_share(rate) else None for rate in rates]
    return Abstention(float(found["threshold"]), *rates)


def as_selective(model):
    """Return a fitted classifier as a `SelectiveClassifier`; nothing is fitted.

    The attribute ``guard_``, the abstention threshold in ``metadata_`` and
    ``model_id_`` are used where a model has them, as those of version 0.1.0 do.
    """
    for inside in (model, _inside(model)):
        if isinstance(inside, SelectiveClassifier):
            return inside
    guard = getattr(model, "guard_", None)
    metadata = getattr(model, "metadata_", None)
    metadata = metadata if isinstance(metadata, dict) else {}
    abstention = read_abstention(metadata)
    selective = SelectiveClassifier(
        FrozenEstimator(model),
        None if guard is None else FrozenEstimator(guard),
        None if abstention is None else abstention.threshold,
    ).fit(None, None)  # all of it is frozen
    selective.metadata_ = metadata
    selective.model_id_ = getattr(model, "model_id_", None)
    return selective


def _inside(model):
    frozen = isinstance(model, FrozenEstimator)
    return getattr(model, "estimator" if frozen else "best_estimator_", None)


def _is_share(value):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= value <= 1
