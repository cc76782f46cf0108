"""Resize images to one size."""

from numbers import Integral

import numpy as np
from PIL import Image
from sklearn.utils._param_validation import StrOptions

from brain_tumor_clf._validation import check_image_size
from brain_tumor_clf.preprocessing._base import N_JOBS, ImageTransformer, Placement

_FILTERS = {"nearest", "bilinear", "bicubic", "lanczos"}
# Pillow first shrinks by a whole factor, to no less than this times the target.
_REDUCING_GAP = 2.0


class ImageResizer(ImageTransformer):
    """Resize every image to one size and gather all in one array.

    Parameters
    ----------
    image_size : int or (int, int), default=(256, 256)
        Height and width of the results in pixels; an integer means a square.
    keep_aspect : bool, default=True
        Whether an image keeps its proportions and is centred on black, or is
        stretched to fill the frame.
    interpolation : {"bicubic", "bilinear", "lanczos", "nearest"}, default="bicubic"
        Filter. All but "nearest" average over what a result pixel covers, so that
        shrinking does not alias.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all processors.

    See Also
    --------
    ImageReader : Reads files, JPEG at no more than the size that is needed.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing import ImageResizer
    >>> scan = np.full((100, 200), 7, dtype=np.uint8)
    >>> small = ImageResizer(64).fit_transform([scan])
    >>> small.shape
    (1, 64, 64, 1)
    >>> small[0, [0, 32], 32, 0]
    array([0, 7], dtype=uint8)
    """

    _parameter_constraints = {
        "image_size": [Integral, "array-like"],
        "keep_aspect": ["boolean"],
        "interpolation": [StrOptions(_FILTERS)],
        "n_jobs": N_JOBS,
    }

    def __init__(
        self,
        image_size=(256, 256),
        *,
        keep_aspect=True,
        interpolation="bicubic",
        n_jobs=None,
    ):
        self.image_size = image_size
        self.keep_aspect = keep_aspect
        self.interpolation = interpolation
        self.n_jobs = n_jobs

    def _check_params(self):
        check_image_size(self.image_size)

    def _makes_batch(self, given_batch):
        return True

    def _input_size_needed(self, size):
        return check_image_size(self.image_size)

    def _transform_image(self, image):
        image_size = check_image_size(self.image_size)
        top, left, height, width = self._layout(image.shape, image_size)
        resized = self._resize(image, height, width)
        if (height, width) != image_size:
            frame = np.zeros((*image_size, *image.shape[2:]), dtype=np.uint8)
            frame[top : top + height, left : left + width] = resized
            resized = frame
        return resized if resized.ndim == 3 else resized[:, :, np.newaxis]

    def _place(self, image, result):
        frame_height, frame_width = result.shape[:2]
        top, left, height, width = self._layout(image.shape, result.shape[:2])
        y, x = image.shape[0] / height, image.shape[1] / width
        bottom, right = (frame_height - top) * y, (frame_width - left) * x
        return Placement(image.shape[:2], -top * y, -left * x, bottom, right)

    def _layout(self, shape, image_size):
        """Return where an image lies in the frame: top, left, height and width."""
        if not self.keep_aspect:
            return 0, 0, *image_size
        scale = min(image_size[0] / shape[0], image_size[1] / shape[1])
        height = min(max(round(shape[0] * scale), 1), image_size[0])
        width = min(max(round(shape[1] * scale), 1), image_size[1])
        top, left = (image_size[0] - height) // 2, (image_size[1] - width) // 2
        return top, left, height, width

    def _resize(self, image, height, width):
        if image.shape[:2] == (height, width):
            return image
        resample = Image.Resampling[self.interpolation.upper()]
        gap = None if self.interpolation == "nearest" else _REDUCING_GAP
        picture = Image.fromarray(np.ascontiguousarray(image))
        return np.asarray(picture.resize((width, height), resample, reducing_gap=gap))
