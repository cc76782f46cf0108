"""What the 256 counts of a ``uint8`` image tell about it."""

import numpy as np

LEVELS = np.arange(256)
_MAX_ITERATIONS = 100


def histogram(image):
    """How many pixels have each of the 256 values.

    Parameters
    ----------
    image : ndarray of integers from 0 to 255

    Returns
    -------
    ndarray of shape (256,)
    """
    return np.bincount(image.ravel(), minlength=256)


def percentiles_of(counts, percentiles):
    """Percentiles of the pixels counted, equal to those of `numpy.percentile`.

    Parameters
    ----------
    counts : ndarray of shape (256,)
    percentiles : array-like of shape (k,)

    Returns
    -------
    ndarray of shape (k,)

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing._histogram import histogram, percentiles_of
    >>> image = np.array([[3, 5], [5, 10]], dtype=np.uint8)
    >>> percentiles_of(histogram(image), [0, 50, 100])
    array([ 3.,  5., 10.])
    """
    cumulative = np.cumsum(counts)
    ranks = np.asarray(percentiles, dtype=float) / 100 * (cumulative[-1] - 1)
    below = np.floor(ranks)
    lower = np.searchsorted(cumulative, below, side="right")
    upper = np.searchsorted(cumulative, np.ceil(ranks), side="right")
    return lower + (upper - lower) * (ranks - below)


def foreground_threshold(counts):
    """The value above which a pixel belongs to the head: Li's threshold.

    The minimum of the cross-entropy between an image and its two-level version, found
    by the iteration of Li and Tam. It lies lower than Otsu's, so that dark tissue stays
    in.

    Parameters
    ----------
    counts : ndarray of shape (256,)

    Returns
    -------
    float
        An image of one value only has no pixel above it.

    References
    ----------
    C. H. Li and P. K. S. Tam, "An iterative algorithm for minimum cross entropy
    thresholding", Pattern Recognition Letters 19, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing._histogram import (
    ...     foreground_threshold,
    ...     histogram,
    ... )
    >>> image = np.array([[2, 3, 2], [90, 180, 200]], dtype=np.uint8)
    >>> 3 < foreground_threshold(histogram(image)) < 90
    True
    """
    levels = LEVELS + 1.0  # logarithms need positive values
    occupied = np.flatnonzero(counts)
    if len(occupied) < 2:
        return float(occupied[-1]) if len(occupied) else 255.0
    masses, sums = np.cumsum(counts), np.cumsum(counts * levels)
    threshold = sums[-1] / masses[-1]
    for _ in range(_MAX_ITERATIONS):
        cut = int(np.clip(np.floor(threshold) - 1, occupied[0], occupied[-1] - 1))
        dark = sums[cut] / masses[cut]
        bright = (sums[-1] - sums[cut]) / (masses[-1] - masses[cut])
        previous = threshold
        threshold = (bright - dark) / (np.log(bright) - np.log(dark))
        if abs(threshold - previous) < 0.5:
            break
    return float(threshold - 1)


def foreground(counts):
    """The counts of the values above `foreground_threshold`; all others are 0."""
    return np.where(foreground_threshold(counts) < LEVELS, counts, 0)
