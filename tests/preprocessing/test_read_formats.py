import io
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brain_tumor_clf.exceptions import BlankImageWarning, ImageReadWarning
from brain_tumor_clf.preprocessing import ImagePipeline, ImageReader
from tests.preprocessing.images import encode, make_scan


def read(source, **params):
    return ImageReader(**params).fit_transform([source])[0]


@pytest.fixture
def scan():
    return make_scan()


@pytest.mark.parametrize("kind", ["str", "path", "bytes", "file", "pil", "array"])
def test_every_kind_of_source_gives_the_same_image(kind, scan, tmp_path):
    path = tmp_path / "scan.png"
    path.write_bytes(encode(scan))
    source = {
        "str": lambda: str(path),
        "path": lambda: path,
        "bytes": path.read_bytes,
        "file": lambda: io.BytesIO(path.read_bytes()),
        "pil": lambda: Image.open(io.BytesIO(path.read_bytes())),
        "array": lambda: scan,
    }[kind]()
    np.testing.assert_array_equal(read(source), scan)


@pytest.mark.parametrize(
    "collect",
    [list, tuple, np.array, pd.Series, pd.DataFrame, lambda p: np.array(p)[:, None]],
)
def test_every_kind_of_collection(collect, scan, tmp_path):
    paths = []
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encode(scan))
        paths.append(str(tmp_path / name))
    images = ImageReader().fit_transform(collect(paths))
    assert images.shape == (2,)
    assert images.dtype == object
    np.testing.assert_array_equal(images[1], scan)


@pytest.mark.parametrize("shape", [(3, 9, 8), (3, 9, 8, 1), (3, 9, 8, 3), (3, 9, 8, 4)])
def test_numeric_array_gives_one_image_an_entry(shape):
    X = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images = ImageReader(color_mode="rgb").fit_transform(X)
    assert [image.shape for image in images] == [(9, 8, 3)] * 3


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "WEBP", "GIF", "JPEG2000"])
def test_formats_without_loss(format, scan):
    options = {"WEBP": {"lossless": True}, "JPEG2000": {"irreversible": False}}
    data = encode(scan, format, **options.get(format, {}))
    np.testing.assert_array_equal(read(data), scan)


def test_jpeg_is_close_to_what_was_written(scan):
    image = read(encode(scan, "JPEG", quality=95))
    assert np.abs(image.astype(int) - scan).mean() < 3


def test_color_modes(scan):
    color = np.stack([scan, scan // 2, scan // 4], axis=2)
    data = encode(color)
    np.testing.assert_array_equal(read(data, color_mode="rgb"), color)
    weighted = color @ [0.299, 0.587, 0.114]
    assert np.abs(read(data) - weighted).max() <= 1
    grey = read(encode(scan), color_mode="rgb")
    np.testing.assert_array_equal(grey, np.repeat(scan[:, :, None], 3, axis=2))


def test_name_of_the_file_does_not_matter(scan, tmp_path):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encode(scan))
    np.testing.assert_array_equal(read(path), scan)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation(orientation, format):
    upright = np.zeros((64, 48), dtype=np.uint8)
    upright[:16, :24] = 255
    # How the camera stored what belongs upright: the inverse of EXIF's operation.
    inverse = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].T,
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    picture = Image.fromarray(np.ascontiguousarray(inverse(upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read(encode(picture, format, exif=exif))
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright).mean() < 2


def test_palette(scan):
    picture = Image.fromarray(scan // 64)
    picture = picture.convert("P")
    picture.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0, 0, 0, 250])
    image = read(encode(picture), color_mode="rgb")
    expected = np.array([[0, 0, 0], [250, 0, 0], [0, 250, 0], [0, 0, 250]])[scan // 64]
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_pixels_are_laid_on_black(mode):
    opaqueness = Image.new("L", (4, 2), 255)
    opaqueness.putdata([0, 128])
    picture = Image.new("L", (4, 2), 200).convert({"PA": "P"}.get(mode, mode))
    picture.putalpha(opaqueness)
    assert picture.mode == mode
    image = read(encode(picture, "TIFF" if mode == "PA" else "PNG"))
    assert image[0, 0] == 0
    assert abs(int(image[0, 1]) - 100) <= 1
    assert abs(int(image[1, 3]) - 200) <= 1


def test_transparent_color_of_a_palette_is_laid_on_black():
    picture = Image.new("P", (4, 2), 1)
    picture.putpalette([0, 0, 0, 200, 200, 200, 90, 90, 90])
    picture.putpixel((0, 0), 2)
    image = read(encode(picture, "PNG", transparency=1))
    assert image[0, 0] == 90
    assert image[1, 1] == 0


def test_cmyk(scan):
    picture = Image.fromarray(scan).convert("RGB").convert("CMYK")
    image = read(encode(picture, "JPEG", quality=95))
    assert np.abs(image.astype(int) - scan).mean() < 4


def test_one_bit():
    bits = np.random.default_rng(0).random((9, 11)) > 0.5
    expected = bits * np.uint8(255)
    np.testing.assert_array_equal(read(encode(Image.fromarray(bits))), expected)
    np.testing.assert_array_equal(read(bits), expected)


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", "float64"])
def test_wide_images_are_scaled_never_wrapped(dtype):
    ramp = np.linspace(0, 40_000, 64 * 50).reshape(64, 50).astype(dtype)
    image = read(ramp, percentiles=(0, 100))
    assert (np.diff(image.ravel().astype(int)) >= 0).all()
    assert image.min() == 0
    assert image.max() == 255


@pytest.mark.parametrize(("dtype", "format"), [
    ("uint16", "PNG"), ("uint16", "TIFF"), ("int32", "TIFF"), ("float32", "TIFF"),
])  # fmt: skip
def test_wide_files_read_as_wide_arrays(dtype, format):
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 60_000, (20, 30)).astype(dtype)
    np.testing.assert_array_equal(read(encode(wide, format)), read(wide))


def test_percentiles_clip_outliers_of_wide_images():
    wide = np.tile(np.arange(1000, dtype=np.uint16), (100, 1))
    wide[0, 0] = 60_000
    assert int(read(wide)[50, 500]) == pytest.approx(127, abs=2)
    assert read(wide, percentiles=(0, 100))[50, 500] < 5


def test_small_bright_object_of_a_wide_image_survives():
    wide = np.zeros((100, 100), dtype=np.uint16)
    wide[5, 5] = 900
    image = read(wide)
    assert image[5, 5] == 255
    assert image.sum() == 255


def test_sixteen_bit_tiff_with_white_as_zero_is_inverted():
    wide = np.arange(600, dtype=np.uint16).reshape(20, 30) * 100
    data = encode(Image.fromarray(wide), "TIFF", tiffinfo={262: 0})
    np.testing.assert_array_equal(
        read(data, percentiles=(0, 100)), 255 - read(wide, percentiles=(0, 100))
    )


@pytest.mark.parametrize("orientation", [1, 6])
def test_unsigned_tiff_of_32_bits_is_not_wrapped(orientation):
    """Pillow takes what is above 2**31 for negative numbers."""
    wide = np.linspace(0, 2**32 - 1, 600).reshape(20, 30).astype(np.uint32)
    data = encode(wide.view(np.int32), "TIFF", tiffinfo={0x0112: orientation})
    # The sample format, tag 339, one short number: from signed to unsigned.
    signed, unsigned = (struct.pack("<HHIH", 339, 3, 1, n) for n in (2, 1))
    assert data.count(signed) == 1
    image = read(data.replace(signed, unsigned), percentiles=(0, 100))
    upright = np.rot90(wide, -1) if orientation == 6 else wide
    np.testing.assert_array_equal(image, read(upright, percentiles=(0, 100)))


def test_signed_tiff_of_8_bits_is_not_wrapped():
    narrow = np.arange(-128, 128, dtype=np.int8).reshape(16, 16)
    data = encode(narrow.view(np.uint8), "TIFF", tiffinfo={339: 2})
    image = read(data, percentiles=(0, 100))
    np.testing.assert_array_equal(image.ravel(), np.arange(256))


def test_constant_wide_image_is_black():
    with pytest.warns(BlankImageWarning):
        assert (read(np.full((4, 4), 1000.0)) == 0).all()


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "array", "16 bits"])
def test_blank_images_are_told_by_their_places(value, format, scan):
    blank = np.full((40, 30), value, dtype=np.uint8)
    if format == "16 bits":
        blank = encode(blank.astype(np.uint16) * 257)
    elif format != "array":
        blank = encode(blank, format)
    with pytest.warns(BlankImageWarning, match=r"2 of 3 .*X\[1\], X\[2\]") as found:
        ImageReader(n_jobs=2).fit_transform([scan, blank, blank])
    assert [warning.message.positions for warning in found] == [[1, 2]]


def test_blank_images_are_told_again_with_a_cache(scan, tmp_path):
    reader = ImagePipeline([("read", ImageReader())], cache=tmp_path / "cache")
    for _ in range(2):
        with pytest.warns(BlankImageWarning):
            reader.fit_transform([scan, np.zeros((8, 8), np.uint8)])


def test_largest_floats_are_scaled():
    wide = np.array([[-1.7e308, 0, 1.7e308]])
    assert read(wide, percentiles=(0, 100)).tolist() == [[0, 128, 255]]


def animation(scan):
    frames = [Image.fromarray(scan), Image.fromarray(255 - scan)]
    return encode(frames[0], "GIF", save_all=True, append_images=frames[1:])


def test_animated_file_gives_its_first_frame_and_a_warning(scan, tmp_path):
    path = tmp_path / "animated.gif"
    path.write_bytes(animation(scan))
    with pytest.warns(ImageReadWarning, match=r"1 of 1 images: only the first frame"):
        image = read(path)
    np.testing.assert_array_equal(image, scan)


def test_one_warning_names_all_animated_files(scan):
    data = animation(scan)
    with pytest.warns(
        ImageReadWarning, match=r"2 of 3 images.*X\[0\], X\[2\]"
    ) as found:
        ImageReader(n_jobs=2).fit_transform([data, encode(scan), data])
    assert len(found) == 1


def test_frame_of_an_animated_file(scan):
    np.testing.assert_array_equal(read(animation(scan), frame=1), 255 - scan)


def test_file_object_is_left_where_it_was_and_read_twice(scan):
    file = io.BytesIO(encode(scan))
    file.seek(5)
    reader = ImageReader()
    first = reader.fit_transform([file, file])
    assert file.tell() == 5
    np.testing.assert_array_equal(first[1], reader.transform([file])[0])


def test_one_file_object_in_many_places_and_threads(scan):
    file = io.BytesIO(encode(scan))
    images = ImageReader(n_jobs=4).fit_transform([file] * 50)
    assert all((image == scan).all() for image in images)


def test_pil_image_of_a_file_is_not_changed(scan):
    picture = Image.open(io.BytesIO(encode(np.stack([scan] * 3, 2), "JPEG")))
    read(picture, image_size=(12, 10))
    assert picture.mode == "RGB"
    assert picture.size == (80, 96)


def test_result_does_not_share_memory_with_the_source(scan):
    image = read(scan)
    image[:] = 0
    assert scan.any()


def test_real_scans(real_mri_dir):
    paths = sorted(Path(real_mri_dir, "native-size-sample").rglob("*.jpg"))
    images = ImageReader(n_jobs=2).fit_transform(paths)
    sizes = []
    for path in paths:
        with Image.open(path) as picture:
            sizes.append(picture.size[::-1])
    assert [image.shape for image in images] == sizes
