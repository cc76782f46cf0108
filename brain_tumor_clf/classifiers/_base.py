"""What every classifier does, whichever network it trains."""

import gc
from abc import abstractmethod

import keras
from sklearn.utils.validation import check_consistent_length

from brain_tumor_clf.classifiers._augmentation import make_augmentation_layers
from brain_tumor_clf.classifiers._callbacks import (
    EpochLines,
    FitProgress,
    RecordLearningRate,
    copy_callbacks,
)
from brain_tumor_clf.classifiers._inputs import (
    check_labels,
    check_validation_images,
    combine_weights,
    encode_labels,
    find_classes,
    make_targets,
    validation_split,
    warn_without_groups,
)
from brain_tumor_clf.classifiers._predictor import NetworkPredictor
from brain_tumor_clf.classifiers._schedule import make_learning_rate
from brain_tumor_clf.classifiers._training import (
    ShuffledBatches,
    compile_network,
    draw_seeds,
    grow_gpu_memory_on_demand,
    make_optimizer,
    set_learning_rate,
    train,
)
from brain_tumor_clf.networks import (
    same_augmentation,
    seeded_initialization,
    split_at_scaling,
)

_PRECISIONS = {False: None, True: "mixed_float16"}


class BaseCNNClassifier(NetworkPredictor):
    """Train a convolutional network on images and classify with it.

    A subclass fills `_build_network` and `_default_learning_rate`; all public methods
    are here and in the classes above.
    """

    @abstractmethod
    def _build_network(self, input_shape, n_outputs, augmentation, dtype):
        """Return an uncompiled network from intensities 0 to 255 to logits."""

    @abstractmethod
    def _default_learning_rate(self):
        """Return the learning rate where the parameter is None."""

    def fit(self, X, y, sample_weight=None, groups=None, X_val=None, y_val=None):
        """Train a new network, or continue training with ``warm_start=True``.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of one size with intensities 0 to 255. Files of mixed sizes go
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
            If shapes, lengths, intensities, labels or a parameter are out of range.

        Warns
        -----
        GroupsIgnoredWarning
            If early stopping has to split images whose groups it is not told.
        """
        self._validate_params()
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        X, y = self._check_data(X, y, reset=not going_on, any_size=going_on)
        check_consistent_length(X, sample_weight, groups)
        classes = self.classes_ if going_on else find_classes(y)
        codes = encode_labels(y, classes)
        weight = combine_weights(sample_weight, self.class_weight, y)
        seeds = draw_seeds(self.random_state)
        validation = self._check_validation_data(X_val, y_val, X.shape[1:], classes)
        if self.early_stopping and validation is None:
            if groups is None:
                warn_without_groups(type(self).__name__)
            kept, held_out = validation_split(
                codes, self.validation_fraction, groups=groups, seed=seeds.validation
            )
            validation = X[held_out], make_targets(codes[held_out], len(classes))
            if weight is not None:
                validation += (weight[held_out],)
                weight = weight[kept]
            # Only a split copies images: two copies of a set may not fit in memory.
            X, codes = X[kept], codes[kept]
        if going_on:
            self._renew_network(X.shape[1:], seeds)
        else:
            self._start(X.shape[1:], classes, seeds)
        self._train(X, codes, weight, validation, self.epochs, seeds)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch; the first call builds the network.

        Parameters
        ----------
        X : array-like of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3)
            Images of one size with intensities 0 to 255.
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
        X, y = self._check_data(X, y, reset=starting)
        check_consistent_length(X, sample_weight)
        if starting:
            known = find_classes(y if classes is None else classes)
        else:
            known = self.classes_
        codes = encode_labels(y, known)
        weight = combine_weights(sample_weight, self.class_weight, y)
        seeds = draw_seeds(self.random_state)
        if starting:
            self._start(X.shape[1:], known, seeds)
        self._train(X, codes, weight, None, 1, seeds)
        return self

    def initialize(self, X, y):
        """Build the network for images and labels like these without training it.

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
        X, y = self._check_data(X, y, reset=True)
        self._start(X.shape[1:], find_classes(y), draw_seeds(self.random_state))
        return self

    def _check_data(self, X, y, reset, any_size=False):
        y = check_labels(y, type(self).__name__)
        X = self._check_images(X, reset=reset or any_size)
        if any_size:
            self._check_shape(X, (*X.shape[1:3], self.input_shape_[2]))
        check_consistent_length(X, y)
        return X, y

    def _check_validation_data(self, X_val, y_val, shape, classes):
        if X_val is None and y_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError("X_val and y_val must be given together.")
        X_val = check_validation_images(X_val, type(self).__name__)
        self._check_shape(X_val, shape)
        y_val = check_labels(y_val, type(self).__name__)
        check_consistent_length(X_val, y_val)
        return X_val, make_targets(encode_labels(y_val, classes), len(classes))

    def _start(self, input_shape, classes, seeds):
        """Build the network of a fit that begins anew."""
        self.classes_, self.input_shape_ = classes, input_shape
        self.model_ = self._make_network(input_shape, seeds)
        self.history_ = {}

    def _make_network(self, input_shape, seeds):
        grow_gpu_memory_on_demand()
        # A search's earlier networks are cycles that only a full collection frees.
        gc.collect()
        n_classes = len(self.classes_)
        with seeded_initialization(seeds.network):
            return self._build_network(
                input_shape,
                1 if n_classes == 2 else n_classes,
                make_augmentation_layers(self.augmentation),
                _PRECISIONS.get(self.mixed_precision, self.mixed_precision),
            )

    def _renew_network(self, input_shape, seeds):
        """Build the network again with its weights if size or augmentation changed."""
        augmentation, trained = split_at_scaling(self.model_)
        asked = make_augmentation_layers(self.augmentation)
        if input_shape == self.input_shape_ and same_augmentation(augmentation, asked):
            return
        network = self._make_network(input_shape, seeds)
        _, renewed = split_at_scaling(network)
        for layer, source in zip(renewed, trained, strict=True):
            weights = source.get_weights()
            if [w.shape for w in weights] != [tuple(w.shape) for w in layer.weights]:
                raise ValueError(
                    f"{type(self).__name__} cannot train on with images of shape "
                    f"{input_shape} after {self.input_shape_}: the weights of its "
                    f"layer {layer.name!r} are of one size of images."
                )
            layer.set_weights(weights)
        self.model_, self.input_shape_ = network, input_shape

    def _compile(self, n_images, epochs):
        """Compile the network, or go on with its optimizer at the rate asked for."""
        rate = self.learning_rate or self._default_learning_rate()
        # A schedule spans one fit, so that training on begins it again.
        if self.model_.compiled and self.lr_schedule is None:
            if isinstance(self.optimizer, keras.optimizers.Optimizer):
                return
            if set_learning_rate(self.model_.optimizer, rate):
                return
        n_steps = epochs * -(-n_images // self.batch_size)
        optimizer = make_optimizer(
            self.optimizer,
            make_learning_rate(self.lr_schedule, rate, n_steps),
            self.weight_decay,
            self._routed_to("optimizer"),
        )
        compile_network(self.model_, optimizer, self.label_smoothing)

    def _train(self, X, codes, weight, validation, epochs, seeds):
        self._compile(len(X), epochs)
        targets = make_targets(codes, len(self.classes_))
        callbacks = copy_callbacks(self.callbacks)
        history = train(
            self.model_,
            ShuffledBatches(X, targets, weight, self.batch_size, seeds.batches),
            epochs=epochs,
            validation_data=validation,
            validation_batch_size=self.batch_size if validation else None,
            callbacks=[*self._own_callbacks(validation), *callbacks],
            seed=seeds.batches,
            **self._routed_to("fit"),
        )
        for callback in callbacks:
            callback.set_model(None)
        self.callbacks_ = callbacks
        for name, values in history.items():
            earlier = self.history_.get(name, [])
            self.history_[name] = [*earlier, *map(float, values)]
        self.n_iter_ = len(self.history_["loss"])

    def _own_callbacks(self, validation):
        callbacks = [RecordLearningRate()]
        if self.early_stopping and validation is not None:
            stopping = keras.callbacks.EarlyStopping(
                patience=self.n_iter_no_change, restore_best_weights=True
            )
            callbacks.append(stopping)
        if self.verbose:
            callbacks.append(FitProgress() if self.verbose == 1 else EpochLines())
        return callbacks
