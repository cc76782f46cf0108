"""Read images from paths, bytes, file objects, PIL images and arrays."""

import os
from numbers import Integral, Real

import numpy as np
from PIL import Image
from sklearn.utils._param_validation import Interval, StrOptions

from brain_tumor_clf._validation import check_image_size
from brain_tumor_clf.exceptions import BlankImageWarning
from brain_tumor_clf.preprocessing._base import N_JOBS, ImageTransformer, Placement
from brain_tumor_clf.preprocessing._decode import (
    MODES,
    decode,
    full_size,
    is_reduced,
    picture_to_array,
)
from brain_tumor_clf.preprocessing._dicom import read_dicom
from brain_tumor_clf.preprocessing._files import (
    HEAD_BYTES,
    SHARED_SOURCE_LOCK,
    describe_foreign,
    has_dicom_magic,
    open_source,
)
from brain_tumor_clf.preprocessing._mapping import UnreadableImageError, note
from brain_tumor_clf.preprocessing._pixels import array_to_image, check_pixels

_BLANK_RANGE = 2  # gray values apart: a JPEG of one gray value may hold three


class ImageReader(ImageTransformer):
    """Read images of every kind to ``uint8`` arrays.

    An entry of `X` is a path, the bytes of a file, a binary file object (read from its
    beginning and left where it was), a PIL image or an array ``(H, W)`` or ``(H, W,
    C)``. Files are JPEG, PNG, TIFF, BMP, WebP, GIF, JPEG 2000, PNM or DICOM, known by
    their content, not their name. Cameras' EXIF orientation is applied, palettes are
    resolved, transparent images are laid on black, CMYK becomes RGB.

    Images of more than 8 bits are scaled, never wrapped: by the window of a DICOM file
    that has one, otherwise from `percentiles` to 0..255; so is every array that is
    neither ``uint8`` nor boolean, whatever its values.

    Parameters
    ----------
    color_mode : {"grayscale", "rgb"}, default="grayscale"
        Whether the results have shape ``(H, W)`` (luminance, ITU-R BT.601) or
        ``(H, W, 3)``.
    image_size : int, (int, int), "auto" or None, default=None
        Height and width in pixels that suffice. A larger JPEG is then decoded at 1/2,
        1/4 or 1/8 of its size, much faster, with neither side below this size; nothing
        is enlarged, and other formats keep their size. A step that crops keeps only
        part of the image: give what the part needs, not the final size. "auto", within
        an `ImagePipeline`, asks the steps that follow what they need; alone, and with
        None, images are read at full size.
    frame : int or None, default=None
        Which frame of a file that holds several, from 0. None takes the first of an
        animated file or a TIFF, with a warning, and refuses a multi-frame DICOM file.
        Files of a single frame, and PIL images, are read as they are.
    percentiles : (float, float), default=(0.5, 99.5)
        Percentiles of an image of more than 8 bits that become 0 and 255.
    max_pixels : int, default=89_478_485
        Images of more pixels are refused before they are decoded, as they may be made
        to fill the memory. Pillow's own limit, twice this default, stays in force.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all processors.

    See Also
    --------
    ImagePipeline : Reads, crops, normalizes and resizes each image in one go.

    Notes
    -----
    DICOM needs ``pip install 'brain-tumor-clf[dicom]'``. Only images of modality MR are
    read; rescale slope and intercept, the first window (or its table) and MONOCHROME1
    are applied. Of the header only what describes the pixels is read, so that no error
    can name a patient.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> from PIL import Image
    >>> from brain_tumor_clf.preprocessing import ImageReader
    >>> file = io.BytesIO()
    >>> Image.linear_gradient("L").resize((40, 30)).save(file, format="PNG")
    >>> wide = np.array([[0, 30_000], [60_000, 60_000]], dtype=np.uint16)
    >>> images = ImageReader().fit_transform([file, wide])
    >>> images[0].shape, images[1].dtype
    ((30, 40), dtype('uint8'))
    """

    _parameter_constraints = {
        "color_mode": [StrOptions(set(MODES))],
        "image_size": [Integral, "array-like", StrOptions({"auto"}), None],
        "frame": [Interval(Integral, 0, None, closed="left"), None],
        "percentiles": ["array-like"],
        "max_pixels": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": N_JOBS,
    }

    def __init__(
        self,
        color_mode="grayscale",
        image_size=None,
        *,
        frame=None,
        percentiles=(0.5, 99.5),
        max_pixels=89_478_485,
        n_jobs=None,
    ):
        self.color_mode = color_mode
        self.image_size = image_size
        self.frame = frame
        self.percentiles = percentiles
        self.max_pixels = max_pixels
        self.n_jobs = n_jobs

    def _check_params(self):
        if self.image_size is not None and not self._is_auto():
            check_image_size(self.image_size)
        check_percentiles(self.percentiles)

    def _apply(self, source, size_needed=None):
        return self._transform_image(source, self._least_size(size_needed))

    def _apply_and_locate(self, source, size_needed=None):
        image = self._apply(source, size_needed)
        if self._least_size(size_needed) is None:
            return image, Placement.whole(image.shape)
        return image, Placement.whole(_full_shape(source, image))

    def _transform_image(self, source, least_size=None):
        return read_image(source, self, least_size)

    def _least_size(self, size_needed):
        size = size_needed if self._is_auto() else self.image_size
        return None if size is None else check_image_size(size)

    def _is_auto(self):
        return isinstance(self.image_size, str) and self.image_size == "auto"

    def _state(self, size_needed):
        name, params = super()._state(size_needed)
        return name, {**params, "image_size": self._least_size(size_needed)}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags


def check_percentiles(percentiles):
    """Raise unless `percentiles` are two rising numbers from 0 to 100."""
    valid = len(percentiles) == 2 and all(isinstance(p, Real) for p in percentiles)
    if not valid or not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise ValueError(
            "percentiles must be (low, high) with 0 <= low < high <= 100, "
            f"got {percentiles!r}."
        )


def read_image(source, options, least_size=None):
    """Read any source that `ImageReader` takes, or raise an UnreadableImageError.

    `options` is an `ImageReader`. A JPEG may be reduced while it is decoded, to no less
    than `least_size`.
    """
    try:
        image = _read(source, options, least_size)
    except UnreadableImageError:
        raise
    # Decoders raise whatever damaged bytes lead them to: struct.error, IndexError, …
    except Exception as error:
        raise UnreadableImageError(_describe_damage(error)) from error
    if int(image.max()) - int(image.min()) <= _BLANK_RANGE:
        note(BlankImageWarning, "the image is blank: it shows a single gray value")
    return image


def _read(source, options, least_size):
    if isinstance(source, np.ndarray):
        return _read_array(source, options)
    if isinstance(source, Image.Image):
        return _read_picture(source, options)
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""
    with open_source(source) as file:
        return _read_file(file, os.fsdecode(name), options, least_size)


def _read_file(file, name, options, least_size):
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if has_dicom_magic(head):
        return read_dicom(file, options)
    try:
        return decode(file, options, least_size)
    except Image.UnidentifiedImageError:
        if name.lower().endswith(".dcm") and head:
            file.seek(0)
            return read_dicom(file, options, force=True)
        raise UnreadableImageError(describe_foreign(head, name)) from None


def _full_shape(source, image):
    """Return the full shape of what was read as `image`, perhaps reduced."""
    if isinstance(source, (np.ndarray, Image.Image)):
        return image.shape
    with open_source(source) as file:
        return full_size(file) or image.shape


def _read_picture(picture, options):
    check_pixels(picture.width * picture.height, options.max_pixels)
    with SHARED_SOURCE_LOCK:
        if is_reduced(picture):
            raise UnreadableImageError(
                "a PIL image of a color file of more than 8 bits a channel, of which "
                "Pillow keeps 8; pass the path or the bytes of the file"
            )
        picture.load()
    return picture_to_array(picture, options)


def _read_array(array, options):
    if array.size == 0:
        raise UnreadableImageError(f"an empty array of shape {array.shape}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in (3, 4)):
        what = ": a volume, or channels that come first" if array.ndim == 3 else ""
        raise UnreadableImageError(
            f"an array of shape {array.shape}{what}; expected (H, W) or (H, W, C), "
            "one slice with 1, 3 or 4 channels"
        )
    check_pixels(array.shape[0] * array.shape[1], options.max_pixels)
    if array.ndim == 3 and array.shape[2] == 4 and array.dtype == np.uint8:
        return picture_to_array(Image.fromarray(np.ascontiguousarray(array)), options)
    return array_to_image(array, options)


def _describe_damage(error):
    """Say what was wrong without the decoder's words, which may quote the file."""
    if isinstance(
        error, (Image.DecompressionBombError, Image.DecompressionBombWarning)
    ):
        return f"too large, perhaps on purpose: {error}"
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if "truncated" in str(error):
        return "damaged: the file is truncated"
    return f"damaged: {type(error).__name__}"
