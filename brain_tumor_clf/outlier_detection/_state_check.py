"""What a stranger's file may say of a guard."""

from numbers import Real

import numpy as np
from sklearn.pipeline import Pipeline

from brain_tumor_clf.exceptions import ModelFileError


def check_state(state):
    """Raise a ModelFileError unless the state of a fitted guard fits together.

    Parameters
    ----------
    state : dict
        Attributes of a `ScanGuard` by name.
    """
    if not _is_whole(state):
        raise ModelFileError("the state of its guard is damaged")


def _is_whole(state):
    subspaces = state.get("subspaces_")
    if not isinstance(state.get("estimator_"), Pipeline):
        return False
    if not isinstance(subspaces, list) or not all(map(_is_subspace, subspaces)):
        return False
    n_axes = sum(len(subspace["axes"]) for subspace in subspaces)
    n_distances = 2 * len(subspaces) + 1
    offset = state.get("offset_")
    return (
        _is_numbers(state.get("direction_"), (n_axes,))
        and _is_numbers(state.get("median_"), (n_distances,))
        and _is_numbers(state.get("scale_"), (n_distances,))
        and isinstance(offset, Real)
        and bool(np.isfinite(offset))
    )


def _is_subspace(subspace):
    if not isinstance(subspace, dict) or set(subspace) != {"mean", "spread", "axes"}:
        return False
    axes = subspace["axes"]
    return (
        isinstance(axes, np.ndarray)
        and axes.ndim == 2
        and _is_numbers(axes, axes.shape)
        and _is_numbers(subspace["mean"], axes.shape[1:])
        and _is_numbers(subspace["spread"], axes.shape[1:])
    )


def _is_numbers(value, shape):
    return (
        isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and value.shape == shape
        and bool(np.isfinite(value).all())
    )
