"""What detectors on the features of a classifier's network have in common."""

from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.outlier_detection._network_features import (
    ImageFeatures,
    find_network,
)

_MIN_IMAGES = 10


class NetworkGuard(OutlierMixin, BaseEstimator):
    """Score images by the features that a fitted classifier's network has of them."""

    _parameter_constraints = {
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
    }

    @abstractmethod
    def _learn(self, X):
        """Learn the features of scans, and return their scores."""

    @abstractmethod
    def _scores(self, features):
        """Return one score per image, from features by depth."""

    @staticmethod
    @abstractmethod
    def _is_consistent(state):
        """Return whether the fitted arrays in a state fit together."""

    def fit(self, X, y=None):
        """Learn the features of scans.

        Parameters
        ----------
        X : sequence of n images
            Real scans, as `estimator` takes them, best those that its network was
            trained on: at least 10, better thousands.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        TypeError, NotFittedError
            If `estimator` has no fitted classifier of this package.
        ValueError
            If a parameter is out of range, or there are fewer than 10 images.
        ImageReadError
            If images cannot be read; it lists all of them.
        """
        self._validate_params()
        self.estimator_ = find_network(self.estimator)
        self._features = ImageFeatures(self.estimator_)
        scores = self._learn(X)
        self.offset_ = float(np.quantile(scores, self.contamination))
        return self

    def score_samples(self, X):
        """Compute how similar each image is to the scans of `fit`.

        Parameters
        ----------
        X : sequence of n images
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,), float64
            Higher is more similar.
        """
        check_is_fitted(self)
        features = self._image_features()
        chunks = features.chunks(X)
        scores = [self._scores(features.of_images(images)) for images in chunks]
        return np.concatenate(scores).astype(np.float64)

    def decision_function(self, X):
        """Compute `score_samples` relative to the offset.

        Parameters
        ----------
        X : sequence of n images
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,), float64
            Negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Predict whether each image is an inlier.

        Parameters
        ----------
        X : sequence of n images
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,), int
            1 for an inlier, -1 for an outlier.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _image_features(self):
        """Return the feature extractor, built when it is first needed."""
        if getattr(self, "_features", None) is None:
            self._features = ImageFeatures(self.estimator_)
        return self._features

    def _check_number(self, n):
        if n < _MIN_IMAGES:
            name = type(self).__name__
            raise ValueError(f"{name} needs at least {_MIN_IMAGES} images, got {n}.")

    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_features", None)
        if "estimator_" in state:
            # Not what was given: a pipeline may have this guard as its attribute.
            state["estimator"] = None
        return state

    def __setstate__(self, state):
        if state.get("estimator") is None:  # a fitted one, maybe of a stranger
            offset = state.get("offset_")
            is_valid = (
                isinstance(state.get("estimator_"), Pipeline)
                and isinstance(offset, Real)
                and bool(np.isfinite(offset))
                and self._is_consistent(state)
            )
            if not is_valid:
                raise ModelFileError("the state of its guard is damaged")
        super().__setstate__(state)
        if self.estimator is None:
            self.estimator = FrozenEstimator(self.estimator_)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "offset_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags
