"""Decode JPEG, PNG, TIFF and similar files with Pillow."""

import io

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
from brain_tumor_clf.preprocessing._pixels import (
    array_to_image,
    check_pixels,
    check_work,
    codestream_depth,
    scale_to_uint8,
    to_color_mode,
)

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
_PLANES_TAG = 284  # TIFF: channel after channel, which OpenCV reads wrongly
_RGB_MODES = ("RGB", "RGBA", "LA", "L")
_MAX_FRAMES = 10_000  # directories of a TIFF before the one that is asked for
_MAX_DRAWN = 2**31  # pixels of frames of other files, each drawn on the one before
_INSTALL = "pip install 'brain-tumor-clf[deep-color]'"
MODES = {"grayscale": "L", "rgb": "RGB"}


def decode(file, options, least_size=None):
    """Decode an image file to ``uint8``.

    JPEG is decoded at 1/2, 1/4 or 1/8 of its size where neither side falls below
    `least_size` (height, width).
    """
    with Image.open(file, formats=_FORMATS) as image:
        n_pixels = image.width * image.height
        check_pixels(n_pixels, options.max_pixels)
        _seek_frame(image, options.frame)
        if image.format in (*_REDUCIBLE, "JPEG2000"):
            check_work(_content(file), n_pixels)
        if is_reduced(image):
            deep = _read_deep(_content(file), image, options.frame or 0)
            return array_to_image(_turn_upright(deep, image), options)
        if image.format in _REDUCIBLE:
            _draft(image, MODES[options.color_mode], least_size)
        image.load()
        return picture_to_array(image, options)


def _content(file):
    """Return all bytes of a file, which is left where it was."""
    position = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(position)
    return data


def _turn_upright(array, image):
    """Apply the EXIF orientation of an image to an array."""
    orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return array[:, ::-1] if orientation in (2, 3, 6, 7) else array


def full_size(file):
    """Return height and width, upright, of a file that `decode` may reduce, or None."""
    try:
        image = Image.open(file, formats=_FORMATS)
    except Image.UnidentifiedImageError:
        return None
    with image:
        if image.format not in _REDUCIBLE:
            return None
        return image.size if _is_transposed(image) else image.size[::-1]


def picture_to_array(picture, options):
    """Return a loaded PIL image of any mode as ``uint8`` in `options.color_mode`."""
    mode = MODES[options.color_mode]
    # Asked first: a transposed picture has lost its tags. Pillow inverts a TIFF that
    # stores white as 0 up to 8 bits only.
    is_inverted = getattr(picture, "tag_v2", {}).get(_PHOTOMETRIC_TAG) == 0
    stored_as = _stored_dtype(picture)
    if picture.getexif().get(_ORIENTATION_TAG, 1) != 1:
        picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")) or stored_as is not None:
        values = np.asarray(picture)
        values = values if stored_as is None else values.view(stored_as)
        gray = scale_to_uint8(values, options.percentiles)
        return to_color_mode(255 - gray if is_inverted else gray, options.color_mode)
    if picture.has_transparency_data:
        # Premultiplied colors are those of the image laid on black.
        premultiplied = picture.convert("RGBA").convert("RGBa")
        picture = Image.fromarray(np.asarray(premultiplied)[:, :, :3].copy())
    if picture.mode not in (mode, "L", "1"):
        picture = picture.convert("RGB")
    return np.asarray(picture if picture.mode == mode else picture.convert(mode))


def _seek_frame(image, frame):
    # Counting the frames of a TIFF reads all of its directories: only where it must be.
    if not getattr(image, "is_animated", False):
        return
    if frame is None:
        note(
            ImageReadWarning,
            "only the first frame of a file with several was read; "
            "ImageReader(frame=…) chooses another",
        )
        return
    n_drawn = frame * image.width * image.height
    if frame > _MAX_FRAMES or (image.format != "TIFF" and n_drawn > _MAX_DRAWN):
        raise UnreadableImageError(
            f"frame {frame:,} would take too long to find among the frames before it"
        )
    try:
        image.seek(frame)
    except EOFError as error:
        # Pillow miscounts the frames of a TIFF after this.
        raise UnreadableImageError(
            f"the file has no frame {frame}; the first one is frame 0"
        ) from error


def _draft(image, mode, least_size):
    """Have libjpeg skip the colors and the resolution that nobody needs."""
    if least_size is not None and not _is_transposed(image):
        least_size = least_size[::-1]  # to width and height
    image.draft(mode, least_size)


def _is_transposed(image):
    return image.getexif().get(_ORIENTATION_TAG, 1) >= _TRANSPOSED_FROM


def _stored_dtype(picture):
    """Return the dtype of a gray TIFF whose sign Pillow ignores, None for others."""
    tags = getattr(picture, "tag_v2", {})
    bits, form = tags.get(_BITS_TAG), tags.get(_SAMPLE_FORMAT_TAG, _UNSIGNED)
    if picture.mode == "I" and bits == (32,) and form == _UNSIGNED:
        return np.uint32
    if picture.mode == "L" and bits == (8,) and form == _SIGNED:
        return np.int8
    return None


def is_reduced(picture):
    """Return whether Pillow keeps fewer bits of a picture than its file holds.

    Of a picture that is loaded already only a TIFF still tells.
    """
    is_wide = picture.mode in ("I", "F")
    kept_bits = 32 if is_wide else 16 if picture.mode.startswith("I;16") else 8
    return _stored_bits(picture) > kept_bits


def _stored_bits(picture):
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(_BITS_TAG, (1,)))
    args = picture.tile[0].args if getattr(picture, "tile", None) else ""
    if picture.format == "PNG":
        return 16 if ";16" in str(args) else 8
    if picture.format == "PPM" and isinstance(args, tuple):
        return int(args[-1]).bit_length()
    if picture.format == "JPEG2000" and args:
        return codestream_depth(_content(picture.fp))
    return 8


def _read_deep(data, picture, frame=0):
    """Return the content of a file at its full depth, ``(H, W, 3 or 4)``.

    tifffile reads TIFF files, OpenCV the others and most TIFF files.
    """
    in_planes = getattr(picture, "tag_v2", {}).get(_PLANES_TAG) == 2
    if picture.mode in _RGB_MODES:
        array = _with_tifffile(data, frame) if picture.format == "TIFF" else None
        if array is None and frame == 0 and not in_planes:
            array = _with_opencv(data)
        # The size of a picture may be that of its upright view already.
        if array is not None and sorted(array.shape[:2]) == sorted(picture.size):
            return array
    raise UnreadableImageError(
        f"{_stored_bits(picture)} bits a channel in color, which would be cut to 8: "
        f"{_INSTALL}, or save it in gray or with 8 bits"
    )


def _with_tifffile(data, frame):
    try:
        import tifffile
    except ImportError:
        return None
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            page = tiff.pages[frame]
            array = page.asarray()
            return np.moveaxis(array, 0, -1) if page.axes[0] == "S" else array
    except Exception:  # a compression that needs imagecodecs, or damage
        return None


def _with_opencv(data):
    try:
        import cv2
    except ImportError:
        return None
    try:
        array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if array is None or array.ndim == 2:
        return array
    return array[..., [2, 1, 0, 3][: array.shape[2]]]  # from BGR
