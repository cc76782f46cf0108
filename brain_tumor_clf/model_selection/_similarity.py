"""Pairs of unit vectors with a large product, in bounded memory.

A product is at most that of the low spatial frequencies plus the product of the lengths
of what they leave out (Cauchy and Schwarz). The low frequencies, most of any scan, are
compared for all pairs, block by block; only pairs that pass the bound are compared
whole, so no pair is lost.
"""

import numpy as np
from scipy.fft import dctn

_N_FREQUENCIES = 10  # along each axis
_ROUNDING = 1e-3  # of float32 products
_BLOCK = 2048
_VERIFY_AT_ONCE = 4096


def _shorten(vectors):
    """Low frequencies of vectors (n, d), and the length of the rest as last entry."""
    side = round(np.sqrt(vectors.shape[1] - 1))
    pictures = vectors[:, :-1].reshape(-1, side, side)
    low = dctn(pictures, axes=(1, 2), norm="ortho")[:, :_N_FREQUENCIES, :_N_FREQUENCIES]
    kept = np.hstack([low.reshape(len(vectors), -1), vectors[:, -1:]])
    left_out = 1 - np.einsum("ij,ij->i", kept, kept)
    return np.hstack([kept, np.sqrt(np.maximum(left_out, 0))[:, None]])


def similar_pairs(left, right, threshold):
    """Pairs ``i < j`` for which ``left[i] @ right[j]`` is at least the threshold.

    Parameters
    ----------
    left, right : ndarray of shape (n, d), float32
        Vectors of `to_vectors` of the same images, `right` transformed.
    threshold : float
        Least product.

    Returns
    -------
    i, j : ndarray of int
        Positions.
    similarity : ndarray of float32
        Products.
    """
    n = len(left)
    short_left, short_right = _shorten(left), _shorten(right)
    found = []
    for start in range(0, n, _BLOCK):
        rows = short_left[start : start + _BLOCK]
        for begin in range(start, n, _BLOCK):
            bound = rows @ short_right[begin : begin + _BLOCK].T
            i, j = np.nonzero(bound >= threshold - _ROUNDING)
            i, j = i + start, j + begin
            i, j = i[i < j], j[i < j]
            found.append(_verify(left, right, i, j, threshold))
    return tuple(map(np.concatenate, zip(*found, strict=True)))


def _verify(left, right, i, j, threshold):
    product = np.empty(len(i), dtype=np.float32)
    for start in range(0, len(i), _VERIFY_AT_ONCE):
        at = slice(start, start + _VERIFY_AT_ONCE)
        product[at] = np.einsum("ij,ij->i", left[i[at]], right[j[at]])
    keep = product >= threshold
    return i[keep], j[keep], product[keep]


def nearest(queries, vectors):
    """The most similar vector of each query.

    Parameters
    ----------
    queries : ndarray of shape (m, d), float32
        Unit vectors.
    vectors : ndarray of shape (n, d), float32
        Unit vectors.

    Returns
    -------
    index : ndarray of shape (m,), int
        Position in `vectors`.
    similarity : ndarray of shape (m,), float32
        Product with it.
    """
    index = np.zeros(len(queries), dtype=np.intp)
    best = np.full(len(queries), -np.inf, dtype=np.float32)
    for start in range(0, len(queries), _BLOCK):
        rows = slice(start, start + _BLOCK)
        for begin in range(0, len(vectors), _BLOCK):
            product = queries[rows] @ vectors[begin : begin + _BLOCK].T
            at = product.argmax(axis=1)
            value = np.take_along_axis(product, at[:, None], axis=1)[:, 0]
            better = value > best[rows]
            index[rows] = np.where(better, at + begin, index[rows])
            best[rows] = np.where(better, value, best[rows])
    return index, best
