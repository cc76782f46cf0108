"""Bring the intensities of scans to a common scale."""

import itertools
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from brain_tumor_clf.preprocessing._base import N_JOBS, ImageTransformer
from brain_tumor_clf.preprocessing._pixels import linear_to_uint8, luminance
from brain_tumor_clf.preprocessing._reader import check_percentiles

_LEVELS = np.arange(256)


class IntensityNormalizer(ImageTransformer):
    """Bring the intensities of scans to a common scale.

    Both methods map ``uint8`` to ``uint8``. Of a color image the luminance is measured,
    and its channels change together. An image of a single value stays as it is.

    Parameters
    ----------
    method : {"percentile", "clahe"}, default="percentile"
        With "percentile", the two `percentiles` of all pixels become 0 and 255,
        linearly; what lies beyond is clipped. "clahe" is contrast-limited adaptive
        histogram equalization [1]_: in each of ``tiles x tiles`` tiles a value becomes
        255 times its rank, with no count of the tile's histogram above `clip_limit`
        times the mean count; pixels between tiles are interpolated.
    percentiles : (float, float), default=(1, 99)
        Of "percentile".
    clip_limit : float, default=2.0
        Of "clahe": at least 1; 1 leaves nearly no gain in contrast.
    tiles : int, default=8
        Of "clahe": number of tiles along each side.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all processors.

    References
    ----------
    .. [1] K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics
       Gems IV, 1994; after S. M. Pizer et al., "Adaptive histogram equalization and its
       variations", Computer Vision, Graphics, and Image Processing 39, 1987.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing import IntensityNormalizer
    >>> dark = np.arange(100, dtype=np.uint8).reshape(10, 10)
    >>> images = IntensityNormalizer(percentiles=(0, 100)).fit_transform([dark])
    >>> int(images[0].min()), int(images[0].max())
    (0, 255)
    """

    _parameter_constraints = {
        "method": [StrOptions({"percentile", "clahe"})],
        "percentiles": ["array-like"],
        "clip_limit": [Interval(Real, 1, None, closed="left")],
        "tiles": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": N_JOBS,
    }

    def __init__(
        self,
        method="percentile",
        *,
        percentiles=(1, 99),
        clip_limit=2.0,
        tiles=8,
        n_jobs=None,
    ):
        self.method = method
        self.percentiles = percentiles
        self.clip_limit = clip_limit
        self.tiles = tiles
        self.n_jobs = n_jobs

    def _check_params(self):
        check_percentiles(self.percentiles)

    def _makes_batch(self, given_batch):
        return given_batch

    def _input_size_needed(self, size):
        return size

    def _transform_image(self, image):
        gray = luminance(image)
        if self.method == "clahe":
            equalized = _equalize(gray, int(self.tiles), float(self.clip_limit))
            if image.ndim == 2:
                return equalized
            # The same step in all channels leaves the chroma as it was.
            step = equalized.astype(np.int16) - gray
            return np.clip(image + step[:, :, np.newaxis], 0, 255).astype(np.uint8)
        low, high = percentiles_of(gray, self.percentiles)
        if low >= high:
            return image
        return linear_to_uint8(_LEVELS, low, high).take(image)


def percentiles_of(image, percentiles):
    """Return percentiles of a ``uint8`` image, as `numpy.percentile` but faster."""
    cumulative = np.cumsum(np.bincount(image.ravel(), minlength=256))
    ranks = np.asarray(percentiles, dtype=float) / 100 * (cumulative[-1] - 1)
    below = np.floor(ranks)
    lower = np.searchsorted(cumulative, below, side="right")
    upper = np.searchsorted(cumulative, np.ceil(ranks), side="right")
    return lower + (upper - lower) * (ranks - below)


def _equalize(image, tiles, clip_limit):
    """Equalize a gray image tile by tile, in whole-array operations."""
    if image.min() == image.max():
        return image
    n_rows, n_columns = min(tiles, image.shape[0]), min(tiles, image.shape[1])
    row_of = np.arange(image.shape[0]) * n_rows // image.shape[0]
    column_of = np.arange(image.shape[1]) * n_columns // image.shape[1]
    tile_of = row_of[:, None] * n_columns + column_of[None, :]
    n_counts = n_rows * n_columns * len(_LEVELS)
    counts = np.bincount((tile_of * len(_LEVELS) + image).ravel(), minlength=n_counts)
    tables = _rank_tables(counts.reshape(-1, len(_LEVELS)), clip_limit)
    return _interpolate(image, tables.reshape(n_rows, n_columns, len(_LEVELS)))


def _rank_tables(counts, clip_limit):
    """Return, per tile, the rank of each value in the clipped histogram, 0 to 255."""
    totals = counts.sum(axis=1, keepdims=True)
    ceiling = np.maximum(clip_limit * totals / len(_LEVELS), 1.0)
    clipped = np.minimum(counts, ceiling)
    # What was cut off is spread evenly, as in the source.
    clipped += (totals - clipped.sum(axis=1, keepdims=True)) / len(_LEVELS)
    return (np.cumsum(clipped, axis=1) / totals * 255).astype(np.float32)


def _interpolate(image, tables):
    """Blend the tables of the four nearest tile centers at each pixel."""
    above, below, weight_y = _neighbors(image.shape[0], tables.shape[0])
    left, right, weight_x = _neighbors(image.shape[1], tables.shape[1])
    result = np.empty(image.shape, dtype=np.float32)
    # Pixels between the same tile centers are taken together: their tables are small.
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
    """Return slices of neighboring pixels that lie between the same two tiles."""
    changes = np.flatnonzero(np.diff(before) | np.diff(after)) + 1
    edges = [0, *changes.tolist(), len(before)]
    return [slice(*edge) for edge in itertools.pairwise(edges)]


def _neighbors(length, n_tiles):
    """Return, for pixels along a side, the tiles before and after, and a weight."""
    position = (np.arange(length) + 0.5) * n_tiles / length - 0.5
    before = np.floor(position).astype(np.intp)
    weight = (position - before).astype(np.float32)
    return np.clip(before, 0, n_tiles - 1), np.clip(before + 1, 0, n_tiles - 1), weight
