"""What a model's file says about abstention, and a loaded model as a selective one.

Metadata come from a file and may hold anything: what is not well formed counts as
absent.
"""

from numbers import Real
from typing import NamedTuple

from sklearn.frozen import FrozenEstimator

from brain_tumor_clf.selective._classifier import SelectiveClassifier


class Abstention(NamedTuple):
    """The abstention threshold of a model, and how it was chosen.

    Attributes
    ----------
    threshold : float
        Lowest probability that counts as an answer.
    error_rate : float or None
        Selective risk that was allowed when the threshold was chosen.
    coverage : float or None
        Share of the images that were answered then.
    """

    threshold: float
    error_rate: float | None
    coverage: float | None


def read_abstention(metadata):
    """Read the abstention threshold in a model's metadata.

    Parameters
    ----------
    metadata : dict
        ``metadata_`` of a loaded model.

    Returns
    -------
    Abstention or None
        None if there is no threshold from 0 to 1.

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

    Parameters
    ----------
    model : fitted classifier
        A `SelectiveClassifier` is returned as it is, the best one of a search as well.
        Of any other classifier the attribute ``guard_``, the abstention threshold in
        ``metadata_`` and ``model_id_`` are used where it has them, as models saved by
        version 0.1.0 do.

    Returns
    -------
    SelectiveClassifier
        Its ``estimator_`` is `model`.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from brain_tumor_clf.selective import as_selective
    >>> model = as_selective(DummyClassifier().fit([[0], [1]], ["glioma", "notumor"]))
    >>> model.threshold_ is None
    True
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
