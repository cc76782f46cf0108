"""Distances of feature vectors within their principal axes, and to the subspace."""

import numpy as np
from sklearn.decomposition import PCA

_SHRINKAGE = 0.05  # of the variance along each axis towards the mean over axes
_FLOOR = 1e-3  # of the largest spread: features that hardly vary must not dominate


def fit_subspace(vectors, n_components):
    """Return "mean", "spread" and "axes" of vectors (n, d), as float32 arrays by name.

    The axes ``(k, d)`` are scaled so that coordinates have about unit variance. They
    are at most three quarters of the dimensions, so that there is a residual.
    """
    n, d = vectors.shape
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0)
    spread = spread + _FLOOR * spread.max() + 1e-6
    k = max(min(n_components, d * 3 // 4, n - 1), 1)
    pca = PCA(k, svd_solver="full" if n < d else "covariance_eigh")
    pca.fit((vectors - mean) / spread)
    variance = pca.explained_variance_
    variance = (1 - _SHRINKAGE) * variance + _SHRINKAGE * variance.mean() + 1e-9
    axes = pca.components_ / np.sqrt(variance)[:, None]
    subspace = {"mean": mean, "spread": spread, "axes": axes}
    return {name: array.astype(np.float32) for name, array in subspace.items()}


def project(subspace, vectors):
    """Return coordinates (n, k) of vectors, and the logarithms (n, 2) of two distances.

    The distances are the mean squared coordinate (Mahalanobis distance within the
    subspace) and the mean squared residual (distance to the subspace).
    """
    # In double precision: the residual is a difference of large sums.
    scaled = (vectors.astype(np.float64) - subspace["mean"]) / subspace["spread"]
    coordinates = scaled @ subspace["axes"].T
    within = (coordinates**2).mean(axis=1)
    # The axes are orthogonal; their norms are the inverse of the spread along them.
    norms = np.linalg.norm(subspace["axes"], axis=1)
    explained = ((coordinates / norms) ** 2).sum(axis=1)
    residual = np.maximum((scaled**2).sum(axis=1) - explained, 0) / scaled.shape[1]
    distances = np.log(np.stack([within, residual], axis=1) + _FLOOR)
    return coordinates, distances.astype(np.float32)


def is_consistent(state):
    """Return whether the state of a `ScanGuard`, from a file, is consistent."""
    try:
        n_axes, expected = 0, []
        for subspace in state["subspaces_"]:
            k, d = subspace["axes"].shape
            shapes = {"axes": (k, d), "mean": (d,), "spread": (d,)}
            expected += [(subspace[name], shape) for name, shape in shapes.items()]
            n_axes += k
        n = 2 * len(state["subspaces_"]) + 1
        shapes = {"direction_": (n_axes,), "median_": (n,), "scale_": (n,)}
        expected += [(state[name], shape) for name, shape in shapes.items()]
        return all(_is_finite(array, shape) for array, shape in expected)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _is_finite(value, shape):
    """Return whether an object is an array of finite floats of a shape."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and value.shape == shape
        and bool(np.isfinite(value).all())
    )
