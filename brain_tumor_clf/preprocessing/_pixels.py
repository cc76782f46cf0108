"""Arithmetic on pixels: to 8 bits without wrapping, to gray or RGB."""

import numpy as np
from PIL import Image

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError


def scale_to_uint8(image, percentiles=(0.5, 99.5)):
    """Map an array of any real dtype linearly to 0..255.

    ``uint8`` is returned as it is and booleans become 0 and 255. Of every other dtype
    the lower percentile becomes 0, the upper 255, and what lies beyond is clipped.
    Where the percentiles coincide (a small bright object on black) the smallest and the
    largest value take their place; a constant image becomes 0.
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
    low, high = np.percentile(image, percentiles)
    if low >= high:
        low, high = image.min(), image.max()
    return linear_to_uint8(image, float(low), float(high))


def linear_to_uint8(values, low, high):
    """Map `low` to 0 and `high` to 255, linearly; clip what lies beyond."""
    if low >= high:
        return np.zeros(np.shape(values), dtype=np.uint8)
    # Halves keep the difference finite for the largest floats.
    span = high / 2 - low / 2
    values = np.clip(np.asarray(values, dtype=np.float64), low, high)
    return np.rint((values / 2 - low / 2) / span * 255).astype(np.uint8)


def luminance(image):
    """Return the gray values of a ``uint8`` image by ITU-R BT.601, as Pillow does."""
    if image.ndim == 2:
        return image
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).convert("L"))


def to_color_mode(image, color_mode):
    """Return a ``uint8`` array as ``(H, W)`` or, for "rgb", as ``(H, W, 3)``."""
    if color_mode == "rgb":
        return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
    return luminance(image)


def check_pixels(n_pixels, max_pixels):
    """Refuse an image that is too large, before it is decoded."""
    if n_pixels > max_pixels:
        raise UnreadableImageError(
            f"the image has {n_pixels:,} pixels, more than max_pixels={max_pixels:,}; "
            "if it is genuine, raise ImageReader(max_pixels=…)"
        )
