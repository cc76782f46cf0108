"""From a pipeline, maps come back in the pixels of the original images."""

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from brain_tumor_clf import (
    HeadCropper,
    ImageReader,
    ImageResizer,
    grad_cam,
)
from brain_tumor_clf.exceptions import (
    BlankImageWarning,
    HeadNotFoundWarning,
    ImageReadError,
)
from brain_tumor_clf.inspection import occlusion_map
from tests.inspection.spots import (
    make_spot_detector,
    make_spot_pipeline,
    make_spotted_head,
    peak,
)
from tests.preprocessing.images import encode

# Keras' other backends convert tensors in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)

EXPLAIN = {"grad_cam": grad_cam, "occlusion_map": occlusion_map}


@pytest.fixture(params=EXPLAIN)
def explain(request):
    return EXPLAIN[request.param]


@pytest.mark.parametrize(
    ("name", "shape", "spot", "head"),
    [
        ("grad_cam", (128, 128), (40, 80), None),
        ("grad_cam", (90, 200), (30, 150), None),  # letterboxed above and below
        ("grad_cam", (200, 90), (150, 30), None),  # and at the sides
        ("grad_cam", (300, 400), (170, 290), (100, 200, 260, 360)),  # cropped
        ("occlusion_map", (300, 400), (170, 290), (100, 200, 260, 360)),
        ("grad_cam", (64, 64), (20, 40), None),  # not resized
        ("grad_cam", (40, 50), (12, 30), None),  # enlarged
        ("occlusion_map", (40, 50), (12, 30), None),
    ],
)
def test_the_peak_lies_where_the_spot_is(name, shape, spot, head):
    scan = make_spotted_head(shape, spot, head)
    heat = EXPLAIN[name](make_spot_pipeline((64, 64)), [scan], "spot")
    assert heat.shape == (1, *shape)
    assert heat.dtype == np.float32
    assert heat.max() == 1
    np.testing.assert_allclose(peak(heat[0]), spot, atol=max(shape) / 64 + 4)


def test_a_stretched_image(explain):
    pipe = make_pipeline(
        ImageReader(), ImageResizer((64, 48), keep_aspect=False),
        make_spot_detector((64, 48)),
    )  # fmt: skip
    heat = explain(pipe, [make_spotted_head((90, 200), (30, 150))], "spot")
    np.testing.assert_allclose(peak(heat[0]), (30, 150), atol=6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_held_askew(orientation):
    """Maps are upright, as the reader gives the image, not as the file stores it."""
    scan = make_spotted_head((200, 320), (60, 250), (20, 60, 180, 300))
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = encode(scan, "JPEG", exif=exif, quality=95)
    upright = ImageReader().transform([source])[0]
    heat = grad_cam(make_spot_pipeline((64, 64)), [source], "spot")
    assert heat.shape == (1, *upright.shape)
    np.testing.assert_allclose(peak(heat[0]), peak(upright), atol=5)


def test_a_file_that_was_decoded_at_a_part_of_its_size():
    scan = make_spotted_head((1001, 1203), (380, 700), (150, 220, 850, 1010))
    source = encode(scan, "JPEG", quality=95)
    pipe = make_spot_pipeline((64, 64))
    (read,) = pipe[0]["read"].transform([source])
    assert read.shape == scan.shape
    heat = grad_cam(pipe, [source], "spot")
    assert heat.shape == (1, 1001, 1203)
    np.testing.assert_allclose(peak(heat[0]), (380, 700), atol=12)


def test_what_was_cropped_away_is_zero():
    scan = make_spotted_head((300, 400), (170, 290), (100, 200, 260, 360))
    top, left, bottom, right = HeadCropper().find_box(scan)
    heat = grad_cam(make_spot_pipeline((64, 64)), [scan], "no spot")[0]
    outside = np.ones(scan.shape, dtype=bool)
    outside[top:bottom, left:right] = False
    assert not heat[outside].any()


def test_images_that_differ_in_size(tmp_path):
    shapes = [(90, 200), (128, 128), (200, 90)]
    paths = []
    for i, shape in enumerate(shapes):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(make_spotted_head(shape, (40, 50))).save(paths[-1])
    pipe = make_spot_pipeline((64, 64))
    maps = grad_cam(pipe, paths, "spot")
    assert maps.shape == (3,)
    assert [heat.shape for heat in maps] == shapes
    for path, heat in zip(paths, maps, strict=True):
        np.testing.assert_allclose(peak(heat), (40, 50), atol=6)
        np.testing.assert_array_equal(grad_cam(pipe, [path], "spot")[0], heat)


def test_transformers_one_by_one_are_as_good_as_in_one():
    scan = make_spotted_head((300, 400), (170, 290), (100, 200, 260, 360))
    detector = make_spot_detector((64, 64))
    steps = ImageReader(), HeadCropper(), "passthrough", ImageResizer(64), detector
    one_by_one = grad_cam(make_pipeline(*steps), [scan], "spot")
    pipe = make_spot_pipeline((64, 64))
    np.testing.assert_allclose(one_by_one, grad_cam(pipe, [scan], "spot"), atol=1e-5)


def test_a_cache_changes_nothing(tmp_path):
    scan = make_spotted_head((90, 200), (30, 150))
    pipe = make_spot_pipeline((64, 64), cache=tmp_path)
    pipe.predict([scan])
    plain = grad_cam(make_spot_pipeline((64, 64)), [scan])
    np.testing.assert_array_equal(grad_cam(pipe, [scan]), plain)


def test_files_that_cannot_be_read_are_named(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_text("no image")
    with pytest.raises(ImageReadError, match=r"broken\.png"):
        grad_cam(make_spot_pipeline((64, 64)), [broken])


def test_an_image_without_a_head_is_explained_whole():
    pipe = make_spot_pipeline((64, 64))
    with pytest.warns(HeadNotFoundWarning), pytest.warns(BlankImageWarning):
        heat = grad_cam(pipe, [np.zeros((80, 90), dtype=np.uint8)], "spot")
    assert heat.shape == (1, 80, 90)
    assert not heat.any()
