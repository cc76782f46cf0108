"""What every classifier does, whichever network it trains."""

import gc
from abc import abstractmethod
from contextlib import nullcontext

import keras
from sklearn.utils.validation import check_consistent_length

from brain_tumor_clf._validation import validate_params
from brain_tumor_clf.classifiers._augmentation import make_augmentation_layers
from brain_tumor_clf.classifiers._callbacks import (
    copy_callbacks,
    own_callbacks,
    release_callbacks,
)
from brain_tumor_clf.classifiers._compilation import (
    averaging_options,
    compile_network,
    make_optimizer,
    ready_averages,
    set_learning_rate,
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
    Batches,
    copy_weights,
    draw_seeds,
    grow_gpu_memory_on_demand,
    restored_on_failure,
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

    A subclass fills `_build_network` and `_default_learning_rate`.
    """

    # With metadata routing, groups are for a splitter unless `fit` requests them.
    __metadata_request__fit = {"groups": False}

    @abstractmethod
    def _build_network(self, input_shape, n_outputs, augmentation, dtype, seed):
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
            Weight of each image in the loss. Only ratios matter: weights, times class
            weights, are divided by their mean.
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
        validate_params(self)
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        X, y = self._check_data(X, y, reset=not going_on, any_size=going_on)
        check_consistent_length(X, sample_weight, groups)
        classes = self.classes_ if going_on else find_classes(y)
        codes = encode_labels(y, classes)
        weight = combine_weights(sample_weight, self.class_weight, y)
        seeds = draw_seeds(self.random_state)
        validation = self._check_validation_data(X_val, y_val, X.shape[1:], classes)
        targets = make_targets(codes, len(classes))
        if self.early_stopping and validation is None:
            if groups is None:
                warn_without_groups(type(self).__name__)
            kept, held_out = validation_split(
                codes, self.validation_fraction, groups=groups, seed=seeds.validation
            )
            # Only a split copies images: two copies of a set may not fit in memory.
            validation, (X, targets, weight) = (
                (X[part], targets[part], None if weight is None else weight[part])
                for part in (held_out, kept)
            )
        if going_on:
            network = self._renewed_network(X.shape[1:], seeds)
        else:
            network = self._make_network(X.shape[1:], classes, seeds)
        data = (X, targets, weight)
        self._train(network, classes, data, validation, seeds, going_on)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch; the first call builds the network.

        A learning rate schedule spans `epochs` calls as long as the first. A pickle
        between two calls includes the optimizer's state.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels of all calls; needed by the first call if `y` lacks some.

        Returns
        -------
        self : object
            The classifier.
        """
        validate_params(self)
        going_on = self.__sklearn_is_fitted__()
        X, y = self._check_data(X, y, reset=not going_on)
        check_consistent_length(X, sample_weight)
        if going_on:
            classes = self.classes_
        else:
            classes = find_classes(y if classes is None else classes)
        targets = make_targets(encode_labels(y, classes), len(classes))
        weight = combine_weights(sample_weight, self.class_weight, y)
        seeds = draw_seeds(self.random_state)
        shape = X.shape[1:]
        network = self.model_ if going_on else self._make_network(shape, classes, seeds)
        data = (X, targets, weight)
        self._train(network, classes, data, None, seeds, going_on, partial=True)
        return self

    def initialize(self, X, y):
        """Build the network for images and labels like these without training it.

        Parameters
        ----------
        X, y : array-like
            Images of the size to expect and labels with every class, as in `fit`.

        Returns
        -------
        self : object
            The classifier, with initial weights.
        """
        validate_params(self)
        X, y = self._check_data(X, y, reset=True)
        classes = find_classes(y)
        seeds = draw_seeds(self.random_state)
        self.model_ = self._make_network(X.shape[1:], classes, seeds)
        self.classes_, self.input_shape_, self.history_ = classes, X.shape[1:], {}
        return self

    def _check_data(self, X, y, reset, any_size=False):
        y = check_labels(y, type(self).__name__)
        X = self._check_images(X, reset=reset or any_size)
        if any_size:
            self._check_shape(X, (*X.shape[1:3], self.input_shape_[2]))
        check_consistent_length(X, y)
        return X, y

    def _check_validation_data(self, X_val, y_val, shape, classes):
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val must be given together.")
        if X_val is None:
            return None
        X_val = check_validation_images(X_val, type(self).__name__)
        self._check_shape(X_val, shape)
        y_val = check_labels(y_val, type(self).__name__)
        check_consistent_length(X_val, y_val)
        targets = make_targets(encode_labels(y_val, classes), len(classes))
        return X_val, targets, None

    def _make_network(self, input_shape, classes, seeds):
        grow_gpu_memory_on_demand()
        # A search's earlier networks are cycles that only a full collection frees.
        gc.collect()
        with seeded_initialization(seeds.network):
            return self._build_network(
                input_shape,
                1 if len(classes) == 2 else len(classes),
                make_augmentation_layers(self.augmentation),
                _PRECISIONS.get(self.mixed_precision, self.mixed_precision),
                seeds.network,
            )

    def _split_network(self, network):
        """Return the augmentation layers of a network, and those with weights."""
        augmentation, others = split_at_scaling(network)
        return augmentation, [layer for layer in others if layer.weights]

    def _renewed_network(self, input_shape, seeds):
        """Return the network, built again if size or augmentation changed."""
        augmentation, trained = self._split_network(self.model_)
        with seeded_initialization(seeds.network):
            asked = make_augmentation_layers(self.augmentation)
        if input_shape == self.input_shape_ and same_augmentation(augmentation, asked):
            return self.model_
        network = self._make_network(input_shape, self.classes_, seeds)
        _, renewed = self._split_network(network)
        copy_weights(trained, renewed)
        return network

    def _compile(self, network, n_steps, partial=False):
        """Compile a network, or keep its optimizer and set the rate asked for."""
        rate = self.learning_rate or self._default_learning_rate()
        if network.compiled and (partial or self.lr_schedule is None):
            is_instance = isinstance(self.optimizer, keras.optimizers.Optimizer)
            if self.lr_schedule is not None or is_instance:
                return
            if set_learning_rate(network.optimizer, rate):
                return
        optimizer = make_optimizer(
            self.optimizer,
            make_learning_rate(self.lr_schedule, rate, n_steps),
            self.weight_decay,
            averaging_options(self.weight_averaging, n_steps)
            | self._routed_to("optimizer"),
        )
        compile_network(
            network, optimizer, self.loss, self.metrics, self.label_smoothing
        )

    def _train(self, network, classes, data, held_out, seeds, going_on, partial=False):
        """Train a network, and only then keep it in place of the one before."""
        seed = seeds.batches
        # Each call of one training has an order of its own.
        order_seed = [seed, self.n_iter_] if going_on and self.history_ else seed
        batches = Batches(*data, self.batch_size, order_seed, always_weighted=partial)
        validation = held_out and Batches(*held_out, self.batch_size, seed=None)
        # A schedule spans one `fit`, or as many calls of `partial_fit` as epochs.
        self._compile(network, self.epochs * len(batches), partial)
        patience = self.n_iter_no_change if self.early_stopping and validation else None
        averages = ready_averages(network) and validation is not None
        own = own_callbacks(self.verbose, patience, averages)
        callbacks = copy_callbacks(self.callbacks)
        with restored_on_failure(network) if going_on else nullcontext():
            history = train(
                network,
                batches,
                epochs=1 if partial else self.epochs,
                validation=validation,
                callbacks=[*own, *callbacks],
                seed=seed,
                keep_trace=partial,
                **self._routed_to("fit"),
            )
        release_callbacks(callbacks)
        earlier = self.history_ if going_on else {}
        self.history_ = earlier | {
            name: [*earlier.get(name, []), *map(float, values)]
            for name, values in history.items()
        }
        self.model_, self.callbacks_, self.classes_ = network, callbacks, classes
        self.input_shape_, self.trained_in_parts_ = data[0].shape[1:], partial
        self.n_iter_ = len(self.history_["loss"])
