"""What a network is compiled with: optimizer, loss and metrics."""

import keras

from brain_tumor_clf._validation import unknown_name_message

_OPTIMIZER_WRAPPERS = {"optimizer", "lossscaleoptimizer", "multioptimizer"}
_LOSSES = {
    "crossentropy": ("BinaryCrossentropy", "CategoricalCrossentropy"),
    "focal": ("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"),
}


def make_optimizer(optimizer, learning_rate, weight_decay, options):
    """Return a new Keras optimizer of a name, a class or an instance.

    An instance is copied, with its own learning rate and weight decay. The decay
    applies to kernels; biases and batch normalization are left out.
    """
    if isinstance(optimizer, keras.optimizers.Optimizer):
        if options or weight_decay:
            raise ValueError(
                "optimizer is an instance and brings its own parameters: set them "
                "there, or give the name or class with weight_decay, weight_averaging "
                "and optimizer__…"
            )
        return type(optimizer).from_config(optimizer.get_config())
    if isinstance(optimizer, str):
        known = _optimizer_classes()
        if optimizer.lower() not in known:
            raise ValueError(unknown_name_message("optimizer", optimizer, known))
        optimizer = known[optimizer.lower()]
    try:
        made = optimizer(learning_rate=learning_rate, **options)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{optimizer.__name__} does not take optimizer__… {sorted(options)}: "
            f"{error}"
        ) from error
    if weight_decay:
        made.weight_decay = weight_decay
        made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def _optimizer_classes():
    """Return Keras' optimizers by lower-case name."""
    return {
        name.lower(): member
        for name, member in vars(keras.optimizers).items()
        if isinstance(member, type)
        and issubclass(member, keras.optimizers.Optimizer)
        and name.lower() not in _OPTIMIZER_WRAPPERS
    }


def averaging_options(share, n_steps):
    """Return optimizer arguments for an average that reaches back a share of a fit."""
    if not share:
        return {}
    # A momentum of 1 - 1 / n is a mean over about n steps.
    return {"use_ema": True, "ema_momentum": 1 - 1 / max(share * n_steps, 1)}


def ready_averages(network):
    """Let averages begin at the weights, and batch statistics reach as far back.

    Returns whether the optimizer of the network averages at all.
    """
    optimizer = getattr(network.optimizer, "inner_optimizer", network.optimizer)
    if not optimizer.use_ema:
        return False
    # Keras begins at the first step, which float16 may skip, and then ends at zero.
    averages = optimizer._model_variables_moving_average
    for average, weight in zip(averages, network.trainable_variables, strict=True):
        # Copies: JAX donates the buffers of a step, each of which must be used once.
        average.assign(keras.ops.copy(weight))
    # Keras averages no moving statistics: those of the last batches alone would be of
    # other weights.
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = max(layer.momentum, optimizer.ema_momentum)
    return True


def set_learning_rate(optimizer, learning_rate):
    """Set the rate of an optimizer in use; return False if it follows a schedule."""
    try:
        optimizer.learning_rate = learning_rate
    except TypeError:
        return False
    return True


def compile_network(network, optimizer, loss, metrics, label_smoothing):
    """Compile a network that returns logits: one for two classes, else one a class."""
    # The gradients of float16 layers underflow unscaled.
    if any(layer.compute_dtype == "float16" for layer in network.layers):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    if network.output_shape[-1] == 1:
        accuracy = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
    else:
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    network.compile(
        optimizer=optimizer,
        loss=make_loss(loss, network.output_shape[-1], label_smoothing),
        # Weighted, so that images that fill up a batch do not count.
        weighted_metrics=[accuracy, *map(make_metric, metrics)],
    )
    ready_optimizer(network)


def ready_optimizer(network):
    """Build a compiled network's optimizer so that it leaks no memory.

    Slots created inside the first traced step would leak. So would the sum of the
    gradients over devices: TensorFlow registers a gradient of its own for each traced
    sum, for ever, and through it keeps the step's graph and all variables. On one
    device there is nothing to sum.
    """
    optimizer = network.optimizer
    optimizer.build(network.trainable_variables)
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        for each in (optimizer, getattr(optimizer, "inner_optimizer", None)):
            if each is not None:
                each._all_reduce_sum_gradients = _unchanged


def _unchanged(gradients):
    return gradients


def make_loss(loss, n_outputs, label_smoothing):
    """Return the Keras loss of a name, or a copy of an instance."""
    if isinstance(loss, keras.losses.Loss):
        return type(loss).from_config(loss.get_config())
    binary, categorical = _LOSSES[loss]
    make = getattr(keras.losses, binary if n_outputs == 1 else categorical)
    return make(from_logits=True, label_smoothing=label_smoothing)


def make_metric(metric):
    """Return a metric, of a name or an instance, that is computed on probabilities."""
    name = metric if isinstance(metric, str) else None
    if name is not None:
        metric = keras.metrics.get(name)
    if isinstance(metric, keras.metrics.Metric):
        metric = type(metric).from_config(metric.get_config())
    elif callable(metric):
        metric = keras.metrics.MeanMetricWrapper(metric)
    else:
        raise TypeError(
            "metrics must hold names, functions or instances of Keras metrics, got "
            f"{type(metric).__name__}."
        )
    return OfProbabilities(metric, name=name)


@keras.saving.register_keras_serializable(package="brain_tumor_clf")
class OfProbabilities(keras.metrics.Metric):
    """Compute a metric on the probabilities of logits."""

    def __init__(self, metric, name=None, **kwargs):
        if isinstance(metric, dict):
            metric = keras.saving.deserialize_keras_object(metric)
        super().__init__(name=name or metric.name, **kwargs)
        self.metric = metric

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of targets and logits."""
        activate = keras.ops.sigmoid if y_pred.shape[-1] == 1 else keras.ops.softmax
        self.metric.update_state(y_true, activate(y_pred), sample_weight)

    def result(self):
        """Return the value so far."""
        return self.metric.result()

    def reset_state(self):
        """Forget all batches."""
        self.metric.reset_state()

    def get_config(self):
        """Return the parameters, for saving."""
        metric = keras.saving.serialize_keras_object(self.metric)
        return {**super().get_config(), "metric": metric}
