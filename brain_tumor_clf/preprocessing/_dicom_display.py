"""From the pixels of a gray DICOM file to what a viewer shows (PS3.4, N.2)."""

import numpy as np

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError
from brain_tumor_clf.preprocessing._pixels import (
    linear_to_uint8,
    map_in_blocks,
    scale_to_uint8,
)

# What an enhanced file may state for each frame.
_FRAME_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


def photometric(header):
    """Return the photometric interpretation as text."""
    return str(header.get("PhotometricInterpretation", ""))


def _use_frame_groups(header, frame):
    """Put the values of a frame of an enhanced file where those of others stand."""
    shared = header.get("SharedFunctionalGroupsSequence") or []
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    for groups in (*shared[:1], *per_frame[frame : frame + 1]):
        for name in _FRAME_GROUPS:
            for item in (groups.get(name) or [])[:1]:
                header.update(item)


def gray_pixels(header, pixels, frame, percentiles):
    """Apply the modality LUT, the VOI LUT or window, and the inversion."""
    _use_frame_groups(header, frame)
    padding = _padding(header, pixels)
    table, window = _lookup_table(header, "VOILUTSequence"), _window(header)
    if table is not None:
        low, high = float(table[1].min()), float(table[1].max())

        def display(some):
            return linear_to_uint8(_look_up(_rescale(header, some), table), low, high)

        gray = map_in_blocks(display, pixels)
    elif window is not None:
        gray = map_in_blocks(lambda some: window(_rescale(header, some)), pixels)
    else:
        gray = scale_to_uint8(_rescale(header, pixels), percentiles, ~padding)
    if photometric(header) == "MONOCHROME1":
        gray = 255 - gray
    seen = gray[~padding]
    if seen.min() == seen.max():  # else padding would give a blank image an outline
        return np.full_like(gray, seen[0])
    # Outside of what was scanned there is no value, whatever the display makes of it.
    return np.where(padding, np.uint8(0), gray)


def _padding(header, pixels):
    """Return where pixels only fill the frame; nowhere if that is all of them."""
    kind = {"float32": "Float", "float64": "DoubleFloat"}.get(pixels.dtype.name, "")
    value = _number(header, f"{kind}PixelPaddingValue")
    if value is None:
        return np.zeros(pixels.shape, dtype=bool)
    limit = _number(header, f"{kind}PixelPaddingRangeLimit")
    ends = [value, value if limit is None else limit]
    if pixels.dtype.kind == "i":  # some files state them without their sign
        ends = np.array(ends, dtype=np.int64).astype(pixels.dtype)
    padding = (pixels >= min(ends)) & (pixels <= max(ends))
    return padding if not padding.all() else np.zeros_like(padding)


def _rescale(header, values):
    """Apply the modality LUT, or the rescale slope and intercept."""
    from pydicom.pixels import apply_rescale

    table = _lookup_table(header, "ModalityLUTSequence")
    if table is not None:
        return _look_up(values, table)
    slope, intercept = (_number(header, f"Rescale{n}") for n in ("Slope", "Intercept"))
    if slope in (None, 1) and intercept in (None, 0):
        return values
    header.RescaleSlope = 1 if slope is None else slope
    header.RescaleIntercept = intercept or 0
    return apply_rescale(values, header)


def _window(header):
    """Return what maps values to 0..255 by the file's first window, or None."""
    import pydicom
    from pydicom.pixels import apply_windowing

    center, width = (_number(header, f"Window{name}") for name in ("Center", "Width"))
    function = str(header.get("VOILUTFunction") or "LINEAR").upper()
    if center is None or width is None or width <= 0:
        return None
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise UnreadableImageError(
            "an unknown VOI LUT function; known are LINEAR, LINEAR_EXACT and SIGMOID"
        )
    if function == "LINEAR":
        width = max(width, 1)  # the standard's least; pydicom refuses what is less
    window = pydicom.Dataset()
    window.PhotometricInterpretation, window.VOILUTFunction = "MONOCHROME2", function
    window.WindowCenter, window.WindowWidth = center, width
    window.BitsStored, window.PixelRepresentation = 16, 0

    def apply(values):
        with np.errstate(over="ignore"):
            return np.rint(apply_windowing(values, window) * (255 / 65535))

    return apply


def _number(header, name):
    """Return a finite number of the header, the first of several, or None."""
    value = header.get(name)
    if isinstance(value, (list, tuple)) or hasattr(value, "append"):
        value = value[0] if len(value) else None
    try:
        value = float(value)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def _lookup_table(header, name):
    """Return the first value and the entries of a table, None without one.

    pydicom's own functions read entries of 8 bits and of odd depths wrongly.
    """
    item = next(iter(header.get(name) or []), None)
    descriptor, data = (item or {}).get("LUTDescriptor"), (item or {}).get("LUTData")
    if not descriptor or not data:
        return None
    n_entries = descriptor[0] or 2**16
    if isinstance(data, bytes):
        data = np.frombuffer(data, "<u2" if len(data) >= 2 * n_entries else np.uint8)
    return descriptor[1], np.asarray(data)[:n_entries]


def _look_up(values, table):
    first, entries = table
    return entries[np.clip(values - float(first), 0, len(entries) - 1).astype(np.intp)]
