"""FamiliarityGuard: scans unlike those of training are outliers."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri, make_mri_pipeline
from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.outlier_detection import FamiliarityGuard

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


@pytest.fixture(scope="module")
def scans():
    return make_brain_mri(60, 48, random_state=0)


@pytest.fixture(scope="module")
def pipe(scans):
    cnn = SimpleCNNClassifier(filters=(8, 16), epochs=3, random_state=0)
    return make_mri_pipeline(cnn, image_size=32).fit(scans.data, scans.target)


@pytest.fixture(scope="module")
def guard(pipe, scans):
    return FamiliarityGuard(pipe, contamination=0.05).fit(scans.data)


def test_few_scans_of_training_and_most_others_are_unfamiliar(guard, scans):
    assert (guard.predict(scans.data) == -1).mean() == pytest.approx(0.05)
    inverted = [255 - image for image in scans.data]
    assert (guard.predict(inverted) == -1).mean() > 0.8
    assert guard.score_samples(inverted).mean() < guard.score_samples(scans.data).mean()


def test_decision_is_the_score_less_the_offset(guard, scans):
    decision = guard.decision_function(scans.data)
    scores = guard.score_samples(scans.data)
    np.testing.assert_allclose(decision, scores - guard.offset_)
    assert ((decision >= 0) == (guard.predict(scans.data) == 1)).all()


def test_clones_and_pickles(guard, pipe, scans):
    again = pickle.loads(pickle.dumps(guard))
    expected = guard.score_samples(scans.data[:8])
    np.testing.assert_allclose(again.score_samples(scans.data[:8]), expected)
    fresh = clone(FamiliarityGuard(FrozenEstimator(pipe), n_neighbors=3))
    assert fresh.fit(scans.data).reference_.shape[0] == len(scans.data)


@pytest.mark.parametrize(
    "change",
    [
        {"offset_": float("nan")},
        {"reference_": None},
        {"axes_": "none"},
        {"estimator_": None},
    ],
)
def test_a_damaged_state_is_refused(guard, change):
    state = {**guard.__getstate__(), **change}
    with pytest.raises(ModelFileError, match="guard is damaged"):
        FamiliarityGuard.__new__(FamiliarityGuard).__setstate__(state)


def test_wrong_use_is_an_error(guard, pipe, scans):
    with pytest.raises(ValueError, match="at least 10 images, got 4"):
        FamiliarityGuard(pipe).fit(scans.data[:4])
    with pytest.raises(ValueError, match="n_neighbors"):
        FamiliarityGuard(pipe, n_neighbors=0).fit(scans.data)
    with pytest.raises(NotFittedError):
        FamiliarityGuard(pipe).predict(scans.data)
