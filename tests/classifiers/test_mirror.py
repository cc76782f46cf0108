"""Predictions averaged with those of the mirror image."""

import copy
import pickle

import numpy as np
import pytest


@pytest.mark.backend
@pytest.mark.parametrize("n_classes", [2, 4])
def test_logits_are_the_mean_of_both_sides(phantoms, fitted, fitted_two, n_classes):
    X = phantoms.data
    clf = copy.copy(fitted if n_classes == 4 else fitted_two).set_params(batch_size=7)
    plain, mirrored = clf.decision_function(X), clf.decision_function(X[:, :, ::-1])
    assert np.abs(plain - mirrored).max() > 1e-3
    clf.set_params(test_time_augmentation="mirror")
    expected = (plain + mirrored) / 2
    np.testing.assert_allclose(clf.decision_function(X), expected, atol=1e-5)


def test_a_scan_and_its_mirror_image_get_one_answer(phantoms, fitted):
    clf = copy.copy(fitted).set_params(test_time_augmentation="mirror")
    proba = clf.predict_proba(phantoms.data)
    np.testing.assert_allclose(
        clf.predict_proba(phantoms.data[:, :, ::-1]), proba, atol=1e-6
    )
    winners = clf.classes_[proba.argmax(axis=1)]
    assert (clf.predict(phantoms.data) == winners).all()


def test_other_names_are_refused(phantoms, tiny):
    with pytest.raises(ValueError, match="test_time_augmentation"):
        tiny(test_time_augmentation="flip").fit(phantoms.data, phantoms.target)


@pytest.mark.backend
def test_a_pickle_older_than_a_parameter_gets_its_default(phantoms, fitted):
    clf = copy.copy(fitted)
    expected = clf.predict_proba(phantoms.data)
    del clf.test_time_augmentation  # as before there was such a parameter
    again = pickle.loads(pickle.dumps(clf))
    assert again.test_time_augmentation is None
    np.testing.assert_array_equal(again.predict_proba(phantoms.data), expected)
