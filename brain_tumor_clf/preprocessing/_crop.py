"""Crop an image to the head."""

from numbers import Real

import numpy as np
from PIL import Image
from scipy import ndimage
from sklearn.utils._param_validation import Interval

from brain_tumor_clf.exceptions import HeadNotFoundWarning
from brain_tumor_clf.preprocessing._base import N_JOBS, ImageTransformer, Placement
from brain_tumor_clf.preprocessing._mapping import note
from brain_tumor_clf.preprocessing._pixels import check_uint8_image, luminance

_SEARCH_SIDE = 128  # pixels, at most, of the copy on which the head is looked for
_LEAST_AREA = 0.02  # of the image; what is smaller is text or noise
_SMALL_PART = 0.1  # of the largest part's area; smaller parts are not of the head
_SCALP_FACTOR = 0.5  # of Li's threshold between brain and background: scalp is dim
_NOISE_FACTOR = 6.0  # of the median deviation in the background
_MAX_ITERATIONS = 100


class HeadCropper(ImageTransformer):
    """Crop every image to the bounding box of the head.

    On a small copy, smoothed against noise, the head is the largest connected region
    that differs from the background (the level of a dark corner) by more than half of
    Li's minimum cross-entropy threshold and more than the noise, together with other
    large regions; thin lines and text are removed before. An image without such a
    region, as an all-black one, is returned whole with a `HeadNotFoundWarning`.

    Parameters
    ----------
    margin : float, default=0.02
        Space left around the head, as a fraction of the height and width of its box.
    min_fraction : float, default=0.5
        The least part of the image's height and width that is kept; a smaller box is
        widened about its center. With it, an `ImageReader` may decode a file at ``1 /
        min_fraction`` times the final size and never lose resolution that the crop
        would have kept.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all processors.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing import HeadCropper
    >>> scan = np.zeros((1000, 800), dtype=np.uint8)
    >>> scan[200:880, 160:720] = 120
    >>> cropper = HeadCropper(margin=0)
    >>> cropper.find_box(scan)
    (192, 152, 888, 728)
    >>> cropper.fit_transform([scan])[0].shape
    (696, 576)
    """

    _parameter_constraints = {
        "margin": [Interval(Real, 0, None, closed="left")],
        "min_fraction": [Interval(Real, 0, 1, closed="right")],
        "n_jobs": N_JOBS,
    }

    def __init__(self, margin=0.02, *, min_fraction=0.5, n_jobs=None):
        self.margin = margin
        self.min_fraction = min_fraction
        self.n_jobs = n_jobs

    def find_box(self, image):
        """Find the box that `transform` crops an image to.

        Parameters
        ----------
        image : ndarray of shape (H, W) or (H, W, 3), dtype uint8
            The image.

        Returns
        -------
        top, left, bottom, right : int
            In pixels of the image; rows ``top:bottom`` and columns ``left:right`` are
            kept.
        """
        self._check_all_params()
        return self._find_box(check_uint8_image(image, type(self).__name__))

    def _input_size_needed(self, size):
        if size is None:
            return None
        return tuple(int(np.ceil(side / self.min_fraction)) for side in size)

    def _transform_image(self, image):
        top, left, bottom, right = self._find_box(image)
        return image[top:bottom, left:right]

    def _place(self, image, result):
        return Placement(image.shape[:2], *self._find_box(image, warn=False))

    def _find_box(self, image, warn=True):
        height, width = image.shape[:2]
        found = _find_head(luminance(image))
        if found is None:
            if warn:
                note(HeadNotFoundWarning, "no head was found, the image is kept whole")
            return 0, 0, height, width
        top, left, bottom, right = found
        top, bottom = _widen(top, bottom, height, self.margin, self.min_fraction)
        left, right = _widen(left, right, width, self.margin, self.min_fraction)
        return top, left, bottom, right


def _find_head(image):
    """Return the bounding box of the head without a margin, or None."""
    factor = -(-max(image.shape) // _SEARCH_SIDE)
    mask = _head_mask(_shrink(image, factor))
    if mask is None:
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        int(rows[0]) * factor,
        int(columns[0]) * factor,
        min((int(rows[-1]) + 1) * factor, image.shape[0]),
        min((int(columns[-1]) + 1) * factor, image.shape[1]),
    )


def _shrink(image, factor):
    """Average whole blocks; the last ones may be cut off."""
    if factor == 1:
        return image
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).reduce(factor))


def _head_mask(small):
    """Return where the head is in a small image, or None."""
    mask = _stands_out(small)
    # Three pixels: what is thinner is a line, a frame or text.
    eroded = ndimage.minimum_filter(mask, size=3, mode="constant", cval=0)
    mask = ndimage.maximum_filter(eroded, size=3)
    labels, n_parts = ndimage.label(mask)
    if n_parts == 0:
        return None
    areas = np.bincount(labels.ravel())
    areas[0] = 0  # the background
    if areas.max() < _LEAST_AREA * mask.size:
        return None
    return (areas >= _SMALL_PART * areas.max())[labels]


def _stands_out(small):
    """Return where a small image differs from its background, dark skull included."""
    smooth = ndimage.uniform_filter(small, size=3, mode="nearest").astype(np.int16)
    corner = _dark_corner(smooth)
    background = np.median(corner)
    noise = np.median(np.abs(corner - background))
    if background > foreground_threshold(smooth):
        background = noise = 0  # a white frame, or a head that fills the image
    difference = np.abs(smooth - int(background))
    threshold = foreground_threshold(difference)
    lowered = max(_SCALP_FACTOR * threshold, _NOISE_FACTOR * noise)
    return difference > min(lowered, threshold)


def _dark_corner(smooth):
    """Return the second darkest corner: one may be masked, two may show the head."""
    side = max(min(smooth.shape) // 16, 2)
    corners = [
        smooth[rows, columns]
        for rows in (slice(None, side), slice(-side, None))
        for columns in (slice(None, side), slice(-side, None))
    ]
    return sorted(corners, key=np.median)[1]


def _widen(start, stop, length, margin, min_fraction):
    """Add the margin, then grow to the least part kept; stay within ``0:length``."""
    space = round(margin * (stop - start))
    start, stop = max(start - space, 0), min(stop + space, length)
    lacking = int(np.ceil(min_fraction * length)) - (stop - start)
    if lacking > 0:
        start = min(max(start - lacking // 2, 0), length - (stop - start) - lacking)
        stop = start + int(np.ceil(min_fraction * length))
    return start, stop


def foreground_threshold(image):
    """Return the value above which a pixel belongs to the head: Li's threshold.

    The minimum of the cross-entropy between an image and its two-level version, by the
    iteration of C. H. Li and P. K. S. Tam, "An iterative algorithm for minimum cross
    entropy thresholding", Pattern Recognition Letters 19, 1998. It lies lower than
    Otsu's, so that dark tissue stays in. No pixel of a constant image is above it.
    """
    counts = np.bincount(image.ravel(), minlength=256)
    levels = np.arange(256) + 1.0  # logarithms need positive values
    occupied = np.flatnonzero(counts)
    if len(occupied) < 2:
        return float(occupied[-1])
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
