"""How far a vector lies from those seen: within their main axes, and beside them."""

import numpy as np

_SHRINKAGE = 0.05  # of each axis' variance towards the mean of all
_FLOOR = 1e-3  # of the largest spread: what hardly varies must not count for much


def fit_subspace(vectors, n_components):
    """Mean, spread and main axes of vectors, as arrays by name.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
    n_components : int
        Most axes that are kept; at most three quarters of `d`, so that something is
        left beside them.

    Returns
    -------
    dict of str to ndarray, float32
        "mean" ``(d,)``, "spread" ``(d,)`` and "axes" ``(k, d)``, scaled so that
        the vectors' coordinates have about unit variance.
    """
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0)
    spread = spread + _FLOOR * spread.max() + 1e-6
    scaled = (vectors - mean) / spread
    k = max(min(n_components, vectors.shape[1] * 3 // 4, len(vectors) - 1), 1)
    # The small matrix of the two: vectors are many and long, axes few.
    if len(scaled) < scaled.shape[1]:
        values, sides = np.linalg.eigh(scaled @ scaled.T)
        axes = (sides[:, ::-1][:, :k].T @ scaled) / np.sqrt(
            np.maximum(values[::-1][:k], 1e-9)
        ).reshape(-1, 1)
    else:
        values, sides = np.linalg.eigh(scaled.T @ scaled)
        axes = sides[:, ::-1][:, :k].T
    variance = np.maximum(values[::-1][:k], 0) / len(scaled)
    variance = (1 - _SHRINKAGE) * variance + _SHRINKAGE * variance.mean() + 1e-9
    axes = axes / np.sqrt(variance).reshape(-1, 1)
    return {
        "mean": mean.astype(np.float32),
        "spread": spread.astype(np.float32),
        "axes": axes.astype(np.float32),
    }


def project(subspace, vectors):
    """Coordinates along the axes ``(n, k)``, and the logarithms of two distances.

    Returns
    -------
    coordinates : ndarray of shape (n, k), float64
    distances : ndarray of shape (n, 2), float32
        The logarithm of the mean squared coordinate (Mahalanobis), and of the mean
        square of what lies beside all axes.
    """
    # In double precision: what lies beside the axes is a difference of large sums.
    scaled = (vectors.astype(np.float64) - subspace["mean"]) / subspace["spread"]
    coordinates = scaled @ subspace["axes"].T
    within = (coordinates**2).mean(axis=1)
    # The axes are orthogonal; their lengths are one over the spread along them.
    lengths = np.linalg.norm(subspace["axes"], axis=1)
    explained = ((coordinates / lengths) ** 2).sum(axis=1)
    beside = np.maximum((scaled**2).sum(axis=1) - explained, 0) / scaled.shape[1]
    distances = np.log(np.stack([within, beside], axis=1) + _FLOOR)
    return coordinates, distances.astype(np.float32)
