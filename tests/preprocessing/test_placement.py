"""transform_and_locate tells where each result lies in its image."""

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf.preprocessing import (
    HeadCropper,
    ImagePipeline,
    ImageReader,
    ImageResizer,
    IntensityNormalizer,
)
from tests.preprocessing.images import encode, make_dicom

SPOT = (220, 330)  # row and column of the middle of the spot


def make_marked_scan():
    """A wide grey head off the middle of a larger frame, with one bright spot."""
    y, x = np.mgrid[:400, :600]
    inside = ((y - 230) / 110) ** 2 + ((x - 340) / 170) ** 2 < 1
    scan = np.where(inside, 90, 0).astype(np.uint8)
    scan[SPOT[0] - 5 : SPOT[0] + 6, SPOT[1] - 5 : SPOT[1] + 6] = 255
    return scan


def chain(**resize):
    return ImagePipeline(
        [
            ("read", ImageReader(image_size="auto")),
            ("crop", HeadCropper()),
            ("normalize", "passthrough"),
            ("resize", ImageResizer((64, 96), **resize)),
        ]
    )


def brightest(image):
    rows, columns = np.nonzero(image > 0.8 * image.max())
    return np.array([rows.mean(), columns.mean()]) + 0.5


def mapped_back(point, placement, shape):
    corner = np.array([placement.top, placement.left])
    sides = np.array(
        [placement.bottom - placement.top, placement.right - placement.left]
    )
    return corner + point * sides / shape[:2]


@pytest.mark.parametrize("keep_aspect", [True, False])
@pytest.mark.parametrize("kind", ["array", "PNG", "JPEG", "DICOM"])
def test_a_spot_is_found_again(kind, keep_aspect):
    scan = make_marked_scan()
    source = scan
    if kind == "DICOM":
        pytest.importorskip("pydicom")
        source = make_dicom(scan)
    elif kind != "array":
        source = encode(scan, kind)
    pipeline = chain(keep_aspect=keep_aspect)
    images, (placement,) = pipeline.transform_and_locate([source])
    np.testing.assert_array_equal(images, pipeline.transform([source]))
    assert placement.image_shape == scan.shape
    found = mapped_back(brightest(images[0, :, :, 0]), placement, images.shape[1:])
    np.testing.assert_allclose(found, np.array(SPOT) + 0.5, atol=4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_counts_as_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = encode(make_marked_scan(), "JPEG", exif=exif)
    upright = ImageReader().transform([source])[0]
    images, (placement,) = chain().transform_and_locate([source])
    assert placement.image_shape == upright.shape
    found = mapped_back(brightest(images[0, :, :, 0]), placement, images.shape[1:])
    np.testing.assert_allclose(found, brightest(upright), atol=4)


def test_a_file_is_reduced_and_its_full_size_known():
    source = encode(make_marked_scan(), "JPEG")
    reader = ImageReader(image_size=50)
    images, (placement,) = reader.transform_and_locate([source])
    assert images[0].shape == (50, 75)
    assert placement == ((400, 600), 0, 0, 400, 600)


def test_padding_lies_beyond_the_image():
    image = np.full((100, 200), 7, dtype=np.uint8)
    _, (placement,) = ImageResizer(64).transform_and_locate([image])
    assert placement == ((100, 200), -50, 0, 150, 200)


def test_a_cropped_part_is_that_of_find_box():
    scan = make_marked_scan()
    cropper = HeadCropper(margin=0.1)
    images, placements = cropper.transform_and_locate([scan, scan])
    assert placements == 2 * [((400, 600), *cropper.find_box(scan))]
    assert images.dtype == object


def test_steps_that_move_nothing_show_the_whole_image():
    scan = make_marked_scan()
    _, (placement,) = IntensityNormalizer().fit([scan]).transform_and_locate([scan])
    assert placement == ((400, 600), 0, 0, 400, 600)
    nothing = ImagePipeline([("crop", "passthrough")])
    assert nothing.transform_and_locate([scan])[1] == [placement]
