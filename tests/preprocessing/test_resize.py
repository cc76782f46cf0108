import numpy as np
import pytest

from brain_tumor_clf.preprocessing import (
    HeadCropper,
    ImagePipeline,
    ImageResizer,
    IntensityNormalizer,
)
from tests.preprocessing.images import make_scan


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (1, 1), (300, 7)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("keep_aspect", [True, False])
def test_shape(size, channels, keep_aspect):
    scans = [make_scan(90, 50), make_scan(41, 120)]
    if channels == 3:
        scans = [np.repeat(scan[:, :, None], 3, axis=2) for scan in scans]
    images = ImageResizer(size, keep_aspect=keep_aspect).fit_transform(scans)
    assert images.shape == (2, *size, channels)
    assert images.dtype == np.uint8


@pytest.mark.parametrize(("shape", "axis"), [((100, 200), 0), ((200, 100), 1)])
def test_letterbox_is_centred_on_black(shape, axis):
    images = ImageResizer(64).fit_transform([np.full(shape, 200, np.uint8)])
    lines = images[0, :, :, 0].max(axis=1 - axis)
    assert (lines[:16] == 0).all()
    assert (lines[16:48] == 200).all()
    assert (lines[48:] == 0).all()


def test_stretched_image_fills_the_frame():
    images = ImageResizer(64, keep_aspect=False).fit_transform(
        [np.full((100, 200), 200, np.uint8)]
    )
    assert (images == 200).all()


def test_shrinking_averages():
    """A fine chequerboard becomes grey; nearest neighbours stay black or white."""
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    for name in ("bilinear", "bicubic", "lanczos"):
        image = ImageResizer(32, interpolation=name).fit_transform([board])
        assert np.abs(image.astype(int) - 127).max() <= 2
    image = ImageResizer(32, interpolation="nearest").fit_transform([board])
    assert set(np.unique(image)) <= {0, 255}


def test_image_of_the_right_size_is_unchanged():
    scan = make_scan(64, 64)
    np.testing.assert_array_equal(
        ImageResizer(64).fit_transform([scan])[0, :, :, 0], scan
    )


def test_mixed_channels_are_refused():
    color = np.zeros((9, 9, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="color_mode"):
        ImageResizer(8).fit_transform([make_scan(), color])


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"image_size": 0}, "image_size"),
        ({"image_size": (3, 4, 5)}, "image_size"),
        ({"interpolation": "cubic"}, "Did you mean 'bicubic'"),
    ],
)
def test_wrong_parameters(params, match):
    with pytest.raises(ValueError, match=match):
        ImageResizer(**params).fit([make_scan()])


def test_normalizing_after_resizing_keeps_one_array():
    scans = [make_scan(), make_scan(seed=1)]
    batch = ImageResizer(32).fit_transform(scans)
    normalized = IntensityNormalizer().fit_transform(batch)
    assert normalized.shape == (2, 32, 32, 1)
    pipeline = ImagePipeline(
        [("resize", ImageResizer(32)), ("normalize", IntensityNormalizer())]
    )
    np.testing.assert_array_equal(pipeline.fit_transform(scans), normalized)


def test_cropping_after_resizing_gives_images_of_their_own_size():
    pipeline = ImagePipeline([("resize", ImageResizer(64)), ("crop", HeadCropper())])
    images = pipeline.fit_transform([make_scan(), make_scan(60, 90)])
    assert images.dtype == object
    assert images[0].shape != images[1].shape
