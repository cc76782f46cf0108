"""Search for pairs of unit vectors with a large inner product, in bounded memory.

An inner product is at most that of the low spatial frequencies plus the product of the
norms of the residuals (Cauchy-Schwarz). This bound is computed for all pairs, block by
block; only pairs that reach the threshold by it are compared in full, so none is lost.
"""

import numpy as np
from scipy.fft import dctn

from brain_tumor_clf.model_selection._thumbnails import change_vectors, to_pictures

_N_FREQUENCIES = 10  # along each axis
_ROUNDING = 1e-3  # of float32 products
_BLOCK = 2048
_VERIFY_AT_ONCE = 4096


def similar_pairs(vectors, threshold, change):
    """Return i, j and product of pairs ``i < j``, the second changed, that reach it."""
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
    """Return the low frequencies of vectors (n, d), and the norm of the residual."""
    low = dctn(to_pictures(vectors), axes=(1, 2), norm="ortho")
    low = low[:, :_N_FREQUENCIES, :_N_FREQUENCIES].reshape(len(vectors), -1)
    kept = np.hstack([low, vectors[:, -1:]])
    left_out = 1 - np.einsum("ij,ij->i", kept, kept)
    return np.hstack([kept, np.sqrt(np.maximum(left_out, 0))[:, None]])


def _verify(vectors, i, j, threshold, change):
    """Return those of the pairs whose exact product reaches the threshold."""
    product = np.empty(len(i), dtype=np.float32)
    for start in range(0, len(i), _VERIFY_AT_ONCE):
        at = slice(start, start + _VERIFY_AT_ONCE)
        changed = change_vectors(vectors[j[at]], change)
        product[at] = np.einsum("ij,ij->i", vectors[i[at]], changed)
    keep = product >= threshold
    return i[keep], j[keep], product[keep]


def nearest(queries, vectors):
    """Return the position of the most similar vector of each query, and the product."""
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
