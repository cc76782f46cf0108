import gzip
import io
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf.exceptions import ImageReadError
from brain_tumor_clf.preprocessing import ImagePipeline, ImageReader, ImageResizer
from tests.preprocessing.images import encode, make_scan


def failure(source, **params):
    """The reason that is given for one source that cannot be read."""
    with pytest.raises(ImageReadError) as info:
        ImageReader(**params).fit_transform([source])
    (failure,) = info.value.failures.values()
    return failure.reason


def bomb(width, height):
    """A PNG file that claims a size of which it has no pixels."""

    def chunk(name, data):
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [
        chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(b"")),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.fixture
def bad_files(tmp_path):
    good = encode(make_scan(), "JPEG")
    contents = {
        "empty.jpg": b"",
        "text.jpg": b"not an image at all",
        "truncated.jpg": good[: len(good) // 2],
        "truncated.png": encode(make_scan())[:-3000],
        "bomb.png": bomb(60_000, 60_000),
        "page.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.jpg").mkdir()
    return [str(tmp_path / name) for name in (*contents, "folder.jpg", "missing.jpg")]


@pytest.mark.parametrize("n_jobs", [1, 3])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_all_bad_files_are_reported_together(bad_files, tmp_path, n_jobs, in_pipeline):
    (tmp_path / "good.jpg").write_bytes(encode(make_scan(), "JPEG"))
    good = str(tmp_path / "good.jpg")
    X = [good, *bad_files, good]
    reader = ImageReader(n_jobs=n_jobs)
    if in_pipeline:
        steps = [("read", reader), ("resize", ImageResizer(16))]
        reader = ImagePipeline(steps, n_jobs=n_jobs, cache=tmp_path / "cache")
    reader.fit(X)
    with pytest.raises(ImageReadError) as info:
        reader.transform(X)
    failures = info.value.failures
    assert list(failures) == list(range(1, 1 + len(bad_files)))
    assert [failure.source for failure in failures.values()] == bad_files
    assert info.value.n_images == len(X)
    for path, reason in failures.values():
        assert f"{path}: {reason}" in str(info.value)
    assert pickle.loads(pickle.dumps(info.value)).failures == failures


def test_a_path_given_twice_is_two_failures(bad_files):
    with pytest.raises(ImageReadError, match="2 of 2 images") as info:
        ImageReader().fit_transform(bad_files[:1] * 2)
    assert info.value.failures[0] == info.value.failures[1]


def test_reasons(bad_files):
    with pytest.raises(ImageReadError) as info:
        ImageReader().fit_transform(bad_files)
    reasons = [failure.reason for failure in info.value.failures.values()]
    empty, text, jpeg, png, bomb_, page, folder, missing = reasons
    assert empty == "the file is empty"
    assert text.startswith("not an image")
    assert "truncated" in jpeg
    assert "damaged" in png
    assert "large" in bomb_ or "pixels" in bomb_
    assert "web page" in page
    assert "folder" in folder
    assert "no such file" in missing


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encode(make_scan(), "JPEG")[:20], "damaged: a JPEG file"),
        (encode(make_scan())[:12], "damaged: a PNG file"),
        # 16 bits a sample become 24, which no reader knows.
        (
            encode(make_scan().astype(np.uint16), "TIFF").replace(
                struct.pack("<HHIH", 258, 3, 1, 16), struct.pack("<HHIH", 258, 3, 1, 24)
            ),
            "save it as PNG",
        ),
    ],
)
def test_a_header_that_cannot_be_read_is_named_by_its_format(content, reason):
    assert reason in failure(content)


def test_max_pixels():
    data = encode(make_scan(30, 40))
    assert "1,200 pixels, more than max_pixels=1,199" in failure(data, max_pixels=1199)
    assert "max_pixels" in failure(make_scan(30, 40), max_pixels=1199)
    assert "max_pixels" in failure(Image.fromarray(make_scan(30, 40)), max_pixels=1199)
    assert ImageReader(max_pixels=1200).fit_transform([data])[0].shape == (30, 40)


def test_pillows_limit_is_left_alone(bad_files):
    before = Image.MAX_IMAGE_PIXELS
    failure(bomb(60_000, 60_000))
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (struct.pack("<i", 348) + bytes(344), "scan.nii"),
        (gzip.compress(struct.pack("<i", 348) + bytes(344)), "scan.nii.gz"),
        (struct.pack("<i", 540) + bytes(536), "scan.nii"),
        (b"NRRD0004\n" + bytes(200), "scan.nrrd"),
    ],
    # Not the content: gzip writes the time into it, and each worker would have its own.
    ids=["nifti1", "nifti1 gz", "nifti2", "nrrd"],
)
def test_volumes_are_refused_with_advice(content, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    reason = failure(path)
    assert "volume" in reason
    assert "slices" in reason


def test_numpy_file_says_to_pass_the_array(tmp_path):
    np.save(tmp_path / "scan.npy", make_scan())
    assert "numpy.load" in failure(tmp_path / "scan.npy")


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((30, 40, 50), np.uint8), "volume"),
        (np.zeros((3, 40, 50), np.uint8), "channels that come first"),
        (np.zeros((40, 50, 2), np.uint8), "channels"),
        (np.zeros(40, np.uint8), r"expected \(H, W\)"),
        (np.zeros((0, 4), np.uint8), "empty array"),
        (np.zeros((4, 4), complex), "complex"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.array([["a"]]), "dtype"),
    ],
)
def test_arrays_that_are_no_image(array, match):
    with pytest.raises(ImageReadError, match=match):
        ImageReader().fit_transform([make_scan(), array])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (None, "NoneType"),
        (3.5, "float"),
        (io.StringIO("text"), "mode 'rb'"),
        ("https://example.org/scan.jpg", "web address"),
        (b"", "empty"),
        ("\0", "cannot be opened"),
    ],
)
def test_sources_that_are_no_image(source, match):
    assert match in failure(source)


def test_bytes_that_are_a_path_are_told_from_an_image(tmp_path):
    path = tmp_path / "scan.png"
    path.write_bytes(encode(make_scan()))
    assert "pass a str" in failure(bytes(path))


def test_near_miss_of_a_suffix(tmp_path):
    (tmp_path / "scan.JPG").write_bytes(encode(make_scan(), "JPEG"))
    assert "did you mean 'scan.JPG'?" in failure(tmp_path / "scan.jpg")


def test_missing_folder_is_named(tmp_path):
    assert "nowhere" in failure(tmp_path / "nowhere" / "scan.jpg")


def test_closed_and_unseekable_file_objects(tmp_path):
    file = io.BytesIO(encode(make_scan()))
    file.close()
    assert "closed" in failure(file)

    class Stream(io.RawIOBase):
        def readable(self):
            return True

    assert "as bytes" in failure(Stream())


def test_postscript_is_never_handed_to_ghostscript():
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EOF\n"
    assert failure(postscript).startswith("not an image")


def test_unreadable_sources_without_a_path_are_known_by_position():
    with pytest.raises(ImageReadError) as info:
        ImageReader().fit_transform([make_scan(), b"", make_scan(), b"x"])
    failures = info.value.failures
    assert {i: failure.source for i, failure in failures.items()} == {
        1: "X[1]",
        3: "X[3]",
    }


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"color_mode": "grey"}, "color_mode"),
        ({"color_mode": "greyscale"}, "Did you mean 'grayscale'"),
        ({"image_size": (0, 4)}, "image_size"),
        ({"image_size": "full"}, "image_size"),
        ({"frame": -1}, "frame"),
        ({"percentiles": (99, 1)}, "percentiles"),
        ({"percentiles": 5}, "percentiles"),
        ({"max_pixels": 0}, "max_pixels"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"n_jobs": "two"}, "n_jobs"),
    ],
)
def test_wrong_parameters(params, match):
    with pytest.raises(ValueError, match=match):
        ImageReader(**params).fit([make_scan()])
    with pytest.raises(ValueError, match=match):
        ImageReader(**params).transform([make_scan()])


def test_a_lone_image_is_told_to_go_into_a_list():
    with pytest.raises(ValueError, match=r"\[image\]"):
        ImageReader().fit_transform(make_scan())
    with pytest.raises(TypeError, match=r"\[image\]"):
        ImageReader().fit_transform("scan.jpg")
