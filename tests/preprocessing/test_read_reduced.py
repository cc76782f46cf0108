"""JPEG files decoded at a part of their size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf.preprocessing import (
    HeadCropper,
    ImagePipeline,
    ImageReader,
    ImageResizer,
)
from tests.preprocessing.images import encode, make_scan


def read(source, image_size):
    return ImageReader(image_size=image_size).fit_transform([source])[0]


@pytest.mark.parametrize(
    ("image_size", "expected"),
    [
        (None, (512, 512)),
        (512, (512, 512)),
        ((300, 200), (512, 512)),
        ((256, 256), (256, 256)),
        ((224, 224), (256, 256)),
        ((256, 257), (512, 512)),
        ((100, 128), (128, 128)),
        (64, (64, 64)),
        (3, (64, 64)),
        (9999, (512, 512)),
    ],
)
def test_no_side_falls_below_what_suffices(image_size, expected):
    data = encode(make_scan(512, 512), "JPEG")
    assert read(data, image_size).shape == expected


def test_reduced_image_looks_like_the_full_one():
    scan = make_scan(512, 512, noise=0)
    data = encode(scan, "JPEG", quality=95)
    reduced = read(data, 128)
    full = np.asarray(Image.fromarray(scan).resize((128, 128), Image.Resampling.BOX))
    assert np.abs(reduced.astype(int) - full).mean() < 1.5


def test_orientation_swaps_the_sides():
    picture = Image.fromarray(make_scan(512, 256))
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(picture, "JPEG", exif=exif)
    assert read(data, (128, 256)).shape == (128, 256)
    assert read(data, (256, 128)).shape == (256, 512)


def test_other_formats_keep_their_size():
    assert read(encode(make_scan(512, 512)), 64).shape == (512, 512)


class SpyReader(ImageReader):
    """Remembers the size of what it reads."""

    def _transform_image(self, source, least_size=None):
        image = super()._transform_image(source, least_size)
        self.seen_.append(image.shape)
        return image


def read_within(steps):
    reader = SpyReader(image_size="auto")
    reader.seen_ = []
    pipeline = ImagePipeline([("read", reader), *steps])
    pipeline.fit_transform([encode(make_scan(512, 512), "JPEG")])
    return reader.seen_[0]


def test_auto_asks_the_steps_that_follow():
    resize = ("resize", ImageResizer(64))
    assert read_within([resize]) == (64, 64)
    assert read_within([("crop", HeadCropper()), resize]) == (128, 128)
    crop = HeadCropper(min_fraction=0.25)
    assert read_within([("crop", crop), resize]) == (256, 256)
    assert read_within([("crop", "passthrough"), resize]) == (64, 64)


def test_auto_reads_at_full_size_where_nothing_says_what_suffices():
    assert read_within([("crop", HeadCropper())]) == (512, 512)
    assert read(encode(make_scan(512, 512), "JPEG"), "auto").shape == (512, 512)


class SpyCropper(HeadCropper):
    """Remembers the size of what it leaves."""

    def _transform_image(self, image):
        image = super()._transform_image(image)
        self.seen_.append(np.array(image.shape))
        return image


def read_and_crop(sources, image_size, target, fraction):
    """Shapes after the reader and after the cropper, one row an image."""
    reader, cropper = SpyReader(image_size=image_size), SpyCropper()
    reader.seen_, cropper.seen_ = [], []
    cropper.set_params(min_fraction=fraction)
    steps = [("read", reader), ("crop", cropper), ("resize", ImageResizer(target))]
    ImagePipeline(steps).fit_transform(sources)
    return np.array(reader.seen_), np.array(cropper.seen_)


def scan_with_a_small_head(height, width, top, left, orientation):
    scan = np.full((height, width), 3, dtype=np.uint8)
    scan[top : top + height // 4, left : left + width // 4] = 150
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(scan, "JPEG", exif=exif)


@pytest.mark.parametrize("fraction", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("target", [(32, 32), (90, 41), (48, 140)])
def test_a_crop_of_a_reduced_image_is_never_enlarged(target, fraction):
    """The promise behind "auto", for heads anywhere, odd sides and turned scans."""
    sources = [
        scan_with_a_small_head(height, width, top, left, orientation)
        for height, width in ((512, 512), (701, 333), (400, 1023))
        for top, left in ((0, 0), (height // 3, width // 2), (height // 2, 0))
        for orientation in (1, 6)
    ]
    read_full, full = read_and_crop(sources, None, target, fraction)
    read_less, less = read_and_crop(sources, "auto", target, fraction)
    assert (read_less < read_full).any()
    assert (less >= np.minimum(full, target)).all()


def test_a_crop_of_a_reduced_real_scan_is_never_enlarged(real_mri_dir):
    paths = sorted(Path(real_mri_dir, "native-size-sample").rglob("*.jpg"))
    for target in ((64, 64), (160, 128)):
        read_full, full = read_and_crop(paths, None, target, 0.5)
        read_less, less = read_and_crop(paths, "auto", target, 0.5)
        assert (read_less < read_full).any()
        assert (less >= np.minimum(full, target)).all()
