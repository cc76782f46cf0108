"""CNNClassifier: networks of the user's own."""

import functools
import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from brain_tumor_clf import CNNClassifier, grad_cam
from brain_tumor_clf.networks import simple_cnn


def small(input_shape, n_outputs, n_filters=2):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(n_filters, 3, activation="relu"),
            keras.layers.Dropout(0.1),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(n_outputs),
        ]
    )


def large(input_shape, n_outputs):
    return small(input_shape, n_outputs, n_filters=8)


@pytest.mark.backend
def test_networks_are_searched(phantoms):
    clf = CNNClassifier(small, epochs=1, random_state=0)
    search = GridSearchCV(clf, {"network": [small, large]}, cv=2, error_score="raise")
    search.fit(phantoms.data, phantoms.target)
    best = search.best_estimator_
    assert best.network in (small, large)
    again = clone(best).fit(phantoms.data, phantoms.target)
    proba = best.predict_proba(phantoms.data)
    np.testing.assert_array_equal(again.predict_proba(phantoms.data), proba)
    loaded = pickle.loads(pickle.dumps(best))
    np.testing.assert_array_equal(loaded.predict_proba(phantoms.data), proba)


def test_augmentation_and_warm_start(phantoms):
    X, y = phantoms.data, phantoms.target
    clf = CNNClassifier(
        small, augmentation="light", warm_start=True, epochs=1, random_state=0
    )
    network = clf.fit(X, y).model_
    assert "random_affine" in [layer.name for layer in network.layers]
    assert clf.fit(X, y).model_ is network
    scores = clf.decision_function(X)
    clf.set_params(augmentation=None, learning_rate=1e-9).fit(X, y)
    np.testing.assert_allclose(clf.decision_function(X), scores, atol=1e-5)
    assert clf.fit(X, y).n_iter_ == 4


def test_half_precision_leaves_the_global_policy(phantoms):
    clf = CNNClassifier(small, mixed_precision="mixed_bfloat16", epochs=1)
    clf.initialize(phantoms.data, phantoms.target)
    assert "bfloat16" in {layer.compute_dtype for layer in clf.model_.layers}
    assert keras.config.dtype_policy().name == "float32"


def test_functions_of_the_package_take_all_options(phantoms):
    network = functools.partial(simple_cnn, filters=(2, 4), dense_units=4)
    clf = CNNClassifier(network, augmentation="light", epochs=1, random_state=0)
    clf.fit(phantoms.data, phantoms.target == "notumor")
    assert "random_affine" in [layer.name for layer in clf.model_.layers]
    assert grad_cam(clf, phantoms.data[:1]).shape == (1, 24, 24)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda input_shape, n_outputs: None, r"shape \(None, 4\), got NoneType"),
        (lambda input_shape, n_outputs: small(input_shape, 3), r"got \(None, 3\)"),
        ("small", "network"),
    ],
)
def test_other_networks_are_refused(phantoms, network, message):
    with pytest.raises(ValueError, match=message):
        CNNClassifier(network).fit(phantoms.data, phantoms.target)
