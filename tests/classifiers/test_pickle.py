"""Fitted classifiers leave the process and come back the same."""

import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest

pytestmark = pytest.mark.backend

LOAD = """
import sys, joblib, numpy as np
clf = joblib.load(sys.argv[1])
np.save(sys.argv[3], clf.predict_proba(np.load(sys.argv[2])))
"""


def test_a_fresh_process_predicts_bit_for_bit(phantoms, tiny, tmp_path):
    clf = tiny(dropout=0.2, augmentation="light", dense_units=512, filters=(16, 64))
    clf.fit(phantoms.data, phantoms.target)
    model, images, out = (str(tmp_path / n) for n in ("m.joblib", "x.npy", "p.npy"))
    joblib.dump(clf, model)
    np.save(images, phantoms.data)
    subprocess.run([sys.executable, "-c", LOAD, model, images, out], check=True)
    np.testing.assert_array_equal(np.load(out), clf.predict_proba(phantoms.data))
    n_bytes = sum(np.asarray(weights).nbytes for weights in clf.model_.weights)
    assert n_bytes > 1e6
    assert (tmp_path / "m.joblib").stat().st_size < 1.2 * n_bytes


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


def test_deepcopy_is_independent(phantoms, tiny):
    clf = tiny().fit(phantoms.data, phantoms.target)
    before = clf.predict_proba(phantoms.data)
    copied = copy.deepcopy(clf)
    assert copied.model_ is not clf.model_
    copied.model_.set_weights([0 * np.asarray(w) for w in copied.model_.weights])
    np.testing.assert_array_equal(clf.predict_proba(phantoms.data), before)


def test_an_unfitted_classifier_pickles(tiny):
    assert pickle.loads(pickle.dumps(tiny())).get_params() == tiny().get_params()
