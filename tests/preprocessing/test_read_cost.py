"""Files that would cost far more than they weigh are refused before decoding."""

import io
import json
import struct
import subprocess
import sys
import textwrap
import time
import zlib

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from brain_tumor_clf.exceptions import ImageReadError
from brain_tumor_clf.preprocessing import ImageReader
from tests.preprocessing.images import encode, make_dicom, make_scan

LARGE = 9400  # squared, just below the default of max_pixels


def jpeg_header(height, width, marker=0xC0):
    size = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff" + bytes([marker]) + struct.pack(">H", 2 + len(size)) + size


def jpeg2000(height, width):
    """A blank image of a size in a few hundred bytes, by stating it in the header."""
    data = bytearray(encode(np.zeros((64, 64), np.uint8), "JPEG2000", no_jp2=True))
    start = data.index(b"\xff\x51") + 6
    data[start : start + 8] = struct.pack(">II", width, height)
    data[start + 16 : start + 24] = struct.pack(">II", width, height)  # one tile
    return bytes(data)


def compressed_dicom(codestream, syntax, height, width):
    dataset = pydicom.dcmread(io.BytesIO(make_dicom(make_scan())))
    dataset.Rows, dataset.Columns = height, width
    dataset.PixelData = encapsulate([codestream])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def deflated_dicom(n_bytes):
    data = make_dicom(make_scan())
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    end = file.getvalue().index(b"1.2.840.10008.1.2.1.99")
    meta_length = struct.unpack("<I", file.getvalue()[140:144])[0]
    assert end < 144 + meta_length
    squeeze = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts = [squeeze.compress(bytes(2**20)) for _ in range(n_bytes // 2**20)]
    return file.getvalue()[: 144 + meta_length] + b"".join(parts) + squeeze.flush()


def many_scans(side, n_scans):
    """A progressive JPEG whose last scan is repeated."""
    data = encode(np.eye(side, dtype=np.uint8) * 99, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * n_scans + b"\xff\xd9"


def many_directories(n_directories):
    """A TIFF file of many directories that share one image."""
    file = io.BytesIO()
    frame = Image.fromarray(make_scan())
    frame.save(file, "TIFF")
    data = file.getvalue()
    start = struct.unpack("<I", data[4:8])[0]
    n_tags = struct.unpack("<H", data[start : start + 2])[0]
    directory = data[start : start + 2 + 12 * n_tags]
    place, parts = len(data), []
    for _ in range(n_directories):
        place += len(directory) + 4
        parts.append(directory + struct.pack("<I", place))
    head = data[:4] + struct.pack("<I", len(data)) + data[8:]
    return head + b"".join(parts)[:-4] + bytes(4)


COSTLY = {
    "JPEG in DICOM": lambda: compressed_dicom(
        jpeg_header(LARGE, LARGE) + bytes(2000), JPEGBaseline8Bit, LARGE, LARGE
    ),
    "lossless JPEG in DICOM": lambda: compressed_dicom(
        jpeg_header(LARGE, LARGE, 0xC3) + bytes(2000), JPEGLosslessSV1, LARGE, LARGE
    ),
    "JPEG-LS in DICOM": lambda: compressed_dicom(
        jpeg_header(LARGE, LARGE, 0xF7) + bytes(2000), JPEGLSLossless, LARGE, LARGE
    ),
    "JPEG 2000 in DICOM": lambda: compressed_dicom(
        jpeg2000(LARGE, LARGE), JPEG2000Lossless, LARGE, LARGE
    ),
    "another size in JPEG 2000": lambda: compressed_dicom(
        jpeg2000(LARGE, LARGE), JPEG2000Lossless, 96, 80
    ),
    "another size in JPEG": lambda: compressed_dicom(
        jpeg_header(60_000, 60_000) + bytes(2000), JPEGBaseline8Bit, 96, 80
    ),
    "deflated DICOM": lambda: deflated_dicom(2**29),
    "JPEG 2000": lambda: jpeg2000(LARGE, LARGE),
    "JPEG of many scans": lambda: many_scans(2000, 2000),
}


@pytest.fixture(scope="module")
def costs(tmp_path_factory):
    """Reason, seconds and gigabytes of memory of each costly file."""
    folder = tmp_path_factory.mktemp("costly")
    for name, make in COSTLY.items():
        (folder / name).write_bytes(make())
    (folder / "TIFF").write_bytes(many_directories(300_000))
    code = """
        import json, re, sys, time, warnings
        from pathlib import Path
        import pydicom, pydicom.pixels
        from brain_tumor_clf.preprocessing import ImageReader
        warnings.simplefilter("ignore")
        found = {}
        for path in sorted(Path(sys.argv[1]).iterdir()):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
            start, reason = time.perf_counter(), ""
            try:
                ImageReader().transform([path])
            except ValueError as error:
                reason = error.failures[0].reason
            seconds = time.perf_counter() - start
            status = Path("/proc/self/status").read_text()
            memory = int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1]) / 2**20
            found[path.name] = [reason, seconds, memory]
        print(json.dumps(found))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", COSTLY)
def test_costly_files_are_refused_at_once(name, costs):
    reason, seconds, gigabytes = costs[name]
    assert reason
    assert seconds < 5
    assert gigabytes < 0.6


def test_directories_that_nobody_asked_for_are_not_read(costs):
    reason, seconds, _ = costs["TIFF"]
    assert not reason
    assert seconds < 5


def many_frames(n_frames):
    """A large GIF image, on which frames of one pixel are drawn."""
    one = bytes.fromhex("21f90404010000002c0000000001000100000202440100")
    pixels = np.zeros((4000, 4000), np.uint8)
    pixels[:2000] = 99
    large = encode(pixels, "GIF")
    return large[:-1] + one * n_frames + large[-1:]


@pytest.mark.parametrize(
    ("data", "frame"), [(many_directories(20_000), 10_001), (many_frames(300), 200)]
)
def test_frames_far_away_are_refused_at_once(data, frame):
    start = time.perf_counter()
    with pytest.raises(ImageReadError, match="too long to find"):
        ImageReader(frame=frame).transform([data])
    assert time.perf_counter() - start < 2
    assert ImageReader(frame=5).transform([data])[0].ndim == 2


def test_blank_images_of_a_common_size_are_read():
    blank = np.zeros((2048, 2048), np.uint8)
    blank[0, 0] = 99
    data = encode(blank, "JPEG2000", no_jp2=True)
    assert ImageReader().transform([data])[0].shape == blank.shape
    data = compressed_dicom(data, JPEG2000Lossless, 2048, 2048)
    assert ImageReader().transform([data])[0].shape == blank.shape


def test_common_progressive_files_are_read():
    scan = make_scan(1500, 1500, noise=20)
    data = encode(scan, "JPEG", progressive=True)
    assert ImageReader().transform([data])[0].shape == scan.shape


@pytest.mark.parametrize("seed", range(5))
def test_messages_never_quote_the_file(seed):
    rng = np.random.default_rng(seed)
    for format in ("PNG", "TIFF", "JPEG", "BMP", "GIF"):
        data = bytearray(encode(make_scan(40, 30), format))
        for _ in range(20):
            damaged = bytearray(data)
            place = rng.integers(8, len(data) - 8)
            damaged[place : place + 6] = b"SECRET"
            told = ""
            try:
                ImageReader().transform([bytes(damaged)])
            except (ImageReadError, UserWarning) as error:
                told = str(error).upper()
            assert "SECR" not in told
