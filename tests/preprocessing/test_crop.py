from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from brain_tumor_clf.exceptions import HeadNotFoundWarning
from brain_tumor_clf.preprocessing import HeadCropper, ImageReader
from brain_tumor_clf.preprocessing._crop import foreground_threshold
from tests.preprocessing.images import make_scan

HEIGHT, WIDTH = 500, 400
# What make_scan draws: an ellipse of 0.4 and 0.35 of the sides around the middle.
BOX = np.array([0.1 * HEIGHT, 0.15 * WIDTH, 0.9 * HEIGHT, 0.85 * WIDTH])
TOLERANCE = 10  # two pixels of the small copy


def box_of(image, **params):
    return np.array(HeadCropper(**{"margin": 0, **params}).find_box(image))


@pytest.mark.parametrize("level", [30, 100, 220])
def test_threshold_parts_head_from_background(level):
    threshold = foreground_threshold(make_scan(level=level, noise=2))
    assert 8 < threshold < level * 0.8


def test_threshold_of_blank_images():
    for value in (0, 9, 255):
        image = np.full((4, 4), value, dtype=np.uint8)
        assert not (image > foreground_threshold(image)).any()


@pytest.mark.parametrize("level", [15, 40, 120, 210])
@pytest.mark.parametrize("noise", [0, 1, 3])
def test_dark_and_bright_heads(level, noise):
    image = make_scan(HEIGHT, WIDTH, level=level, noise=noise)
    assert np.abs(box_of(image) - BOX).max() <= TOLERANCE


@pytest.mark.parametrize("seed", range(3))
def test_strong_noise(seed):
    image = make_scan(HEIGHT, WIDTH, level=120, noise=25, seed=seed)
    assert np.abs(box_of(image) - BOX).max() <= TOLERANCE


def test_grey_background():
    image = make_scan(HEIGHT, WIDTH, level=120, noise=2)
    image = np.where(image < 60, 60, image)
    assert np.abs(box_of(image) - BOX).max() <= TOLERANCE


def test_dark_skull_on_grey_background_belongs_to_the_head():
    image = make_scan(HEIGHT, WIDTH, level=120, noise=0)
    inner = make_scan(HEIGHT, WIDTH, level=120, noise=0) > 60
    image[~inner] = 50
    ring = (
        inner & ~np.pad(inner, 12)[:-24, 12:-12]
        | inner & ~np.pad(inner, 12)[24:, 12:-12]
    )
    image[ring] = 0
    box = box_of(image)
    assert box[0] <= BOX[0] + TOLERANCE
    assert box[2] >= BOX[2] - TOLERANCE


def write_text(image, top, left):
    """Strokes three pixels wide, as burnt-in letters have them."""
    for i in range(6):
        x = left + 14 * i
        image[top : top + 20, x : x + 3] = 255
        image[top + 8 : top + 11, x : x + 9] = 255


@pytest.mark.parametrize(("top", "left"), [(4, 4), (4, 310), (474, 4), (474, 310)])
def test_text_in_a_corner_is_left_out(top, left):
    image = make_scan(HEIGHT, WIDTH)
    write_text(image, top, left)
    assert np.abs(box_of(image) - BOX).max() <= TOLERANCE


def test_thin_frame_is_left_out():
    image = make_scan(HEIGHT, WIDTH)
    image[[0, 1, -2, -1]] = 255
    image[:, [0, 1, -2, -1]] = 255
    assert np.abs(box_of(image) - BOX).max() <= TOLERANCE


@pytest.mark.parametrize("value", [0, 7, 255])
def test_blank_image_is_kept_whole_with_a_warning(value):
    image = np.full((60, 50), value, dtype=np.uint8)
    with pytest.warns(HeadNotFoundWarning, match="1 of 1 images: no head was found"):
        cropped = HeadCropper().fit_transform([image])[0]
    np.testing.assert_array_equal(cropped, image)


def test_one_warning_names_all_blank_images():
    blank = np.zeros((60, 50), dtype=np.uint8)
    with pytest.warns(HeadNotFoundWarning, match=r"X\[0\], X\[2\]") as found:
        HeadCropper(n_jobs=2).fit_transform([blank, make_scan(), blank])
    assert len(found) == 1


def test_find_box_warns_too():
    with pytest.warns(HeadNotFoundWarning):
        assert HeadCropper().find_box(np.zeros((6, 5), np.uint8)) == (0, 0, 6, 5)


def test_a_dot_is_no_head():
    image = np.zeros((400, 400), dtype=np.uint8)
    image[10:30, 10:30] = 255
    with pytest.warns(HeadNotFoundWarning):
        assert HeadCropper().find_box(image) == (0, 0, 400, 400)


def test_head_that_touches_the_border():
    image = make_scan(HEIGHT, WIDTH)[150:, 120:]
    box = box_of(image)
    assert box[:2].tolist() == [0, 0]
    assert np.abs(box[2:] - (BOX[2:] - [150, 120])).max() <= TOLERANCE


def test_margin_widens_the_box_within_the_image():
    image = make_scan(HEIGHT, WIDTH)
    tight, wide = box_of(image), box_of(image, margin=0.05)
    height, width = tight[2] - tight[0], tight[3] - tight[1]
    expected = tight + np.round(0.05 * np.array([-height, -width, height, width]))
    np.testing.assert_array_equal(wide, expected)
    assert box_of(image, margin=9).tolist() == [0, 0, HEIGHT, WIDTH]


@pytest.mark.parametrize("corner", [(0, 0), (0, 300), (400, 0), (400, 300), (200, 150)])
def test_min_fraction_is_kept_wherever_the_head_lies(corner):
    image = np.zeros((501, 401), dtype=np.uint8)
    top, left = corner
    image[top : top + 100, left : left + 100] = 150
    for fraction in (0.3, 0.5, 0.77, 1.0):
        box = HeadCropper(margin=0, min_fraction=fraction).find_box(image)
        assert 0 <= box[0] <= top
        assert 0 <= box[1] <= left
        assert top + 100 <= box[2] <= 501
        assert left + 100 <= box[3] <= 401
        assert box[2] - box[0] >= fraction * 501
        assert box[3] - box[1] >= fraction * 401


def test_transform_crops_to_the_box():
    image = make_scan(HEIGHT, WIDTH)
    cropper = HeadCropper()
    top, left, bottom, right = cropper.find_box(image)
    np.testing.assert_array_equal(
        cropper.fit_transform([image])[0], image[top:bottom, left:right]
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3), (3000, 2)])
def test_tiny_and_thin_images(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with pytest.warns() as found:
        cropped = HeadCropper().fit_transform([image, np.zeros((9, 9), np.uint8)])
    assert {warning.category for warning in found} == {HeadNotFoundWarning}
    assert cropped[0].size > 0


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"margin": -0.1}, "margin"),
        ({"margin": "wide"}, "margin"),
        ({"margin": float("nan")}, "margin"),
        ({"min_fraction": 0}, "min_fraction"),
        ({"min_fraction": 1.5}, "min_fraction"),
    ],
)
def test_wrong_parameters(params, match):
    with pytest.raises(ValueError, match=match):
        HeadCropper(**params).fit([make_scan()])
    with pytest.raises(ValueError, match=match):
        HeadCropper(**params).find_box(make_scan())


def test_real_scans(real_mri_dir):
    """Bright tissue is never cut off, and few images are left whole."""
    folder = Path(real_mri_dir)
    paths = sorted(Path(folder, "native-size-sample").rglob("*.jpg"))
    for label in ("glioma", "meningioma", "notumor", "pituitary"):
        found = sorted(Path(folder, "brain-tumor-mri", "Training", label).glob("*.jpg"))
        paths += found[:: len(found) // 25]
    images = ImageReader().fit_transform(paths)
    kept_area, kept_light = [], []
    for image in images:
        top, left, bottom, right = HeadCropper().find_box(image)
        kept = image[top:bottom, left:right]
        bright = np.percentile(image, 75)
        kept_area.append(kept.size / image.size)
        kept_light.append((kept > bright).sum() / (image > bright).sum())
    assert 0.5 < np.median(kept_area) < 0.85
    assert np.percentile(kept_light, 5) > 0.97
    assert min(kept_light) > 0.85


def with_text(image):
    """Letters in two corners, as scanners burn them in."""
    picture = Image.fromarray(image)
    font = ImageFont.load_default(size=max(10, image.shape[0] // 22))
    draw = ImageDraw.Draw(picture)
    draw.text((3, 3), "L  GE 1.5T", fill=255, font=font)
    corner = (0.72 * image.shape[1], 0.92 * image.shape[0])
    draw.text(corner, "SE 4/12", fill=255, font=font)
    return np.asarray(picture)


@pytest.mark.parametrize(
    "alter",
    [
        lambda image: (image * 0.15).astype(np.uint8),
        lambda image: np.clip(image * 2.5, 0, 255).astype(np.uint8),
        lambda image: np.clip(image * 0.8 + 40, 0, 255).astype(np.uint8),
        with_text,
    ],
    ids=["dark", "bright", "grey background", "text"],
)
def test_real_scans_dark_bright_and_with_text(real_mri_dir, alter):
    """The box is that of the scan as it was, to a tenth of its sides."""
    paths = sorted(Path(real_mri_dir, "native-size-sample").rglob("*.jpg"))
    assert len(paths) == 33
    shifts = []
    for image in ImageReader().fit_transform(paths):
        sides = np.array([*image.shape, *image.shape])
        box = np.array(HeadCropper().find_box(image))
        shifts.append(np.abs(HeadCropper().find_box(alter(image)) - box) / sides)
    assert np.max(shifts) < 0.1
    assert np.median(np.max(shifts, axis=1)) < 0.01
