"""Each backbone of the table through its classifier, at its smallest size."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from brain_tumor_clf import TransferCNNClassifier
from brain_tumor_clf.networks import BACKBONES

# Back-propagation through a large backbone takes most of a minute to trace; every
# kind of block is trained in one of these.
TRAINED_WHOLE = {"EfficientNetLite0", "MobileNetV3Small", "VGG16"}


def smallest_images(backbone, n):
    side = BACKBONES[backbone].min_size
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, side, side), dtype="uint8")


def copy_weights(clf):
    return [np.array(np.asarray(weights)) for weights in clf.model_.weights]


def test_the_fully_trained_are_in_the_table():
    assert set(BACKBONES) > TRAINED_WHOLE
    assert len(BACKBONES) >= 12


@pytest.mark.slow
@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_backbone_fits_predicts_clones_and_pickles(backbone):
    X, y = smallest_images(backbone, 6), np.array(list("abcabc"))
    clf = TransferCNNClassifier(
        backbone,
        trainable="all" if backbone in TRAINED_WHOLE else "head",
        epochs=1,
        batch_size=6,
        random_state=0,
    )
    assert clf.fit(X, y) is clf
    proba = clf.predict_proba(X)
    assert proba.shape == (6, 3)
    assert np.isfinite(proba).all()
    np.testing.assert_array_equal(clf.predict(X), clf.classes_[proba.argmax(axis=1)])
    copy = clone(clf)
    assert copy.get_params() == clf.get_params()
    assert not hasattr(copy, "model_")
    loaded = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(loaded.predict_proba(X), proba)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", sorted(TRAINED_WHOLE))
def test_training_moves_the_backbone(backbone):
    X, y = smallest_images(backbone, 6), np.array(list("abcabc"))
    params = {"epochs": 1, "batch_size": 6, "random_state": 0}
    clf = TransferCNNClassifier(backbone, **params)
    before = copy_weights(clf.initialize(X, y))
    after = copy_weights(clf.fit(X, y))
    moved = [not np.array_equal(b, a) for b, a in zip(before, after, strict=True)]
    assert np.mean(moved) > 0.9
