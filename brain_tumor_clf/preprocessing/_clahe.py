"""Contrast-limited adaptive histogram equalisation.

After K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems
IV, 1994, in whole-array operations.
"""

import itertools

import numpy as np

_LEVELS = 256


def equalize(image, tiles, clip_limit):
    """Equalise a grey image tile by tile, interpolating between tiles.

    Parameters
    ----------
    image : ndarray of shape (H, W), dtype uint8
    tiles : int
        Number of tiles along each side; no more than there are pixels are used.
    clip_limit : float
        Highest count of a tile's histogram, as a multiple of its mean count.

    Returns
    -------
    ndarray of shape (H, W), dtype uint8
    """
    if image.min() == image.max():
        return image
    n_rows, n_columns = min(tiles, image.shape[0]), min(tiles, image.shape[1])
    row_of = np.arange(image.shape[0]) * n_rows // image.shape[0]
    column_of = np.arange(image.shape[1]) * n_columns // image.shape[1]
    tile_of = row_of[:, None] * n_columns + column_of[None, :]
    n_counts = n_rows * n_columns * _LEVELS
    counts = np.bincount((tile_of * _LEVELS + image).ravel(), minlength=n_counts)
    counts = counts.reshape(-1, _LEVELS)
    tables = _tables(counts, clip_limit).reshape(n_rows, n_columns, _LEVELS)
    return _interpolate(image, tables)


def _tables(counts, clip_limit):
    """Per tile, the rank of each value in the clipped histogram, 0 to 255."""
    totals = counts.sum(axis=1, keepdims=True)
    ceiling = np.maximum(clip_limit * totals / _LEVELS, 1.0)
    clipped = np.minimum(counts, ceiling)
    # What was cut off is spread evenly, as in the source.
    clipped += (totals - clipped.sum(axis=1, keepdims=True)) / _LEVELS
    return (np.cumsum(clipped, axis=1) / totals * 255).astype(np.float32)


def _interpolate(image, tables):
    """Blend the tables of the four nearest tile centres at each pixel."""
    above, below, weight_y = _neighbours(image.shape[0], tables.shape[0])
    left, right, weight_x = _neighbours(image.shape[1], tables.shape[1])
    result = np.empty(image.shape, dtype=np.float32)
    # Pixels between the same tile centres are taken together: their tables are small.
    for rows in _runs(above, below):
        upper, lower = tables[above[rows.start]], tables[below[rows.start]]
        down = weight_y[rows, None]
        for columns in _runs(left, right):
            patch = image[rows, columns]
            across = weight_x[None, columns]
            first, last = left[columns.start], right[columns.start]
            top = _mix(upper[first].take(patch), upper[last].take(patch), across)
            bottom = _mix(lower[first].take(patch), lower[last].take(patch), across)
            result[rows, columns] = _mix(top, bottom, down)
    return np.rint(np.clip(result, 0, 255)).astype(np.uint8)


def _mix(first, last, weight):
    return first + (last - first) * weight


def _runs(before, after):
    """Slices of neighbouring pixels that lie between the same two tiles."""
    changes = np.flatnonzero(np.diff(before) | np.diff(after)) + 1
    edges = [0, *changes.tolist(), len(before)]
    return [slice(*edge) for edge in itertools.pairwise(edges)]


def _neighbours(length, n_tiles):
    """For the pixels along a side: tile before, tile after, weight of the latter."""
    position = (np.arange(length) + 0.5) * n_tiles / length - 0.5
    before = np.floor(position).astype(np.intp)
    weight = (position - before).astype(np.float32)
    return np.clip(before, 0, n_tiles - 1), np.clip(before + 1, 0, n_tiles - 1), weight
