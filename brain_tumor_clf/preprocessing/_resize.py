"""Resize images to one size."""

import numpy as np
from PIL import Image

from brain_tumor_clf._validation import check_choice, check_image_size
from brain_tumor_clf.preprocessing._base import ImageTransformer

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# Pillow first shrinks by a whole factor, to no less than this times the target.
_REDUCING_GAP = 2.0


def letterbox(shape, image_size):
    """Where an image lies within a frame that it fills as far as its aspect allows.

    Parameters
    ----------
    shape : tuple
        Shape of the image; height and width come first.
    image_size : (int, int)
        Height and width of the frame.

    Returns
    -------
    top, left, height, width : int
        Position and size of the resized image within the frame.

    Examples
    --------
    >>> from brain_tumor_clf.preprocessing._resize import letterbox
    >>> letterbox((100, 200), (64, 64))
    (16, 0, 32, 64)
    """
    scale = min(image_size[0] / shape[0], image_size[1] / shape[1])
    height = min(max(round(shape[0] * scale), 1), image_size[0])
    width = min(max(round(shape[1] * scale), 1), image_size[1])
    return (image_size[0] - height) // 2, (image_size[1] - width) // 2, height, width


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
        check_choice("interpolation", self.interpolation, _FILTERS)

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

    def _transform_and_locate(self, image):
        image_size = check_image_size(self.image_size)
        top, left, height, width = self._layout(image.shape, image_size)
        y, x = image.shape[0] / height, image.shape[1] / width
        bottom, right = image_size[0] - top, image_size[1] - left
        return self._transform_image(image), (
            -top * y,
            -left * x,
            bottom * y,
            right * x,
        )

    def _layout(self, shape, image_size):
        return letterbox(shape, image_size) if self.keep_aspect else (0, 0, *image_size)

    def _resize(self, image, height, width):
        if image.shape[:2] == (height, width):
            return image
        resample = _FILTERS[self.interpolation]
        gap = None if self.interpolation == "nearest" else _REDUCING_GAP
        picture = Image.fromarray(np.ascontiguousarray(image))
        return np.asarray(picture.resize((width, height), resample, reducing_gap=gap))
