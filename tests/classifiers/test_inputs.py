"""What a classifier refuses, and what it says."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError


@pytest.fixture
def y4():
    return np.array(["a", "b", "a", "b"])


def grey(n=4, side=24, dtype="uint8"):
    return np.random.default_rng(0).integers(0, 256, (n, side, side)).astype(dtype)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (["a.jpg", "b.jpg", "c.jpg", "d.jpg"], TypeError, "make_mri_pipeline"),
        ("scan.jpg", TypeError, r"lone path.*\[image\]"),
        (grey()[0], ValueError, r"lone array of shape \(24, 24\)"),
        ([grey()[0], grey(side=20)[0]] * 2, ValueError, "2 shapes.*make_mri_pipeline"),
        (np.zeros((4, 24, 24, 2)), ValueError, "1 or 3 channels"),
        (grey(dtype="float32") - 20, ValueError, "from 0 to 255"),
        (grey(dtype="float32") * 9, ValueError, "from 0 to 255"),
        (np.full((4, 24, 24), np.nan), ValueError, "NaN"),
        (np.zeros((4, 24, 24), dtype=complex), TypeError, "dtype complex"),
        (np.zeros((0, 24, 24)), ValueError, r"0 sample\(s\)"),
        (np.zeros((4, 4, 4, 4, 1)), ValueError, r"\(n, H, W\)"),
        (7, TypeError, "got int"),
    ],
    ids=lambda value: None,
)
def test_images_that_are_refused(tiny, y4, X, error, message):
    with pytest.raises(error, match=message):
        tiny().fit(X, y4)


def test_images_divided_by_255_are_noticed(tiny, y4):
    with pytest.warns(UserWarning, match="divided by 255"):
        tiny(epochs=1).fit(grey() / 255, y4)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "target y is None"),
        (["a", "b", "a"], "inconsistent numbers of samples"),
        (["a", "a", "a", "a"], "only one class"),
        (["a", "b", None, "b"], "NaN"),
        ([0.0, 1.0, np.nan, 1.0], "NaN"),
        ([0.1, 0.2, 0.3, 0.4], "continuous"),
        ([["a", "b"]] * 4, "1d|1-?D|shape"),
    ],
)
def test_labels_that_are_refused(tiny, y, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(grey(), y)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 1], "inconsistent|sample_weight.shape"),
        ([1, 1, np.nan, 1], "sample_weight contains NaN"),
        ([1, 1, -1, 1], "Negative values .* `sample_weight`"),
        ([0, 0, 0, 0], "non-zero|every image is zero"),
    ],
)
def test_weights_that_are_refused(tiny, y4, weight, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(grey(), y4, sample_weight=weight)


def test_prediction_needs_the_fitted_shape(tiny, y4):
    clf = tiny(epochs=1)
    with pytest.raises(NotFittedError):
        clf.predict(grey())
    clf.fit(grey(), y4)
    message = r"fitted on images of shape \(24, 24, 1\).*got \(20, 20, 1\)"
    with pytest.raises(ValueError, match=message):
        clf.predict(grey(side=20))
    with pytest.raises(ValueError, match=r"got \(24, 24, 3\)"):
        clf.predict(np.zeros((2, 24, 24, 3), dtype="uint8"))


def test_a_list_of_arrays_is_as_good_as_an_array(tiny, y4):
    X = grey()
    np.testing.assert_array_equal(
        tiny(epochs=1).fit(list(X), y4).predict_proba(list(X)),
        tiny(epochs=1).fit(X, y4).predict_proba(X),
    )


def test_rgb_and_grey(tiny, y4):
    X = np.repeat(grey()[..., None], 3, axis=-1)
    assert tiny(epochs=1).fit(X, y4).input_shape_ == (24, 24, 3)
