"""Arithmetic on pixels: to 8 bits without wrapping, to gray or RGB."""

import numpy as np
from PIL import Image

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError

_BLOCK = 2**20  # values that are mapped at a time, as floats take much memory


def scale_to_uint8(image, percentiles=(0.5, 99.5), where=None):
    """Map an array of any real dtype linearly to 0..255.

    ``uint8`` is returned as it is and booleans become 0 and 255. Of every other dtype
    the lower percentile becomes 0, the upper 255, and what lies beyond is clipped.
    Where the percentiles coincide (a small bright object on black) the smallest and the
    largest value take their place; a constant image becomes 0. All of them are of the
    pixels in the mask `where`.
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype == bool:
        return image.astype(np.uint8) * np.uint8(255)
    if image.dtype.kind not in "iuf":
        raise UnreadableImageError(
            f"an image of dtype {image.dtype}; expected real numbers or booleans"
        )
    if not np.isfinite(image).all():
        raise UnreadableImageError("the image contains NaN or infinity")
    values = image if where is None else image[where]
    low, high = np.percentile(values, percentiles)
    if low >= high:
        low, high = values.min(), values.max()
    return linear_to_uint8(image, float(low), float(high))


def linear_to_uint8(values, low, high):
    """Map `low` to 0 and `high` to 255, linearly; clip what lies beyond."""
    if low >= high:
        return np.zeros(np.shape(values), dtype=np.uint8)
    # Halves keep the difference finite for the largest floats.
    span = high / 2 - low / 2

    def map_some(some):
        some = np.clip(np.asarray(some, dtype=np.float64), low, high)
        return np.rint((some / 2 - low / 2) / span * 255)

    return map_in_blocks(map_some, np.asarray(values))


def map_in_blocks(function, values):
    """Apply a function from values to 0..255 to some values at a time."""
    flat, result = values.reshape(-1), np.empty(values.size, dtype=np.uint8)
    for start in range(0, values.size, _BLOCK):
        result[start : start + _BLOCK] = function(flat[start : start + _BLOCK])
    return result.reshape(values.shape)


def luminance(image):
    """Return the gray values of a ``uint8`` image by ITU-R BT.601, as Pillow does."""
    if image.ndim == 2:
        return image
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).convert("L"))


def array_to_image(array, options):
    """Return an array ``(H, W)`` or ``(H, W, 3 or 4)`` of any depth as ``uint8``.

    A transparent image is laid on black.
    """
    color, alpha = array[..., :3] if array.ndim == 3 else array, None
    if array.ndim == 3 and array.shape[2] == 4:
        top = np.iinfo(array.dtype).max if array.dtype.kind in "iu" else 1
        alpha = array[..., 3] / max(top, array[..., 3].max())
    is_deep = color.ndim == 3 and color.dtype.kind in "iuf" and color.dtype != np.uint8
    if options.color_mode == "grayscale" and is_deep:
        # At full depth, with weights that leave three equal channels what they are.
        color = color @ np.array([299.0, 587.0, 114.0]) / 1000
    image = scale_to_uint8(color, options.percentiles)
    if alpha is not None:
        alpha = alpha if image.ndim == 2 else alpha[..., np.newaxis]
        image = np.rint(image * alpha).astype(np.uint8)
    return to_color_mode(image, options.color_mode)


def to_color_mode(image, color_mode):
    """Return a ``uint8`` array as ``(H, W)`` or, for "rgb", as ``(H, W, 3)``."""
    if color_mode == "rgb":
        return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
    return luminance(image)


def check_uint8_image(image, user):
    """Return a ``uint8`` image as ``(H, W)`` or ``(H, W, 3)``; `user` is in errors."""
    advice = (
        f"{user} takes uint8 arrays (H, W) or (H, W, 3); put an ImageReader before it."
    )
    if not isinstance(image, np.ndarray):
        raise TypeError(f"Got an image as {type(image).__name__}. {advice}")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    is_image = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not is_image or image.size == 0:
        raise ValueError(
            f"Got an image of shape {image.shape} and dtype {image.dtype}. {advice}"
        )
    return image


def check_pixels(n_pixels, max_pixels):
    """Refuse an image that is too large, before it is decoded."""
    if n_pixels > max_pixels:
        raise UnreadableImageError(
            f"the image has {n_pixels:,} pixels, more than "
            f"max_pixels={max_pixels:,}; if it is genuine, raise "
            "ImageReader(max_pixels=…)"
        )
