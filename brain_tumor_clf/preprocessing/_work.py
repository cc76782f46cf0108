"""Limits to what a small file may cost: sizes and work, before anything is decoded."""

import numpy as np

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError

_PLAUSIBLE_PIXELS = 2**22  # so many may come of a file of any size
_MAX_PIXELS_PER_BYTE = 1100  # deflate reaches 1,032, a blank JPEG about 100
_MAX_SCANS = 16  # encoders write 10
_MAX_SCANNED = 2**28  # pixels times scans

_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # JPEG, JPEG-LS
_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}  # without a length


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
