"""Decode JPEG, PNG, TIFF and the like through Pillow."""

import numpy as np
from PIL import (
    Image,
    ImageOps,
    Jpeg2KImagePlugin,
    MpoImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from brain_tumor_clf.exceptions import ImageReadWarning
from brain_tumor_clf.preprocessing._mapping import UnreadableImageError, note
from brain_tumor_clf.preprocessing._scaling import scale_to_uint8

# A closed list: Pillow would hand EPS to Ghostscript, which runs programs.
_FORMATS = (
    "JPEG", "PNG", "TIFF", "BMP", "DIB", "WEBP", "GIF", "JPEG2000", "PPM",
)  # fmt: skip
# Importing a plugin registers its format; Pillow itself imports all or only a few.
_PLUGINS = (Jpeg2KImagePlugin, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
_REDUCIBLE = ("JPEG", "MPO")
_ORIENTATION_TAG = 0x0112
_TRANSPOSED_FROM = 5  # EXIF orientations 5 to 8 swap height and width
_BITS_TAG, _PHOTOMETRIC_TAG, _SAMPLE_FORMAT_TAG = 258, 262, 339  # TIFF
DECODING_TAGS = (_BITS_TAG, _PHOTOMETRIC_TAG, _SAMPLE_FORMAT_TAG)
_UNSIGNED, _SIGNED = (1,), (2,)  # values of the sample format; the first if it lacks
MODES = {"grayscale": "L", "rgb": "RGB"}


def decode(file, options, least_size=None):
    """Decode an image file.

    Parameters
    ----------
    file : binary file object
    options : ReadOptions
    least_size : (int, int) or None, default=None
        Height and width that suffice; JPEG is decoded at 1/2, 1/4 or 1/8 of its size
        where no side falls below.

    Returns
    -------
    ndarray of dtype uint8, shape (H, W) or (H, W, 3)
    """
    with Image.open(file, formats=_FORMATS) as image:
        check_pixels(image.width * image.height, options.max_pixels)
        _seek_frame(image, options.frame)
        if image.format in _REDUCIBLE:
            _draft(image, MODES[options.color_mode], least_size)
        image.load()
        return picture_to_array(image, options)


def full_size(file):
    """Height and width, upright, of an image file that `decode` may reduce, else None.

    Parameters
    ----------
    file : binary file object

    Returns
    -------
    (int, int) or None
    """
    try:
        image = Image.open(file, formats=_FORMATS)
    except Image.UnidentifiedImageError:
        return None
    with image:
        if image.format not in _REDUCIBLE:
            return None
        return image.size if _is_transposed(image) else image.size[::-1]


def check_pixels(n_pixels, max_pixels):
    """Refuse an image that is too large, before it is decoded."""
    if n_pixels > max_pixels:
        raise UnreadableImageError(
            f"the image has {n_pixels:,} pixels, more than max_pixels={max_pixels:,}; "
            "if it is genuine, raise ImageReader(max_pixels=…)"
        )


def picture_to_array(picture, options):
    """A loaded PIL image, of any mode, as ``uint8`` in the colour mode asked for."""
    mode = MODES[options.color_mode]
    # Asked first: a transposed picture has lost its tags.
    is_inverted, stored_as = _is_white_zero(picture), _stored_dtype(picture)
    if picture.getexif().get(_ORIENTATION_TAG, 1) != 1:
        picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")) or stored_as is not None:
        values = np.asarray(picture)
        values = values if stored_as is None else values.view(stored_as)
        grey = scale_to_uint8(values, options.percentiles)
        grey = 255 - grey if is_inverted else grey
        return to_color_mode(grey, options.color_mode)
    if picture.has_transparency_data:
        # Premultiplied colours are those of the image laid on black.
        premultiplied = picture.convert("RGBA").convert("RGBa")
        picture = Image.fromarray(np.asarray(premultiplied)[:, :, :3].copy())
    if picture.mode not in (mode, "L", "1"):
        picture = picture.convert("RGB")
    return np.asarray(picture if picture.mode == mode else picture.convert(mode))


def to_color_mode(image, color_mode):
    """A ``uint8`` array ``(H, W)`` or ``(H, W, 3)`` in the colour mode asked for."""
    if color_mode == "rgb":
        return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
    return luminance(image)


def luminance(image):
    """Grey values of a ``uint8`` image: ITU-R BT.601, as Pillow has it."""
    if image.ndim == 2:
        return image
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).convert("L"))


def _seek_frame(image, frame):
    n_frames = getattr(image, "n_frames", 1)
    if n_frames == 1:
        return
    if frame is None:
        note(
            ImageReadWarning,
            "only the first frame of a file with several was read; "
            "ImageReader(frame=…) chooses another",
        )
        return
    check_frame(frame, n_frames)
    image.seek(frame)


def check_frame(frame, n_frames):
    """Refuse a frame that a file with several does not have."""
    if not 0 <= frame < n_frames:
        raise UnreadableImageError(
            f"the file has {n_frames} frames, 0 to {n_frames - 1}; got frame={frame}"
        )


def _draft(image, mode, least_size):
    """Have libjpeg skip the colours and the resolution that nobody needs."""
    if least_size is None:
        image.draft(mode, None)
        return
    height, width = least_size
    if _is_transposed(image):
        height, width = width, height
    image.draft(mode, (width, height))


def _is_transposed(image):
    return image.getexif().get(_ORIENTATION_TAG, 1) >= _TRANSPOSED_FROM


def _is_white_zero(picture):
    """Whether a TIFF stores white as 0; Pillow minds that up to 8 bits only."""
    tags = getattr(picture, "tag_v2", None)
    return tags is not None and tags.get(_PHOTOMETRIC_TAG) == 0


def _stored_dtype(picture):
    """The dtype of a grey TIFF whose sign Pillow ignores, None for all others."""
    tags = getattr(picture, "tag_v2", {})
    bits, form = tags.get(_BITS_TAG), tags.get(_SAMPLE_FORMAT_TAG, _UNSIGNED)
    if picture.mode == "I" and bits == (32,) and form == _UNSIGNED:
        return np.uint32
    if picture.mode == "L" and bits == (8,) and form == _SIGNED:
        return np.int8
    return None
