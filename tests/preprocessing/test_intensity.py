import numpy as np
import pytest

from brain_tumor_clf.preprocessing import IntensityNormalizer
from brain_tumor_clf.preprocessing._intensity import percentiles_of
from tests.preprocessing.images import make_scan

METHODS = ("percentile", "clahe")


@pytest.fixture
def scans():
    return [make_scan(120, 100, level=level, seed=level) for level in (60, 110, 190)]


@pytest.mark.parametrize("seed", range(5))
def test_percentiles_of_a_histogram_are_numpys(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, rng.integers(2, 256), (7, 13), dtype=np.uint8)
    wanted = [0, 1, 12.5, 50, 77.7, 99, 100]
    np.testing.assert_allclose(
        percentiles_of(image, wanted), np.percentile(image, wanted)
    )


def test_percentile_mapping(scans):
    for scan, image in zip(
        scans, IntensityNormalizer().fit_transform(scans), strict=True
    ):
        low, high = np.percentile(scan, [1, 99])
        expected = np.clip((scan - low) / (high - low), 0, 1) * 255
        assert np.abs(image - expected).max() <= 0.5 + 1e-9


def test_order_of_gray_values_is_kept(scans):
    images = IntensityNormalizer().fit_transform(scans)
    for scan, image in zip(scans, images, strict=True):
        order = np.argsort(scan.ravel(), kind="stable")
        assert (np.diff(image.ravel()[order].astype(int)) >= 0).all()


def test_dark_and_bright_copies_become_alike():
    scan = make_scan(200, 200, level=200, noise=0)
    copies = [scan, (scan * 0.5).astype(np.uint8)]
    bright, dark = IntensityNormalizer().fit_transform(copies)
    assert np.abs(bright.astype(int) - dark).mean() < 2


def test_clahe_raises_local_contrast_within_its_limit():
    rng = np.random.default_rng(0)
    flat = rng.integers(100, 110, (128, 128), dtype=np.uint8)
    weak = IntensityNormalizer("clahe", clip_limit=1).fit_transform([flat])[0]
    some = IntensityNormalizer("clahe", clip_limit=4).fit_transform([flat])[0]
    full = IntensityNormalizer("clahe", clip_limit=256).fit_transform([flat])[0]
    assert flat.std() < some.std() < full.std()
    assert weak.std() < some.std()
    assert full.std() == pytest.approx(255 / np.sqrt(12), rel=0.1)  # a flat histogram


def test_clahe_of_one_tile_without_limit_is_histogram_equalization():
    scan = make_scan(noise=10)
    image = IntensityNormalizer("clahe", tiles=1, clip_limit=256).fit_transform([scan])
    rank = np.cumsum(np.bincount(scan.ravel())) / scan.size
    np.testing.assert_allclose(image[0], rank[scan] * 255, atol=1.01)


def test_clahe_is_close_to_opencvs():
    cv2 = pytest.importorskip("cv2")
    scan = make_scan(256, 256, noise=8)
    ours = IntensityNormalizer("clahe", clip_limit=3).fit_transform([scan])[0]
    theirs = cv2.createCLAHE(3.0, (8, 8)).apply(scan)
    # OpenCV counts in integers and centres its tiles half a pixel off.
    assert np.abs(ours.astype(int) - theirs).mean() < 3
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("shape", [(3, 200), (200, 3), (1, 1), (8, 8), (97, 61)])
def test_clahe_of_odd_sizes(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    result = IntensityNormalizer("clahe").fit_transform([image])[0]
    assert result.shape == shape


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 100, 255])
def test_blank_image_stays_as_it_is(method, value, scans):
    blank = np.full((20, 20), value, dtype=np.uint8)
    normalizer = IntensityNormalizer(method).fit(scans)
    np.testing.assert_array_equal(normalizer.transform([blank])[0], blank)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("values", [(0, 1), (0, 255), (254, 255), (7, 9)])
def test_images_of_two_values(method, values):
    image = np.full((32, 32), values[0], dtype=np.uint8)
    image[8:24, 8:24] = values[1]
    normalizer = IntensityNormalizer(method).fit([make_scan()])
    result = normalizer.transform([image])[0]
    assert result[16, 16] >= result[0, 0]


def test_colors_keep_their_order(scans):
    color = np.stack([scans[2], scans[2] // 2, scans[2] // 4], axis=2)
    for method in METHODS:
        image = IntensityNormalizer(method).fit_transform([color])[0].astype(int)
        assert (image[:, :, 0] >= image[:, :, 2]).all()


def test_statistics_are_of_the_luminance(scans):
    color = np.stack([scans[2], scans[2] // 2, scans[2] // 4], axis=2)
    image = IntensityNormalizer().fit_transform([color])[0]
    luminance = color @ [0.299, 0.587, 0.114]
    low, high = np.percentile(luminance, [1, 99])
    expected = np.clip((color - low) / (high - low), 0, 1) * 255
    assert np.abs(image - expected).max() < 3


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"method": "percentiles"}, "Did you mean 'percentile'"),
        ({"percentiles": (50, 50)}, "percentiles"),
        ({"percentiles": (-1, 50)}, "percentiles"),
        ({"clip_limit": 0.5}, "clip_limit"),
        ({"tiles": 0}, "tiles"),
        ({"tiles": 2.5}, "tiles"),
    ],
)
def test_wrong_parameters(params, match):
    with pytest.raises(ValueError, match=match):
        IntensityNormalizer(**params).fit([make_scan()])
