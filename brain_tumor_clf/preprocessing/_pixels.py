"""Pixels: to 8 bits without wrapping, to gray or RGB, and how many a file may state."""

import numpy as np
from PIL import Image

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError

_PLAUSIBLE_PIXELS = 2**22  # so many may come of a file of any size
_MAX_PIXELS_PER_BYTE = 1100  # deflate reaches 1,032, a blank JPEG about 100
_MAX_SCANS = 16  # encoders write 10
_MAX_SCANNED = 2**28  # pixels times scans

_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # JPEG, JPEG-LS
_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}  # without a length

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


def codestream_size(data):
    """Return the height and width that a JPEG, JPEG-LS or JPEG 2000 stream states.

    None if it states none.
    """
    start = data.find(b"\xff\x4f\xff\x51")  # within the boxes of a JP2 file, perhaps
    if start >= 0 and not data.startswith(b"\xff\xd8"):
        x1, y1, x0, y0 = np.frombuffer(data[start + 8 : start + 24], ">u4").tolist()
        return y1 - y0, x1 - x0
    position = 2 if data.startswith(b"\xff\xd8") else len(data)
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in _FRAME_MARKERS:
            height, width = data[position + 5 : position + 7], data[position + 7 :][:2]
            return int.from_bytes(height, "big"), int.from_bytes(width, "big")
        if marker == 0xFF:
            position += 1
        elif marker in _BARE_MARKERS:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None


def codestream_depth(data):
    """Return the most bits of a channel of a JPEG 2000 stream, 8 if it states none."""
    start = data.find(b"\xff\x4f\xff\x51")
    n_channels = int.from_bytes(data[start + 40 : start + 42], "big")
    depths = data[start + 42 : start + 42 + 3 * n_channels : 3] if start >= 0 else b""
    return max(((depth & 0x7F) + 1 for depth in depths), default=8)


def check_work(data, n_pixels):
    """Refuse compressed data that state more pixels, or scans, than a scan has."""
    if n_pixels > max(_PLAUSIBLE_PIXELS, _MAX_PIXELS_PER_BYTE * len(data)):
        raise UnreadableImageError(
            f"{len(data):,} bytes cannot hold the {n_pixels:,} pixels that they state"
        )
    if data.startswith(b"\xff\xd8"):
        n_scans = data.count(b"\xff\xda")
        if n_scans > _MAX_SCANS and n_scans * n_pixels > _MAX_SCANNED:
            raise UnreadableImageError(
                f"a JPEG of {n_scans} scans, which would take too long to decode"
            )
