"""Fitted classifiers as pickles; a whole pipeline's is in `tests/test_pipeline.py`."""

import copy
import pickle

import numpy as np
import pytest

from brain_tumor_clf import Augmentation

pytestmark = pytest.mark.backend


def test_the_optimizer_travels_only_where_training_goes_on(phantoms, tiny):
    cold = tiny().fit(phantoms.data, phantoms.target)
    warm = tiny(warm_start=True).fit(phantoms.data, phantoms.target)
    assert len(pickle.dumps(warm)) > 1.5 * len(pickle.dumps(cold))


@pytest.mark.parametrize("schedule", [None, "cosine"])
def test_training_goes_on_after_a_pickle_as_before(phantoms, tiny, schedule):
    clf = tiny(warm_start=True, lr_schedule=schedule)
    clf.fit(phantoms.data, phantoms.target)
    loaded = pickle.loads(pickle.dumps(clf))
    for each in (clf, loaded):
        each.fit(phantoms.data, phantoms.target)
    np.testing.assert_allclose(
        clf.predict_proba(phantoms.data),
        loaded.predict_proba(phantoms.data),
        atol=1e-6,
    )


def test_partial_fit_goes_on_after_a_pickle_as_before(phantoms, tiny):
    X, y = phantoms.data, phantoms.target
    clf = tiny(lr_schedule="cosine").partial_fit(X, y)
    for copied in (pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        again = pickle.loads(pickle.dumps(copied))
        for each in (copied, again):
            each.partial_fit(X, y)
    clf.partial_fit(X, y)
    for each in (copied, again):
        assert each.history_["learning_rate"] == clf.history_["learning_rate"]
        np.testing.assert_allclose(
            clf.predict_proba(X), each.predict_proba(X), atol=1e-6
        )


def test_an_augmentation_of_an_earlier_version_gets_new_parameters():
    state = Augmentation(rotation=7.0).__getstate__()
    for name in ("aspect", "shear", "edges", "skull_stripping", "text"):
        del state[name]
    old = Augmentation.__new__(Augmentation)
    old.__setstate__(state)
    assert old.get_params() == Augmentation(rotation=7.0).get_params()


def test_deepcopy_is_independent(phantoms, tiny):
    clf = tiny().fit(phantoms.data, phantoms.target)
    before = clf.predict_proba(phantoms.data)
    copied = copy.deepcopy(clf)
    assert copied.model_ is not clf.model_
    copied.model_.set_weights([0 * np.asarray(w) for w in copied.model_.weights])
    np.testing.assert_array_equal(clf.predict_proba(phantoms.data), before)


def test_an_unfitted_classifier_pickles(tiny):
    assert pickle.loads(pickle.dumps(tiny())).get_params() == tiny().get_params()
