"""Color images of more than 8 bits a channel, of which Pillow keeps 8.

tifffile reads TIFF files whole, OpenCV the others and most TIFF files.
"""

import io

import numpy as np

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError
from brain_tumor_clf.preprocessing._work import codestream_depth

_BITS_TAG, _PLANES_TAG = 258, 284  # TIFF
_RGB_MODES = ("RGB", "RGBA", "LA", "L")
_INSTALL = "pip install 'brain-tumor-clf[deep-color]'"


def is_reduced(picture):
    """Return whether Pillow keeps fewer bits of a picture than its file holds.

    Of a picture that is loaded already only a TIFF still tells.
    """
    return _stored_bits(picture) > _kept_bits(picture.mode)


def _kept_bits(mode):
    return 16 if mode.startswith("I;16") else 32 if mode in ("I", "F") else 8


def _stored_bits(picture):
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(_BITS_TAG, (1,)))
    args = picture.tile[0].args if getattr(picture, "tile", None) else ""
    if picture.format == "PNG":
        return 16 if ";16" in str(args) else 8
    if picture.format == "PPM" and isinstance(args, tuple):
        return int(args[-1]).bit_length()
    if picture.format == "JPEG2000" and args:
        position = picture.fp.tell()
        picture.fp.seek(0)
        depth = codestream_depth(picture.fp.read())
        picture.fp.seek(position)
        return depth
    return 8


def read_deep(data, picture, frame=0):
    """Return the content of a file at its full depth, ``(H, W, 3 or 4)``."""
    if picture.mode in _RGB_MODES:
        array = _with_tifffile(data, frame) if picture.format == "TIFF" else None
        if array is None and frame == 0 and not _is_in_planes(picture):
            array = _with_opencv(data)
        # The size of a picture may be that of its upright view already.
        if array is not None and sorted(array.shape[:2]) == sorted(picture.size):
            return array
    raise UnreadableImageError(
        f"{_stored_bits(picture)} bits a channel in color, which would be cut to 8: "
        f"{_INSTALL}, or save it in gray or with 8 bits"
    )


def _is_in_planes(picture):
    """Return whether a TIFF holds channel after channel, which OpenCV reads wrongly."""
    return getattr(picture, "tag_v2", {}).get(_PLANES_TAG, 1) == 2


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
