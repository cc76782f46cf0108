"""Read DICOM files through pydicom."""

import contextlib
import re
import threading

import numpy as np

from brain_tumor_clf.preprocessing._decode import check_frame
from brain_tumor_clf.preprocessing._mapping import UnreadableImageError
from brain_tumor_clf.preprocessing._pixels import (
    check_pixels,
    linear_to_uint8,
    scale_to_uint8,
    to_color_mode,
)

_INSTALL = "pip install 'brain-tumor-clf[dicom]'"
_MR_CLASS = "1.2.840.10008.5.1.4.1.1.4"  # and, after a dot, its enhanced kinds
# Only these elements are parsed: what is never read can never be shown.
_PIXEL_TAGS = [
    "SOPClassUID", "Modality", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence",
    "RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "FloatPixelData", "DoubleFloatPixelData", "PixelData",
]  # fmt: skip

_MODALITY = re.compile("[A-Z]{2,10}")
_SETTINGS_LOCK = threading.Lock()
_n_reading, _mode_before = 0, None  # how many threads read, and pydicom's own setting


def read_dicom(file, options, force=False):
    """Read one image of a DICOM file; `force` tries one without the preamble."""
    pydicom = _import_pydicom()
    try:
        with _unchecked_values(pydicom.config):
            return _read(pydicom.dcmread, file, options, force)
    except (UnreadableImageError, MemoryError):
        raise
    except Exception as error:
        # Its text may quote the header, and so the patient's name.
        raise UnreadableImageError(f"damaged: {type(error).__name__}") from None


def _read(dcmread, file, options, force):
    header = dcmread(file, force=force, specific_tags=_PIXEL_TAGS)
    _check_header(header, options)
    frame = _choose_frame(header, options.frame)
    pixels = _decode_pixels(header, frame)
    if header.get("SamplesPerPixel", 1) == 3 or "PALETTE" in _photometric(header):
        return to_color_mode(_color_pixels(header, pixels, options), options.color_mode)
    grey = _grey_pixels(header, pixels, frame, options)
    return to_color_mode(grey, options.color_mode)


def _import_pydicom():
    try:
        import pydicom
        import pydicom.pixels
    except ImportError:
        raise UnreadableImageError(f"reading DICOM needs pydicom: {_INSTALL}") from None
    return pydicom


@contextlib.contextmanager
def _unchecked_values(config):
    """Have pydicom warn of no odd value: it quotes it, a patient's name perhaps.

    The setting is global; the last of our threads puts it back.
    """
    global _n_reading, _mode_before
    with _SETTINGS_LOCK:
        if _n_reading == 0:
            _mode_before = config.settings.reading_validation_mode
            config.settings.reading_validation_mode = config.IGNORE
        _n_reading += 1
    try:
        yield
    finally:
        with _SETTINGS_LOCK:
            _n_reading -= 1
            if _n_reading == 0:
                config.settings.reading_validation_mode = _mode_before


def _check_header(header, options):
    if not {"PixelData", "FloatPixelData", "DoubleFloatPixelData"} & set(header.dir()):
        raise UnreadableImageError(
            "a DICOM file without pixels, or not a DICOM file at all"
        )
    modality = str(header.get("Modality") or "")
    is_mr_class = f"{header.get('SOPClassUID', '')}.".startswith(f"{_MR_CLASS}.")
    if modality != "MR" and not (not modality and is_mr_class):
        stated = f"of modality {modality}" if modality else "that states no modality"
        if modality and not _MODALITY.fullmatch(modality):
            stated = "of an unknown modality"  # damaged, it may hold anything
        raise UnreadableImageError(
            f"a DICOM file {stated}; only MR is read. If it shows a brain MRI all the "
            "same, export it as PNG"
        )
    if not header.get("Rows") or not header.get("Columns"):
        raise UnreadableImageError("damaged: the DICOM header states no image size")
    check_pixels(header.Rows * header.Columns, options.max_pixels)


def _choose_frame(header, frame):
    n_frames = int(header.get("NumberOfFrames") or 1)
    if n_frames == 1:
        return 0
    if frame is None:
        raise UnreadableImageError(
            f"a DICOM file of {n_frames} frames; choose one with ImageReader(frame=…), "
            f"0 to {n_frames - 1}"
        )
    check_frame(frame, n_frames)
    return frame


def _decode_pixels(header, frame):
    from pydicom.pixels import pixel_array

    syntax = header.file_meta.get("TransferSyntaxUID")
    try:
        return pixel_array(header, index=frame)
    except (RuntimeError, NotImplementedError) as error:
        if syntax is None or not syntax.is_compressed:
            raise UnreadableImageError(_damaged_pixels(error)) from None
        # The name of an unknown syntax is its text, which may be anything.
        name = "an unknown syntax" if syntax.name == str(syntax) else syntax.name
        raise UnreadableImageError(
            f"compressed as {name}, which no installed decoder could read: "
            f"{_INSTALL}, or the file is damaged"
        ) from None
    except Exception as error:
        raise UnreadableImageError(_damaged_pixels(error)) from None


def _damaged_pixels(error):
    return f"damaged pixels ({type(error).__name__})"


def _photometric(header):
    return str(header.get("PhotometricInterpretation", ""))


def _color_pixels(header, pixels, options):
    if "PALETTE" in _photometric(header):
        from pydicom.pixels import apply_color_lut

        pixels = apply_color_lut(pixels, header)
        if (
            pixels.dtype == np.uint16
        ):  # palettes hold 16 bits, of which 8 are the colour
            pixels = (pixels >> 8).astype(np.uint8)
    return scale_to_uint8(pixels[..., :3], options.percentiles)


def _grey_pixels(header, pixels, frame, options):
    from pydicom.pixels import apply_modality_lut, apply_voi

    values = _without_padding(header, pixels)
    if "ModalityLUTSequence" in header:
        values = apply_modality_lut(values, header)
    else:
        slope = _frame_value(header, frame, "PixelValueTransformation", "RescaleSlope")
        shift = _frame_value(
            header, frame, "PixelValueTransformation", "RescaleIntercept"
        )
        if slope not in (None, 1) or shift not in (None, 0):
            slope, shift = (1 if slope is None else slope), shift or 0
            values = values * float(slope) + float(shift)
    center = _frame_value(header, frame, "FrameVOILUT", "WindowCenter")
    width = _frame_value(header, frame, "FrameVOILUT", "WindowWidth")
    # A number may be "nan", which is no more of a window than none.
    if None not in (center, width) and np.isfinite(center) and 0 < width < np.inf:
        function = _frame_value(header, frame, "FrameVOILUT", "VOILUTFunction")
        grey = apply_window(values, float(center), float(width), function or "LINEAR")
    elif "VOILUTSequence" in header:
        table = apply_voi(values, header)
        grey = linear_to_uint8(table, float(table.min()), float(table.max()))
    else:
        grey = scale_to_uint8(values, options.percentiles)
    return 255 - grey if _photometric(header) == "MONOCHROME1" else grey


def _without_padding(header, pixels):
    """Give pixels outside what was scanned, which mean nothing, the least value."""
    padding = header.get("PixelPaddingValue")
    if padding is None:
        return pixels
    outside = pixels == padding
    if outside.all() or not outside.any():
        return pixels
    return np.where(outside, pixels[~outside].min(), pixels)


def _frame_value(header, frame, group, name):
    """Return a value of the frame's header, else of all frames, else of the file."""
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    shared = header.get("SharedFunctionalGroupsSequence") or []
    groups = [*per_frame[frame : frame + 1], *shared[:1]]
    for item in groups:
        for transform in item.get(f"{group}Sequence") or []:
            if name in transform:
                return _first(transform.get(name))
    return _first(header.get(name))


def _first(value):
    """Return the first of several windows, as viewers show it."""
    if value is None or isinstance(value, str):
        return value
    try:
        values = list(value)
    except TypeError:
        return value
    return values[0] if values else None


def apply_window(values, center, width, function="LINEAR"):
    """Map values to 0..255 by a DICOM window (PS3.3, C.11.2.1.2 and C.11.2.1.3).

    Parameters
    ----------
    values : ndarray
    center, width : float
        Of the window, in units of `values`.
    function : {"LINEAR", "LINEAR_EXACT", "SIGMOID"}, default="LINEAR"
        DICOM's VOI LUT function.

    Returns
    -------
    ndarray of dtype uint8

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing._dicom import apply_window
    >>> apply_window(np.array([-5, 0, 50, 100, 900]), center=50, width=100,
    ...              function="LINEAR_EXACT")
    array([  0,   0, 128, 255, 255], dtype=uint8)
    """
    if function == "SIGMOID":
        exponent = np.clip(-4 * (values - center) / width, -50, 50)
        return np.rint(255 / (1 + np.exp(exponent))).astype(np.uint8)
    if function == "LINEAR_EXACT":
        return linear_to_uint8(values, center - width / 2, center + width / 2)
    if function != "LINEAR":
        raise UnreadableImageError(
            "an unknown VOI LUT function; known are LINEAR, LINEAR_EXACT and SIGMOID"
        )
    if width <= 1:  # a step
        return np.where(values > center - 0.5, 255, 0).astype(np.uint8)
    return linear_to_uint8(
        values, center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
    )
