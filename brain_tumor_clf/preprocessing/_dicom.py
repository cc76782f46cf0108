"""Read DICOM files with pydicom, in the order of the standard (PS3.4, N.2)."""

import contextlib
import re
import threading
import zlib

import numpy as np

from brain_tumor_clf.preprocessing._dicom_display import gray_pixels, photometric
from brain_tumor_clf.preprocessing._mapping import UnreadableImageError
from brain_tumor_clf.preprocessing._pixels import (
    check_pixels,
    check_work,
    codestream_size,
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
    "PixelPaddingRangeLimit", "FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit",
    "DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit",
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
            return _read(pydicom, file, options, force)
    except (UnreadableImageError, MemoryError):
        raise
    except Exception as error:
        # Its text may quote the header, and so the patient's name.
        raise UnreadableImageError(f"damaged: {type(error).__name__}") from None


def _read(pydicom, file, options, force):
    _check_inflated_size(file, options.max_pixels, force)
    header = pydicom.dcmread(file, force=force, specific_tags=_PIXEL_TAGS)
    _check_header(header, options)
    frame = _choose_frame(header, options.frame)
    pixels = _decode_pixels(header, frame, options)
    if header.get("SamplesPerPixel", 1) == 3 or "PALETTE" in photometric(header):
        image = _color_pixels(header, pixels, options)
    else:
        image = gray_pixels(header, pixels, frame, options.percentiles)
    return to_color_mode(image, options.color_mode)


def _check_inflated_size(file, max_pixels, force=False):
    """Refuse a deflated file that would fill the memory when it is inflated."""
    from pydicom.filereader import _read_file_meta_info, read_preamble
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    read_preamble(file, force)
    syntax = _read_file_meta_info(file).get("TransferSyntaxUID")
    if syntax == DeflatedExplicitVRLittleEndian:
        inflate, data = zlib.decompressobj(-zlib.MAX_WBITS), file.read()
        left = 2 * max_pixels + 2**20  # bytes: 16 bits a pixel, and a header
        while data and left > 0 and not inflate.eof:
            left -= len(inflate.decompress(data, 2**20))
            data = inflate.unconsumed_tail
        if left <= 0:
            raise UnreadableImageError(
                f"the file inflates to more than max_pixels={max_pixels:,} need"
            )
    file.seek(0)


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
    if not 0 <= frame < n_frames:
        raise UnreadableImageError(
            f"the file has {n_frames} frames, 0 to {n_frames - 1}; got frame={frame}"
        )
    return frame


def _decode_pixels(header, frame, options):
    from pydicom.pixels import pixel_array

    syntax = header.file_meta.get("TransferSyntaxUID")
    is_compressed = syntax is not None and syntax.is_compressed
    try:
        if is_compressed:
            _check_codestream(header, frame, options)
        return pixel_array(header, index=frame)
    except UnreadableImageError:
        raise
    except Exception as error:
        if not is_compressed or not isinstance(
            error, (RuntimeError, NotImplementedError)
        ):
            reason = f"damaged pixels ({type(error).__name__})"
            raise UnreadableImageError(reason) from None
        # The name of an unknown syntax is its text, which may be anything.
        name = "an unknown syntax" if syntax.name == str(syntax) else syntax.name
        raise UnreadableImageError(
            f"compressed as {name}, which no installed decoder could read: "
            f"{_INSTALL}, or the file is damaged"
        ) from None


def _check_codestream(header, frame, options):
    """Refuse compressed pixels that state another size, or cost too much to decode."""
    from pydicom.encaps import get_frame

    n_frames = int(header.get("NumberOfFrames") or 1)
    data = get_frame(header.PixelData, frame, number_of_frames=n_frames)
    size = codestream_size(data)
    if size is not None and size != (header.Rows, header.Columns):
        check_pixels(size[0] * size[1], options.max_pixels)
        raise UnreadableImageError(
            "damaged: the pixels are of another size than the header states"
        )
    check_work(data, header.Rows * header.Columns)


def _color_pixels(header, pixels, options):
    if "PALETTE" in photometric(header):
        from pydicom.pixels import apply_color_lut

        pixels = apply_color_lut(pixels, header)
        if pixels.dtype == np.uint16:  # palettes hold 16 bits, of which 8 are the color
            pixels = (pixels >> 8).astype(np.uint8)
    return scale_to_uint8(pixels[..., :3], options.percentiles)
