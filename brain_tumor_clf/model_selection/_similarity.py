"""Pairs of unit vectors with a large product, in bounded memory.

A product is at most that of the low spatial frequencies plus the product of the lengths
of what they leave out (Cauchy and Schwarz). The low frequencies, most of any scan, are
compared for all pairs, block by block; only pairs that pass the bound are compared
whole, so no pair is lost.
"""

import numpy as np
from scipy.fft import dctn

from brain_tumor_clf.model_selection._thumbnails import change_vectors, to_pictures

_N_FREQUENCIES = 10  # along each axis
_ROUNDING = 1e-3  # of float32 products
_BLOCK = 2048
_VERIFY_AT_ONCE = 4096


def similar_pairs(vectors, threshold, change):
    """Pairs ``i < j`` whose product, the second changed, is at least the threshold.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
        Of `to_vectors`.
    threshold : float
        Least product.
    change : callable
        Of `transforms`. Changed vectors are made when they are needed, not kept.

    Returns
    -------
    i, j : ndarray of int
        Positions.
    similarity : ndarray of float32
        Products.
    """
    n = len(vectors)
    blocks = [slice(start, start + _BLOCK) for start in range(0, n, _BLOCK)]
    left = np.concatenate([_shorten(vectors[block]) for block in blocks])
    right = np.concatenate(
        [_shorten(change_vectors(vectors[block], change)) for block in blocks]
    )
    found = []
    for k, rows in enumerate(blocks):
        for columns in blocks[k:]:
            bound = left[rows] @ right[columns].T
            i, j = np.nonzero(bound >= threshold - _ROUNDING)
            i, j = i + rows.start, j + columns.start
            i, j = i[i < j], j[i < j]
            found.append(_verify(vectors, i, j, threshold, change))
    return tuple(map(np.concatenate, zip(*found, strict=True)))


def _shorten(vectors):
    """Low frequencies of vectors (n, d), and the length of the rest as last entry."""
    low = dctn(to_pictures(vectors), axes=(1, 2), norm="ortho")
    low = low[:, :_N_FREQUENCIES, :_N_FREQUENCIES].reshape(len(vectors), -1)
    kept = np.hstack([low, vectors[:, -1:]])
    left_out = 1 - np.einsum("ij,ij->i", kept, kept)
    return np.hstack([kept, np.sqrt(np.maximum(left_out, 0))[:, None]])


def _verify(vectors, i, j, threshold, change):
    product = np.empty(len(i), dtype=np.float32)
    for start in range(0, len(i), _VERIFY_AT_ONCE):
        at = slice(start, start + _VERIFY_AT_ONCE)
        changed = change_vectors(vectors[j[at]], change)
        product[at] = np.einsum("ij,ij->i", vectors[i[at]], changed)
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
