"""scikit-learn's check suite on the classifier base, and image twins of its checks.

The suite knows only 2-D arrays of features. It runs on an adapter that takes those in
place of images and trains a dense network; all else is the base's own code.
"""

import copy
import tempfile
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from brain_tumor_clf import SimpleCNNClassifier

EXPECTED_FAILURES = {
    "check_do_not_raise_errors_in_init_or_set_params": (
        "the check takes **routed for a parameter; unknown names are refused at once"
    ),
    "check_estimator_tags_renamed": (
        "scikeras' own classes still define the tags of scikit-learn before 1.6"
    ),
    "check_mixin_order": "scikeras' own classes put BaseEstimator before the mixins",
    "check_sample_weight_equivalence_on_dense_data": (
        "a repeated image falls into other batches than a weighted one, and sums in "
        "float32 differ in their last digits"
    ),
}


class TabularAdapter(SimpleCNNClassifier):
    """The classifier base on rows of features."""

    def _check_images(self, X, reset):
        return validate_data(self, X, reset=reset, dtype="float32")

    def _build_network(self, input_shape, n_outputs, augmentation, dtype, seed):
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Dense(16, activation="relu"),
                keras.layers.Dense(n_outputs),
            ]
        )

    def _compile(self, network, *args):
        super()._compile(network, *args)
        # Tracing so small a network costs more than running it.
        network.run_eagerly = True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = False
        return tags


@parametrize_with_checks(
    [
        TabularAdapter(
            epochs=10,
            batch_size=512,
            optimizer="adam",
            learning_rate=0.1,
            random_state=0,
        )
    ],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


METHODS = ["predict", "predict_proba", "decision_function"]


def test_twin_init_only_assigns():
    clf = SimpleCNNClassifier(filters=(3,))
    assert vars(clf) == clf.get_params(deep=False)


@pytest.mark.parametrize("value", [-1, 3.0, "helloworld", np.ones(2), [1], {}])
def test_twin_init_and_set_params_take_any_value(value):
    params = dict.fromkeys(SimpleCNNClassifier().get_params(), value)
    clf = SimpleCNNClassifier(**params).set_params(**params)
    assert all(vars(clf)[name] is value for name in params)


def test_twin_fit_returns_self_and_leaves_its_input(phantoms, tiny):
    X, y = phantoms.data.copy(), phantoms.target.copy()
    clf = tiny(epochs=1, augmentation="light")
    assert clf.fit(X, y) is clf
    np.testing.assert_array_equal(X, phantoms.data)
    np.testing.assert_array_equal(y, phantoms.target)


def test_twin_fit_keeps_parameters(phantoms, tiny):
    clf = tiny(epochs=1, augmentation="light", lr_schedule="cosine")
    before = copy.deepcopy(clf.get_params(deep=False))
    clf.fit(phantoms.data, phantoms.target)
    assert clf.get_params(deep=False) == before
    added = set(vars(clf)) - set(before)
    assert added
    assert all(name.endswith("_") and name[0] != "_" for name in added)


@pytest.mark.parametrize("method", METHODS)
def test_twin_predicting_changes_nothing(phantoms, fitted, method):
    X = phantoms.data.copy()
    before = dict(vars(fitted))
    weights = [np.array(np.asarray(w)) for w in fitted.model_.weights]
    getattr(fitted, method)(X)
    assert vars(fitted) == before
    for was, now in zip(weights, fitted.model_.weights, strict=True):
        np.testing.assert_array_equal(was, np.asarray(now))
    np.testing.assert_array_equal(X, phantoms.data)


@pytest.mark.parametrize("method", METHODS)
def test_twin_each_image_alone_predicts_as_among_others(phantoms, fitted, method):
    predict = getattr(fitted, method)
    whole = predict(phantoms.data)
    alone = np.concatenate([predict(phantoms.data[i : i + 1]) for i in range(12)])
    order = np.random.default_rng(0).permutation(48)
    shuffled = predict(phantoms.data[order])
    if whole.dtype.kind == "f":
        np.testing.assert_allclose(alone, whole[:12], atol=1e-5)
        np.testing.assert_allclose(shuffled, whole[order], atol=1e-5)
    else:
        np.testing.assert_array_equal(alone, whole[:12])
        np.testing.assert_array_equal(shuffled, whole[order])


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: X[::-1].copy()[::-1],
        lambda X: X.astype("float32"),
        lambda X: X.astype("float64"),
        lambda X: X.astype("int16"),
        lambda X: X[..., None],
        list,
    ],
    ids=[
        "Fortran",
        "strided",
        "reversed",
        "float32",
        "float64",
        "int16",
        "4-D",
        "list",
    ],
)
def test_twin_memory_layout_and_dtype_do_not_matter(phantoms, fitted, convert):
    np.testing.assert_allclose(
        fitted.predict_proba(convert(phantoms.data)),
        fitted.predict_proba(phantoms.data),
        atol=1e-6,
    )


def test_twin_read_only_memory_maps(phantoms, tiny):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.joblib"
        joblib.dump((phantoms.data, np.ones(48)), path)
        X, weight = joblib.load(path, mmap_mode="r")
        assert not X.flags.writeable
        mapped = tiny(epochs=1, class_weight="balanced")
        mapped.fit(X, phantoms.target, sample_weight=weight)
        in_memory = tiny(epochs=1, class_weight="balanced")
        in_memory.fit(phantoms.data, phantoms.target, sample_weight=np.ones(48))
        np.testing.assert_array_equal(
            mapped.predict_proba(X), in_memory.predict_proba(phantoms.data)
        )
        del X, weight


def test_twin_a_second_fit_forgets_the_first(phantoms, tiny):
    clf = tiny(epochs=1).fit(phantoms.data[:, :20], phantoms.target == "notumor")
    clf.fit(phantoms.data, phantoms.target)
    other = tiny(epochs=1).fit(phantoms.data, phantoms.target)
    assert clf.input_shape_ == (24, 24, 1)
    np.testing.assert_array_equal(clf.classes_, other.classes_)
    np.testing.assert_array_equal(
        clf.predict_proba(phantoms.data), other.predict_proba(phantoms.data)
    )
