"""occlusion_map explains any classifier and agrees with gradients where both work."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from brain_tumor_clf import ImageReader, grad_cam
from brain_tumor_clf.inspection import occlusion_map
from tests.inspection.spots import make_spot_detector, make_spotted_head, peak


def flatten(X):
    return np.asarray(X, dtype=float).reshape(len(X), -1) / 255


@pytest.fixture(scope="module")
def spotted():
    """Images with a spot at one place for each of three classes."""
    X = np.full((30, 16, 16), 40, dtype=np.uint8)
    for k, (row, column) in enumerate([(3, 3), (3, 11), (11, 5)]):
        X[k::3, row : row + 3, column : column + 3] = 250
    return X, np.array(["a", "b", "c"] * 10)


@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC()], ids=str)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_any_classifier_is_explained(model, n_classes, spotted):
    X, y = spotted
    kept = y != "c" if n_classes == 2 else y != ""
    X, y = X[kept], y[kept]
    clf = make_pipeline(FunctionTransformer(flatten), model).fit(X, y)
    maps = occlusion_map(clf, X[:n_classes], patch_size=3, stride=1)
    places = [(4, 4), (4, 12), (12, 6)]
    for heat, place in zip(maps, places, strict=False):
        np.testing.assert_allclose(peak(heat), place, atol=0.5)
        assert heat.max() == 1


def test_it_agrees_with_gradients():
    detector = make_spot_detector((48, 64))
    spots = [(10, 12), (30, 50), (40, 20)]
    X = np.stack([make_spotted_head((48, 64), spot) for spot in spots])
    by_gradients = grad_cam(detector, X, "spot")
    by_covering = occlusion_map(detector, X, "spot", patch_size=6, stride=2)
    for one, other, spot in zip(by_gradients, by_covering, spots, strict=True):
        np.testing.assert_allclose(peak(one), spot, atol=2)
        np.testing.assert_allclose(peak(other), spot, atol=3)


def test_the_images_given_stay_as_they_are(spotted):
    X, y = spotted
    before = X.copy()
    clf = make_pipeline(FunctionTransformer(flatten), LogisticRegression()).fit(X, y)
    occlusion_map(clf, X)
    np.testing.assert_array_equal(X, before)


def test_every_pixel_is_covered():
    """Also where neither the patch nor its steps divide the side."""
    X = np.zeros((1, 18, 20), dtype=np.uint8)
    X[0, -2, -2] = 255  # convolutions without padding do not look at the edge itself
    detector = make_spot_detector((18, 20))
    heat = occlusion_map(detector, X, "spot", patch_size=4, stride=3)
    assert heat[0, -1, -1] == 1
    assert np.isfinite(heat).all()


def test_wrong_use(spotted):
    X, y = spotted
    clf = make_pipeline(FunctionTransformer(flatten), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="patch_size must be an integer from 1 to 16"):
        occlusion_map(clf, X, patch_size=17)
    with pytest.raises(ValueError, match="stride must be"):
        occlusion_map(clf, X, stride=0)
    with pytest.raises(ValueError, match="Unknown class"):
        occlusion_map(clf, X, "d")
    neighbors = NearestNeighbors().fit(flatten(X))
    with pytest.raises(TypeError, match="got NearestNeighbors"):
        occlusion_map(neighbors, X)
    unsized = make_pipeline(ImageReader(), clf)
    with pytest.raises(ValueError, match="takes images of one size"):
        occlusion_map(unsized, [X[0], X[0, :8]])
