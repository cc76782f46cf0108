"""JPEG files decoded at a part of their size."""

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


def test_crop_of_a_reduced_image_is_never_enlarged():
    """The promise behind "auto": what is left of the image still fills the result."""
    scan = np.zeros((512, 512), dtype=np.uint8)
    scan[200:330, 220:330] = 150  # a head of a quarter of the frame
    steps = [("read", ImageReader(image_size="auto")), ("crop", HeadCropper())]
    pipeline = ImagePipeline([*steps, ("resize", ImageResizer(64))])
    target = pipeline._sizes_needed()[0]
    reader = ImageReader(image_size=target)
    cropped = HeadCropper().transform(reader.transform([encode(scan, "JPEG")]))[0]
    assert min(cropped.shape) >= 64
