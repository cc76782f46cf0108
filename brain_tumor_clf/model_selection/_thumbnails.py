"""Thumbnails that do not depend on encoding, size and dark borders, and their pairs.

Pairs are searched for in bounded memory. An inner product of unit vectors is at most
that of the low spatial frequencies plus the product of the norms of the residuals
(Cauchy-Schwarz). This bound is computed for all pairs, block by block; only pairs that
reach the threshold by it are compared in full, so none is lost.
"""

import functools

import numpy as np
from scipy.fft import dctn

# A row is border if at most a share of the brightest row's pixels exceeds this share of
# the maximum. Neither number changes when a black border is added.
_BORDER_LEVEL = 0.12
_STRAY_PIXELS = 0.04
VIEWS = ("whole", "trimmed")
_AT_ONCE = 4096  # thumbnails or pairs in hand at a time, to bound memory
_N_FREQUENCIES = 10  # along each axis
_ROUNDING = 1e-3  # of float32 products
_BLOCK = 2048


def make_thumbnails(image, size):
    """Return thumbnails ``(2, size, size)`` of a gray image, in the order of `VIEWS`.

    A copy on a larger canvas matches its original only without the dark border; a copy
    cropped elsewhere only with it.
    """
    top, bottom, left, right = _content_box(image)
    views = (image, image[top:bottom, left:right])
    return np.stack([_shrink(view, size) for view in views])


def _content_box(image):
    """Return top, bottom, left and right of the image without its dark border."""
    bright = image > _BORDER_LEVEL * image.max()
    rows, columns = (_filled(bright.sum(axis=axis)) for axis in (1, 0))
    if len(rows) < 2 or len(columns) < 2:
        return 0, image.shape[0], 0, image.shape[1]
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def _filled(counts):
    """Return the positions of rows or columns that are not border."""
    return np.flatnonzero(counts > _STRAY_PIXELS * counts.max())


def _shrink(image, size):
    """Return the exact means over equal parts of the area."""
    # Pillow's box filter assigns a pixel on an edge to one of the two parts, so that
    # the thumbnail of a mirrored copy would not be the mirrored thumbnail.
    rows, columns = (_area_weights(side, size) for side in image.shape)
    return rows @ image.astype(np.float32) @ columns.T


@functools.lru_cache(maxsize=64)
def _area_weights(n, size):
    """Return the share of each of `n` pixels in each of `size` equal parts."""
    edges = np.linspace(0, n, size + 1)[:, None]
    pixels = np.arange(n)
    shared = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return (np.maximum(shared, 0) * size / n).astype(np.float32)


def transforms(mirror, rotations):
    """Return the changes of a copy to search for: functions of (…, H, W) by name."""
    found = {"identity": lambda x: x}
    if mirror:
        found["mirror"] = lambda x: x[..., ::-1]
    if rotations:
        for turns in (1, 2, 3):
            name = f"rotation{90 * turns}"
            found[name] = lambda x, k=turns: np.rot90(x, k, axes=(-2, -1))
            if mirror:
                found[f"mirror_{name}"] = lambda x, k=turns: np.rot90(
                    x[..., ::-1], k, axes=(-2, -1)
                )
    return found


def to_vectors(thumbnails, at=None):
    """Return unit vectors whose inner products are the correlations of thumbnails.

    Of one view ``(n, size, size)``, all or those at some positions. The last of the
    ``size * size + 1`` entries is 1 for a constant thumbnail, which has no correlation,
    and 0 otherwise: constant thumbnails are copies of each other and of nothing else.
    """
    at = np.arange(len(thumbnails)) if at is None else at
    n_pixels = int(np.prod(thumbnails.shape[1:]))
    vectors = np.zeros((len(at), n_pixels + 1), dtype=np.float32)
    for start in range(0, len(at), _AT_ONCE):
        part = vectors[start : start + _AT_ONCE]
        flat = part[:, :-1]
        flat[:] = thumbnails[at[start : start + _AT_ONCE]].reshape(len(part), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(flat, axis=1, keepdims=True)
        # Half a gray level of spread is rounding, not content.
        is_flat = norms < 0.5 * np.sqrt(n_pixels)
        flat *= ~is_flat
        flat /= np.where(is_flat, 1, norms)
        part[:, -1:] = is_flat
    return vectors


def change_vectors(vectors, change):
    """Return the vectors of changed thumbnails: the same entries in another order."""
    changed = change(to_pictures(vectors)).reshape(len(vectors), -1)
    return np.hstack([changed, vectors[:, -1:]])


def to_pictures(vectors):
    """Return vectors (n, size * size + 1) as thumbnails (n, size, size)."""
    side = round(np.sqrt(vectors.shape[1] - 1))
    return vectors[:, :-1].reshape(-1, side, side)


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
    for start in range(0, len(i), _AT_ONCE):
        at = slice(start, start + _AT_ONCE)
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
