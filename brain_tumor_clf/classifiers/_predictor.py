"""What a fitted network answers, as scikit-learn's classifiers give it."""

import keras
import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf.classifiers._inputs import check_images
from brain_tumor_clf.classifiers._parameters import NetworkParameters
from brain_tumor_clf.classifiers._state import StoredNetwork
from brain_tumor_clf.classifiers._training import (
    count_devices,
    without_retracing_warnings,
)
from brain_tumor_clf.exceptions import DivergenceError


def predict_logits(network, X, batch_size, mirror=False):
    """Return the output of a network for images, without the start-up of ``predict``.

    With `mirror` it is averaged over each image and its left-right mirror image.
    """
    predict = _predict_both_sides if mirror else _predict_batch
    with without_retracing_warnings():
        batches = [
            predict(network, X[start : start + batch_size])
            for start in range(0, len(X), batch_size)
        ]
    return np.concatenate(batches) if len(batches) > 1 else batches[0]


def _predict_both_sides(network, batch):
    # At once: for a single scan two calls cost nearly twice the time of one.
    both = _predict_batch(network, np.concatenate([batch, batch[:, :, ::-1]]))
    return (both[: len(batch)] + both[len(batch) :]) / 2


def _predict_batch(network, batch):
    n = len(batch)
    if keras.backend.backend() == "jax":
        # JAX compiles once per shape: pad to a power of two to bound the number.
        size = 1 << (n - 1).bit_length()
        padding = size + -size % count_devices() - n
        batch = np.pad(batch, [(0, padding)] + [(0, 0)] * (batch.ndim - 1))
    return np.asarray(network.predict_on_batch(batch))[:n]


class NetworkPredictor(StoredNetwork, NetworkParameters):
    """Predict with the network ``model_`` that `BaseCNNClassifier` trains."""

    def decision_function(self, X):
        """Compute the logits, averaged over views as `test_time_augmentation` says.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of the size that was fitted.

        Returns
        -------
        ndarray of shape (n,) or (n, n_classes), float32
            One column for two classes: positive for ``classes_[1]``.
        """
        check_is_fitted(self)
        X = self._check_images(X, reset=False)
        mirror = self.test_time_augmentation == "mirror"
        logits = predict_logits(self.model_, X, self.batch_size, mirror)
        if not np.isfinite(logits).all():
            raise DivergenceError(
                f"The network of this {type(self).__name__} returns NaN or infinity: "
                "its training diverged. Fit it again with a lower learning_rate."
            )
        return logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of the size that was fitted.

        Returns
        -------
        ndarray of shape (n, n_classes), float64
            Columns in the order of `classes_`; each row sums to one.
        """
        logits = self.decision_function(X).astype(np.float64)
        if logits.ndim == 1:
            return np.column_stack([expit(-logits), expit(logits)])
        return softmax(logits, axis=1)

    def predict_log_proba(self, X):
        """Compute the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of the size that was fitted.

        Returns
        -------
        ndarray of shape (n, n_classes), float64
            Finite also where a probability is too small for a float.
        """
        logits = self.decision_function(X).astype(np.float64)
        if logits.ndim == 1:
            return np.column_stack([log_expit(-logits), log_expit(logits)])
        return log_softmax(logits, axis=1)

    def predict(self, X):
        """Predict the most probable class of each image.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of the size that was fitted.

        Returns
        -------
        ndarray of shape (n,)
            Labels, of the type that `fit` was given.
        """
        logits = self.decision_function(X)
        codes = (logits > 0).astype(int) if logits.ndim == 1 else logits.argmax(axis=1)
        return self.classes_[codes]

    score = ClassifierMixin.score  # the accuracy

    def _check_images(self, X, reset):
        X = check_images(X, type(self).__name__)
        if not reset:
            self._check_shape(X, self.input_shape_)
        return X

    def _check_shape(self, X, expected):
        if X.shape[1:] != expected:
            raise ValueError(
                f"{type(self).__name__} was fitted on images of shape "
                f"{expected} (height, width, channels), got {X.shape[1:]}."
            )
