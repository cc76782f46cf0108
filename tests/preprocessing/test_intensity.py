import numpy as np
import pytest
from sklearn.base import clone

from brain_tumor_clf.preprocessing import ImagePipeline, IntensityNormalizer
from brain_tumor_clf.preprocessing._histogram import (
    foreground_threshold,
    histogram,
    percentiles_of,
)
from tests.preprocessing.images import make_scan

METHODS = ("percentile", "zscore", "clahe", "nyul")


@pytest.fixture
def scans():
    return [make_scan(120, 100, level=level, seed=level) for level in (60, 110, 190)]


@pytest.mark.parametrize("seed", range(5))
def test_percentiles_of_a_histogram_are_numpys(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, rng.integers(2, 256), (7, 13), dtype=np.uint8)
    wanted = [0, 1, 12.5, 50, 77.7, 99, 100]
    np.testing.assert_allclose(
        percentiles_of(histogram(image), wanted), np.percentile(image, wanted)
    )


@pytest.mark.parametrize("level", [30, 100, 220])
def test_threshold_parts_head_from_background(level):
    image = make_scan(level=level, noise=2)
    threshold = foreground_threshold(histogram(image))
    assert 8 < threshold < level * 0.8


def test_threshold_of_blank_images():
    for value in (0, 9, 255):
        image = np.full((4, 4), value, dtype=np.uint8)
        assert not (image > foreground_threshold(histogram(image))).any()


def test_percentile_mapping(scans):
    for scan, image in zip(
        scans, IntensityNormalizer().fit_transform(scans), strict=True
    ):
        low, high = np.percentile(scan, [1, 99])
        expected = np.clip((scan - low) / (high - low), 0, 1) * 255
        assert np.abs(image - expected).max() <= 0.5 + 1e-9


def test_zscore_mapping(scans):
    images = IntensityNormalizer("zscore", z_limit=2).fit_transform(scans)
    for scan, image in zip(scans, images, strict=True):
        inside = scan[scan > foreground_threshold(histogram(scan))]
        z = (scan - inside.mean()) / inside.std()
        expected = np.clip(127.5 + z / 2 * 127.5, 0, 255)
        assert np.abs(image - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("method", ["percentile", "zscore", "nyul"])
def test_order_of_grey_values_is_kept(method, scans):
    images = IntensityNormalizer(method).fit_transform(scans)
    for scan, image in zip(scans, images, strict=True):
        order = np.argsort(scan.ravel(), kind="stable")
        assert (np.diff(image.ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize("method", ["percentile", "zscore", "nyul"])
def test_dark_and_bright_copies_become_alike(method):
    scan = make_scan(200, 200, level=200, noise=0)
    copies = [scan, (scan * 0.5).astype(np.uint8)]
    bright, dark = IntensityNormalizer(method).fit_transform(copies)
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
    rank = np.cumsum(histogram(scan)) / scan.size
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


def test_nyul_scale_rises_between_its_ends(scans):
    normalizer = IntensityNormalizer("nyul").fit(scans)
    scale = normalizer.standard_scale_
    assert scale.shape == (11,)
    assert (np.diff(scale) > 0).all()
    assert scale[[0, -1]] == pytest.approx([26, 230])


def test_nyul_brings_landmarks_to_the_scale(scans):
    normalizer = IntensityNormalizer("nyul").fit(scans)
    for scan, image in zip(scans, normalizer.transform(scans), strict=True):
        inside = scan > foreground_threshold(histogram(scan))
        found = np.percentile(image[inside], [1, *range(10, 100, 10), 99])
        assert np.abs(found - normalizer.standard_scale_).max() < 6


def test_nyul_learns_the_mean_shape_of_the_histograms():
    rng = np.random.default_rng(0)
    squares = [np.zeros((80, 80), np.uint8), np.zeros((80, 80), np.uint8)]
    squares[0][20:60, 20:60] = rng.integers(100, 200, (40, 40))
    skewed = 100 + 100 * rng.random((40, 40)) ** 3
    squares[1][20:60, 20:60] = skewed
    even, skew = (IntensityNormalizer("nyul").fit([s]).standard_scale_ for s in squares)
    both = IntensityNormalizer("nyul").fit(squares).standard_scale_
    np.testing.assert_allclose(both, (even + skew) / 2)
    assert skew[5] < even[5] - 30


def test_nyul_depends_on_what_was_fitted(scans):
    other = IntensityNormalizer("nyul").fit([255 - scans[0]])
    fitted = IntensityNormalizer("nyul").fit(scans)
    assert np.abs(other.standard_scale_ - fitted.standard_scale_).max() > 3


def test_nyul_skips_blank_images_and_needs_one_that_is_not(scans):
    blank = np.zeros((9, 9), dtype=np.uint8)
    with_blank = IntensityNormalizer("nyul").fit([*scans, blank])
    without = IntensityNormalizer("nyul").fit(scans)
    np.testing.assert_array_equal(with_blank.standard_scale_, without.standard_scale_)
    np.testing.assert_array_equal(without.transform([blank])[0], blank)
    with pytest.raises(ValueError, match="single value"):
        IntensityNormalizer("nyul").fit([blank])


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


def test_landmarks_are_fitted_inside_a_pipeline(scans):
    pipeline = ImagePipeline([("normalize", IntensityNormalizer("nyul"))])
    alone = IntensityNormalizer("nyul").fit(scans)
    fitted = clone(pipeline).fit(scans)["normalize"].standard_scale_
    np.testing.assert_array_equal(fitted, alone.standard_scale_)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"method": "z-score"}, "Did you mean 'zscore'"),
        ({"percentiles": (50, 50)}, "percentiles"),
        ({"percentiles": (-1, 50)}, "percentiles"),
        ({"z_limit": 0}, "z_limit"),
        ({"clip_limit": 0.5}, "clip_limit"),
        ({"tiles": 0}, "tiles"),
        ({"tiles": 2.5}, "tiles"),
    ],
)
def test_wrong_parameters(params, match):
    with pytest.raises(ValueError, match=match):
        IntensityNormalizer(**params).fit([make_scan()])
