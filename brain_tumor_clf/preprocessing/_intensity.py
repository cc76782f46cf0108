"""Bring the intensities of scans to a common scale."""

from numbers import Integral, Real

import numpy as np

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.preprocessing import _nyul
from brain_tumor_clf.preprocessing._base import ImageTransformer
from brain_tumor_clf.preprocessing._clahe import equalize
from brain_tumor_clf.preprocessing._decode import luminance
from brain_tumor_clf.preprocessing._histogram import (
    LEVELS,
    foreground,
    histogram,
    percentiles_of,
)
from brain_tumor_clf.preprocessing._read import check_percentiles
from brain_tumor_clf.preprocessing._scaling import linear_to_uint8

_METHODS = ("percentile", "zscore", "clahe", "nyul")


class IntensityNormalizer(ImageTransformer):
    """Bring the intensities of scans to a common scale.

    Each method maps ``uint8`` to ``uint8``. The foreground, where a method uses it, is
    the pixels above Li's minimum cross-entropy threshold. Of a colour image the
    luminance is measured, and its channels change together.

    ``"percentile"``
        The two `percentiles` of all pixels become 0 and 255, linearly; what lies beyond
        is clipped.
    ``"zscore"``
        With mean m and standard deviation s of the foreground, m becomes 127.5 and ``m
        - z_limit * s`` and ``m + z_limit * s`` become 0 and 255, linearly; what lies
        beyond is clipped.
    ``"clahe"``
        Contrast-limited adaptive histogram equalisation [1]_: in each of ``tiles x
        tiles`` tiles a value becomes 255 times its rank, with no count of the tile's
        histogram above `clip_limit` times the mean count; pixels between tiles are
        interpolated.
    ``"nyul"``
        Histogram standardisation [2]_ [3]_, learned in `fit`: the `percentiles` and the
        deciles of the foreground are landmarks. Each image's lower and upper landmark
        are mapped to 26 and 230 and the mean of all landmarks so mapped is the standard
        scale. `transform` maps the landmarks of an image to it, linearly in between and
        from 0 to 0 below; above, the last slope goes on up to 255.

    An image of a single value, and with "nyul" one without foreground, stays as it is.

    Parameters
    ----------
    method : {"percentile", "zscore", "clahe", "nyul"}, default="percentile"
        See above.
    percentiles : (float, float), default=(1, 99)
        Of "percentile" and "nyul".
    z_limit : float, default=3.0
        Of "zscore": standard deviations from the mean that become 0 and 255.
    clip_limit : float, default=2.0
        Of "clahe": at least 1; 1 leaves nearly no gain in contrast.
    tiles : int, default=8
        Of "clahe": number of tiles along each side.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all processors.

    Attributes
    ----------
    standard_scale_ : ndarray of shape (11,)
        Standard landmarks, in grey values. Only with ``method="nyul"``.

    References
    ----------
    .. [1] K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics
       Gems IV, 1994; after S. M. Pizer et al., "Adaptive histogram equalization and its
       variations", Computer Vision, Graphics, and Image Processing 39, 1987.
    .. [2] L. G. Nyúl, J. K. Udupa and X. Zhang, "New variants of a method of MRI scale
       standardization", IEEE Transactions on Medical Imaging 19, 2000.
    .. [3] L. G. Nyúl and J. K. Udupa, "On standardizing the MR image intensity scale",
       Magnetic Resonance in Medicine 42, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing import IntensityNormalizer
    >>> dark = np.arange(100, dtype=np.uint8).reshape(10, 10)
    >>> images = IntensityNormalizer(percentiles=(0, 100)).fit_transform([dark])
    >>> int(images[0].min()), int(images[0].max())
    (0, 255)
    """

    def __init__(
        self,
        method="percentile",
        *,
        percentiles=(1, 99),
        z_limit=3.0,
        clip_limit=2.0,
        tiles=8,
        n_jobs=None,
    ):
        self.method = method
        self.percentiles = percentiles
        self.z_limit = z_limit
        self.clip_limit = clip_limit
        self.tiles = tiles
        self.n_jobs = n_jobs

    @property
    def _learns(self):
        return self.method == "nyul"

    def _check_params(self):
        check_choice("method", self.method, _METHODS)
        check_percentiles(self.percentiles)
        if not isinstance(self.z_limit, Real) or not self.z_limit > 0:
            raise ValueError(
                f"z_limit must be a positive number, got {self.z_limit!r}."
            )
        if not isinstance(self.clip_limit, Real) or not self.clip_limit >= 1:
            raise ValueError(
                f"clip_limit must be a number from 1, got {self.clip_limit!r}."
            )
        if not isinstance(self.tiles, Integral) or not self.tiles >= 1:
            raise ValueError(f"tiles must be a positive integer, got {self.tiles!r}.")

    def _fit_images(self, images):
        scale = _nyul.learn_scale(
            (_counts(image) for image in images), self.percentiles
        )
        self.standard_scale_ = scale

    def _makes_batch(self, given_batch):
        return given_batch

    def _input_size_needed(self, size):
        return size

    def _transform_image(self, image):
        if self.method == "clahe":
            return self._equalize(image)
        table = self._table(_counts(image))
        return image if table is None else table.take(image)

    def _table(self, counts):
        """What each of the 256 values becomes, or None if they stay."""
        if np.count_nonzero(counts) < 2:
            return None
        if self.method == "nyul":
            return _nyul.standardize(counts, self.percentiles, self.standard_scale_)
        if self.method == "percentile":
            low, high = percentiles_of(counts, self.percentiles)
        else:
            low, high = self._z_range(foreground(counts))
        return linear_to_uint8(LEVELS, low, high) if low < high else None

    def _z_range(self, counts):
        mean = np.average(LEVELS, weights=counts)
        spread = np.sqrt(np.average((LEVELS - mean) ** 2, weights=counts))
        return mean - self.z_limit * spread, mean + self.z_limit * spread

    def _equalize(self, image):
        grey = luminance(image)
        equalized = equalize(grey, int(self.tiles), float(self.clip_limit))
        if image.ndim == 2:
            return equalized
        # The same step in all channels leaves the chroma as it was.
        step = equalized.astype(np.int16) - grey
        return np.clip(image + step[:, :, np.newaxis], 0, 255).astype(np.uint8)

    def __sklearn_is_fitted__(self):
        return not self._learns or hasattr(self, "standard_scale_")


def _counts(image):
    return histogram(luminance(image))
