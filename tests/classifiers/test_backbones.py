"""Each backbone of the table through its classifier, at its smallest size."""

import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit

from brain_tumor_clf import TransferCNNClassifier, VGG16Classifier, make_brain_mri
from brain_tumor_clf.networks import BACKBONES

# Where compiling back-propagation takes most of a minute, the head alone is trained.
COMPILES_SLOWLY = keras.backend.backend() == "jax"


class EagerClassifier(TransferCNNClassifier):
    """Trains without tracing, which costs far more than one step of training."""

    def _compile(self, network, *args):
        super()._compile(network, *args)
        network.run_eagerly = not COMPILES_SLOWLY


def copy_weights(clf):
    return [np.array(np.asarray(weights)) for weights in clf.model_.weights]


def share_moved(before, after):
    moved = [not np.array_equal(b, a) for b, a in zip(before, after, strict=True)]
    return np.mean(moved)


def test_there_are_at_least_twelve():
    assert len(BACKBONES) >= 12


@pytest.mark.slow
@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_backbone_fits_predicts_clones_and_pickles(backbone):
    side = BACKBONES[backbone].min_size
    X = np.random.default_rng(0).integers(0, 256, (6, side, side), dtype="uint8")
    y = np.array(list("abcabc"))
    clf = EagerClassifier(
        backbone,
        trainable="head" if COMPILES_SLOWLY else "all",
        epochs=1,
        batch_size=6,
        random_state=0,
    )
    before = copy_weights(clf.initialize(X, y))
    assert clf.fit(X, y) is clf
    if not COMPILES_SLOWLY:
        assert share_moved(before, copy_weights(clf)) > 0.9
    clf.model_.run_eagerly = False
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
def test_vgg16_does_not_collapse_on_phantoms():
    # In the notebooks it called nearly everything one class.
    scans = make_brain_mri(n_samples=320, image_size=(32, 32), random_state=0)
    split = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    train, test = next(split.split(scans.data, scans.target, scans.groups))
    clf = VGG16Classifier(epochs=6, random_state=0)
    clf.fit(scans.data[train], scans.target[train])
    assert clf.score(scans.data[test], scans.target[test]) > 0.5
    assert set(clf.predict(scans.data[test])) == set(scans.target_names)
