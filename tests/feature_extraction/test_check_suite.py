"""scikit-learn's check suite on CNNFeatures.

The suite knows only 2-D arrays of features. It runs on an adapter that lays each row
out as an image, and on a tiny backbone; all else is the transformer's
own code.
"""

import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from brain_tumor_clf.feature_extraction import CNNFeatures

SIDE = 8


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
