"""What every classifier does; a subclass says only which network it trains."""

from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from brain_tumor_clf.classifiers._seeding import draw_seeds
from brain_tumor_clf.classifiers._state import StoredNetwork
from brain_tumor_clf.classifiers._trainer import NetworkTrainer
from brain_tumor_clf.classifiers._training import predict_logits
from brain_tumor_clf.classifiers._validation_split import (
    validation_split,
    warn_without_groups,
)


class BaseCNNClassifier(StoredNetwork, NetworkTrainer):
    """Train a convolutional network on images and classify with it.

    A subclass fills `_build_network` and `_default_learning_rate`; all public methods
    are here.
    """

    _parameter_constraints = {
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "mixed_precision": [
            "boolean",
            StrOptions({"mixed_float16", "mixed_bfloat16"}),
        ],
        "test_time_augmentation": [StrOptions({"mirror"}), None],
        "warm_start": ["boolean"],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        augmentation,
        optimizer,
        learning_rate,
        lr_schedule,
        weight_decay,
        label_smoothing,
        epochs,
        batch_size,
        early_stopping,
        validation_fraction,
        n_iter_no_change,
        class_weight,
        mixed_precision,
        test_time_augmentation,
        warm_start,
        callbacks,
        random_state,
        verbose,
        **routed,
    ):
        self.augmentation = augmentation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.mixed_precision = mixed_precision
        self.test_time_augmentation = test_time_augmentation
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose
        self._init_routed(routed)

    # --- what a subclass fills -------------------------------------------------

    @abstractmethod
    def _build_network(self, input_shape, n_outputs, augmentation, dtype):
        """An uncompiled network that takes grey levels 0 to 255 and puts out logits."""

    @abstractmethod
    def _default_learning_rate(self):
        """The learning rate where the parameter is None."""

    # --- public ------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None, groups=None, X_val=None, y_val=None):
        """Train a new network, or train on with ``warm_start=True``.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of one size with grey levels 0 to 255. Files of mixed sizes go
            through `make_mri_pipeline` first.
        y : array-like of shape (n,)
            Labels: strings, integers or booleans.
        sample_weight : array-like of shape (n,), default=None
            Weight of each image in the loss.
        groups : array-like of shape (n,), default=None
            Patient or duplicate group of each image. With ``early_stopping=True`` the
            inner validation split keeps each group on one side.
        X_val, y_val : array-like, default=None
            Images and labels to watch instead of an inner split. In a pipeline of
            paths `X_val` is preprocessed only if the pipeline's ``transform_input``
            names it.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        TypeError
            If `X` holds files instead of arrays.
        ValueError
            If shapes, lengths, grey levels, labels or a parameter are out of range.

        Warns
        -----
        GroupsIgnoredWarning
            If early stopping has to split images whose groups it is not told.
        """
        self._validate_params()
        starting = not (self.warm_start and self.__sklearn_is_fitted__())
        X, codes = self._check_training_data(
            X, y, reset=starting, any_size=not starting
        )
        check_consistent_length(X, y, sample_weight, groups)
        weight = self._weigh(codes, sample_weight)
        seeds = draw_seeds(self.random_state)
        validation = self._check_validation_data(X_val, y_val, X.shape[1:])
        train = np.arange(len(X))
        if self.early_stopping and validation is None:
            warn_without_groups(groups, type(self).__name__)
            train, held_out = validation_split(
                codes, self.validation_fraction, groups=groups, seed=seeds.validation
            )
            validation = X[held_out], self._encode(codes[held_out])
            if weight is not None:
                validation += (weight[held_out],)
        if starting:
            self._start(seeds)
        else:
            self._renew_network(X.shape[1:], seeds)
        # Only a split copies images: two copies of a whole set may not fit in memory.
        if len(train) < len(X):
            X, codes = X[train], codes[train]
            weight = None if weight is None else weight[train]
        self._train(X, codes, weight, validation, self.epochs, seeds)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train one more epoch; the first call builds the network.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of one size with grey levels 0 to 255.
        y : array-like of shape (n,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels of all calls; needed by the first call if `y` lacks some.
        sample_weight : array-like of shape (n,), default=None
            Weight of each image in the loss.

        Returns
        -------
        self : object
            The classifier.
        """
        self._validate_params()
        starting = not self.__sklearn_is_fitted__()
        X, codes = self._check_training_data(X, y, reset=starting, classes=classes)
        check_consistent_length(X, y, sample_weight)
        seeds = draw_seeds(self.random_state)
        if starting:
            self._start(seeds)
        self._train(X, codes, self._weigh(codes, sample_weight), None, 1, seeds)
        return self

    def initialize(self, X, y):
        """Build the network for images and labels like these, and train nothing.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of the size to expect.
        y : array-like of shape (n,)
            Labels, with every class.

        Returns
        -------
        self : object
            A classifier that predicts with the initial weights.
        """
        self._validate_params()
        self._check_training_data(X, y, reset=True)
        self._start(draw_seeds(self.random_state))
        self.history_ = {}
        return self

    def decision_function(self, X):
        """The network's logits, averaged over views as `test_time_augmentation` says.

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
        return logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X):
        """Probability of each class.

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

    def predict(self, X):
        """The most probable class of each image.

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

    def score(self, X, y, sample_weight=None):
        """Accuracy of the predictions.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of the size that was fitted.
        y : array-like of shape (n,)
            True labels.
        sample_weight : array-like of shape (n,), default=None
            Weight of each image.

        Returns
        -------
        float
        """
        return accuracy_score(y, self.predict(X), sample_weight=sample_weight)
