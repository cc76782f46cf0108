"""Color files of more than 8 bits a channel are read whole, or refused."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf.exceptions import ImageReadError
from brain_tumor_clf.preprocessing import ImageReader
from tests.preprocessing.images import encode, make_scan


def read(source, **params):
    return ImageReader(**params).fit_transform([source])[0]


def png(channels, color_type):
    """A PNG file of 16 bits; `channels` has shape (H, W, C)."""

    def chunk(name, data):
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    height, width = channels.shape[:2]
    rows = channels.astype(">u2").reshape(height, -1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.fixture(params=[16, 12, 10, 8])
def gray(request):
    """A scan in 16 bits, of which so many are used."""
    noisy = make_scan(64, 48).astype(float) + np.random.default_rng(0).random((64, 48))
    return (noisy / 256 * 2**request.param).astype(np.uint16)


def as_file(kind, gray):
    opaque = np.full_like(gray, 65535)
    if kind == "PNG RGB":
        return png(np.stack([gray] * 3, 2), 2)
    if kind == "PNG gray and alpha":
        return png(np.stack([gray, opaque], 2), 4)
    if kind == "PNG RGBA":
        return png(np.stack([gray, gray, gray, opaque], 2), 6)
    if kind == "PPM":
        body = np.stack([gray] * 3, 2).astype(">u2").tobytes()
        return f"P6 {gray.shape[1]} {gray.shape[0]} 65535\n".encode() + body
    tifffile = pytest.importorskip("tifffile")
    file = io.BytesIO()
    planes = "separate" if kind == "TIFF planes" else "contig"
    color = np.stack([gray] * 3, 0 if planes == "separate" else 2)
    tifffile.imwrite(file, color, photometric="rgb", planarconfig=planes)
    return file.getvalue()


KINDS = [
    "PNG RGB", "PNG gray and alpha", "PNG RGBA", "PPM", "TIFF", "TIFF planes"
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_gray_in_color_is_read_as_gray(kind, gray):
    pytest.importorskip("tifffile" if kind.startswith("TIFF") else "cv2")
    np.testing.assert_array_equal(read(as_file(kind, gray)), read(gray))


@pytest.mark.parametrize("color_mode", ["grayscale", "rgb"])
def test_colors_are_those_of_the_array(color_mode):
    pytest.importorskip("cv2")
    color = np.random.default_rng(0).integers(0, 4096, (20, 30, 3)).astype(np.uint16)
    image = read(png(color, 2), color_mode=color_mode)
    np.testing.assert_array_equal(image, read(color, color_mode=color_mode))


def test_transparent_pixels_are_laid_on_black():
    pytest.importorskip("cv2")
    gray = np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50
    alpha = np.where(np.arange(40) < 20, 0, 65535) * np.ones((30, 1))
    image = read(png(np.stack([gray, alpha.astype(np.uint16)], 2), 4))
    assert (image[:, :20] == 0).all()
    np.testing.assert_array_equal(image[:, 20:], read(gray)[:, 20:])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation):
    tifffile = pytest.importorskip("tifffile")
    gray = np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50
    file = io.BytesIO()
    tag = (274, "H", 1, orientation, True)
    tifffile.imwrite(file, np.stack([gray] * 3, 2), photometric="rgb", extratags=[tag])
    upright = encode(Image.fromarray(gray), "TIFF", tiffinfo={274: orientation})
    np.testing.assert_array_equal(read(file), read(upright))


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_reader_they_are_refused(kind, gray, monkeypatch):
    data = as_file(kind, gray)
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(ImageReadError, match=r"16 bits a channel.*deep-color"):
        read(data)


def test_cmyk_is_refused():
    tifffile = pytest.importorskip("tifffile")
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((9, 8, 4), np.uint16), photometric="separated")
    with pytest.raises(ImageReadError, match="16 bits a channel"):
        read(file)


@pytest.mark.parametrize("color_type", [2, 6])
def test_a_pil_image_that_is_not_loaded_yet_is_refused(color_type):
    channels = np.zeros((9, 8, 3 if color_type == 2 else 4))
    picture = Image.open(io.BytesIO(png(channels, color_type)))
    with pytest.raises(ImageReadError, match="pass the path or the bytes"):
        read(picture)


def test_gray_of_16_bits_needs_no_other_reader(gray, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setitem(sys.modules, "tifffile", None)
    for format in ("PNG", "TIFF"):
        np.testing.assert_array_equal(read(encode(gray, format)), read(gray))


def test_color_of_8_bits_needs_no_other_reader(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    scan = make_scan()
    color = np.stack([scan] * 3, 2)
    for format in ("PNG", "TIFF", "BMP", "PPM"):
        np.testing.assert_array_equal(read(encode(color, format)), scan)
