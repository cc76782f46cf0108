"""scikit-learn's check suite on CNNFeatures.

The suite knows only 2-D arrays of features. It runs on an adapter that lays each row
out as an image, and on a backbone of one convolution; all else is the transformer's
own code.
"""

import keras
import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from brain_tumor_clf.feature_extraction import CNNFeatures
from brain_tumor_clf.networks import BACKBONES, Backbone

SIDE = 8


def one_convolution(input_tensor):
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(input_tensor)
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x)


TINY = Backbone(
    name="Tiny",
    scaling={"scale": 1 / 127.5, "offset": -1.0},
    blocks=(),
    last_conv="conv",
    default_size=SIDE,
    min_size=SIDE,
    learning_rate=1e-3,
    builder=one_convolution,
)


@pytest.fixture(autouse=True)
def _tiny_backbone(monkeypatch):
    monkeypatch.setitem(BACKBONES, "Tiny", TINY)


class TabularAdapter(CNNFeatures):
    """The transformer on rows of features, each an image of equal lines."""

    def fit(self, X, y=None):
        return super().fit(_as_images(validate_data(self, X)))

    def transform(self, X):
        check_is_fitted(self)
        return super().transform(_as_images(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = False
        return tags


def _as_images(X):
    width = max(X.shape[1], SIDE)
    images = np.zeros((len(X), SIDE, width, 1))
    images[:, :, : X.shape[1], 0] = X[:, np.newaxis, :]
    return images


@parametrize_with_checks([TabularAdapter("Tiny", weights=None, random_state=0)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
