"""What `fit` does between its checks: build the network, compile it, train it."""

import gc

import keras
import numpy as np
from sklearn.utils import compute_sample_weight
from sklearn.utils.validation import check_consistent_length

from brain_tumor_clf.classifiers import _inputs
from brain_tumor_clf.classifiers._augmentation import make_augmentation_layers
from brain_tumor_clf.classifiers._callbacks import (
    BestWeights,
    EpochLines,
    FitProgress,
    RecordLearningRate,
    copy_callbacks,
)
from brain_tumor_clf.classifiers._optimizer import make_optimizer, set_learning_rate
from brain_tumor_clf.classifiers._schedule import make_learning_rate
from brain_tumor_clf.classifiers._scikeras import ScikerasClassifier
from brain_tumor_clf.classifiers._training import (
    ShuffledBatches,
    compile_network,
    grow_gpu_memory_on_demand,
    seeded_backend,
    without_retracing_warnings,
)
from brain_tumor_clf.networks import (
    same_augmentation,
    seeded_initialization,
    split_at_scaling,
)

_PRECISIONS = {False: None, True: "mixed_float16"}


class NetworkTrainer(ScikerasClassifier):
    """The private half of `BaseCNNClassifier`."""

    def _check_images(self, X, reset):
        X = _inputs.check_images(X, type(self).__name__)
        if reset:
            self.input_shape_ = X.shape[1:]
        self._check_shape(X, self.input_shape_)
        return X

    def _check_shape(self, X, expected):
        if X.shape[1:] != expected:
            raise ValueError(
                f"{type(self).__name__} was fitted on images of shape "
                f"{expected} (height, width, channels), got {X.shape[1:]}."
            )

    def _check_training_data(self, X, y, reset, classes=None, any_size=False):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        y = _inputs.check_labels(y)
        if any_size:
            X = _inputs.check_images(X, type(self).__name__)
            self._check_shape(X, (*X.shape[1:3], self.input_shape_[2]))
        else:
            X = self._check_images(X, reset=reset)
        check_consistent_length(X, y)
        if reset:
            self.classes_ = _inputs.find_classes(y if classes is None else classes)
        return X, _inputs.encode_labels(y, self.classes_)

    def _check_validation_data(self, X_val, y_val, shape):
        if X_val is None and y_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError("X_val and y_val must be given together.")
        X_val = _inputs.check_validation_images(X_val, type(self).__name__)
        self._check_shape(X_val, shape)
        y_val = _inputs.check_labels(y_val)
        check_consistent_length(X_val, y_val)
        return X_val, self._encode(_inputs.encode_labels(y_val, self.classes_))

    def _encode(self, codes):
        """Codes as the loss takes them: one column for two classes, else one each."""
        if len(self.classes_) == 2:
            return codes[:, None].astype("float32")
        return np.eye(len(self.classes_), dtype="float32")[codes]

    def _weigh(self, codes, sample_weight):
        weight = _inputs.check_weights(sample_weight, len(codes))
        if self.class_weight is not None:
            labels = self.classes_[codes]
            by_class = compute_sample_weight(self.class_weight, labels)
            by_class = by_class.astype("float32")
            weight = by_class if weight is None else weight * by_class
        return weight

    def _start(self, seeds):
        """Build the network of a fit that begins anew."""
        self.model_ = self._make_network(self.input_shape_, seeds)
        self.history_ = {}

    def _make_network(self, input_shape, seeds):
        grow_gpu_memory_on_demand()
        # A search's earlier networks are cycles that only a full collection frees.
        gc.collect()
        n_classes = len(self.classes_)
        dtype = _PRECISIONS.get(self.mixed_precision, self.mixed_precision)
        with seeded_initialization(seeds.network):
            return self._build_network(
                input_shape,
                1 if n_classes == 2 else n_classes,
                make_augmentation_layers(self.augmentation),
                dtype,
            )

    def _renew_network(self, input_shape, seeds):
        """Give the network another input size or augmentation, where these are asked.

        It is built again with the same weights; the optimizer begins anew.
        """
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

    def _learning_rate(self):
        return self.learning_rate or self._default_learning_rate()

    def _compile(self, n_images, epochs):
        n_steps = epochs * -(-n_images // self.batch_size)
        optimizer = make_optimizer(
            self.optimizer,
            make_learning_rate(self.lr_schedule, self._learning_rate(), n_steps),
            self.weight_decay,
            self._routed_to("optimizer"),
        )
        compile_network(self.model_, optimizer, self.label_smoothing)

    def _ready_to_train(self, n_images, epochs):
        """Compile, or go on with the optimizer that there is, at the rate asked for."""
        # A schedule spans one fit, so that fitting on begins it again.
        if self.model_.compiled and self.lr_schedule is None:
            if isinstance(self.optimizer, keras.optimizers.Optimizer):
                return
            if set_learning_rate(self.model_.optimizer, self._learning_rate()):
                return
        self._compile(n_images, epochs)

    def _train(self, X, codes, weight, validation, epochs, seeds):
        self._ready_to_train(len(X), epochs)
        batches = ShuffledBatches(
            X, self._encode(codes), weight, self.batch_size, seeds.batches
        )
        own, callbacks = self._own_callbacks(validation), copy_callbacks(self.callbacks)
        try:
            with without_retracing_warnings(), seeded_backend(seeds.batches):
                history = self.model_.fit(
                    batches,
                    epochs=epochs,
                    shuffle=False,
                    verbose=0,
                    validation_data=validation,
                    validation_batch_size=self.batch_size if validation else None,
                    callbacks=[*own, *callbacks],
                    **self._routed_to("fit"),
                ).history
        finally:
            batches.release()
            # An interrupted fit ends without `on_train_end`.
            for callback in own:
                callback.close()
        for callback in callbacks:
            callback.set_model(None)
        self.callbacks_ = callbacks
        for name, values in history.items():
            earlier = self.history_.get(name, [])
            self.history_[name] = [*earlier, *map(float, values)]
        self.n_iter_ = len(self.history_["loss"])
        # The traced step holds much memory; fitting on traces again.
        self.model_.train_function = self.model_.test_function = None

    def _own_callbacks(self, validation):
        callbacks = [RecordLearningRate()]
        if self.early_stopping and validation is not None:
            callbacks.append(BestWeights(self.n_iter_no_change))
        if self.verbose:
            callbacks.append(FitProgress() if self.verbose == 1 else EpochLines())
        return callbacks
