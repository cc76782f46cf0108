"""Training and prediction of one network: optimizer, batches, loop."""

import logging
from contextlib import contextmanager
from typing import NamedTuple

import keras
import numpy as np
from sklearn.utils import check_random_state

from brain_tumor_clf._validation import unknown_name_message
from brain_tumor_clf.classifiers._callbacks import FitProgress

_MAX_SEED = 2**31 - 1
_OPTIMIZER_WRAPPERS = {"optimizer", "lossscaleoptimizer", "multioptimizer"}


class FitSeeds(NamedTuple):
    """Seeds of what is random in one fit."""

    network: int
    validation: int
    batches: int


def draw_seeds(random_state):
    """Draw the seeds of one fit: an integer gives the same ones at each call."""
    if isinstance(random_state, np.random.Generator):
        drawn = random_state.integers(_MAX_SEED, size=3)
    else:
        drawn = check_random_state(random_state).randint(_MAX_SEED, size=3)
    return FitSeeds(*map(int, drawn))


def make_optimizer(optimizer, learning_rate, weight_decay, options):
    """Return a new Keras optimizer of a name, a class or an instance.

    An instance is copied, with its own learning rate and weight decay. The decay
    applies to kernels; biases and batch normalization are left out.
    """
    if isinstance(optimizer, keras.optimizers.Optimizer):
        if options or weight_decay:
            raise ValueError(
                "optimizer is an instance and brings its own parameters: set them "
                "there, or give the name or class with weight_decay and optimizer__…"
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


def set_learning_rate(optimizer, learning_rate):
    """Set the rate of an optimizer in use; return False if it follows a schedule."""
    try:
        optimizer.learning_rate = learning_rate
    except TypeError:
        return False
    return True


def compile_network(network, optimizer, label_smoothing):
    """Compile a network that returns logits: one for two classes, else one a class."""
    # The gradients of float16 layers underflow unscaled.
    if any(layer.compute_dtype == "float16" for layer in network.layers):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    if network.output_shape[-1] == 1:
        loss = keras.losses.BinaryCrossentropy(
            from_logits=True, label_smoothing=label_smoothing
        )
        accuracy = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
    else:
        loss = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=label_smoothing
        )
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    network.compile(optimizer=optimizer, loss=loss, metrics=[accuracy])
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


class ShuffledBatches(keras.utils.PyDataset):
    """Batches of arrays in memory, in a new order each epoch.

    ``Model.fit`` on arrays repeats one order in every epoch once any seed is set; a
    data set with a generator of its own does not.
    """

    def __init__(self, X, y, sample_weight, batch_size, seed):
        super().__init__()
        self._arrays = (X, y) if sample_weight is None else (X, y, sample_weight)
        self._batch_size = batch_size
        self._rng = np.random.default_rng(seed)
        self._order = self._rng.permutation(len(X))

    def __len__(self):
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, index):
        start = index * self._batch_size
        chosen = self._order[start : start + self._batch_size]
        return tuple(array[chosen] for array in self._arrays)

    def on_epoch_end(self):
        self._order = self._rng.permutation(len(self._order))

    def release(self):
        """Let go of the arrays: TensorFlow keeps each data set of a process."""
        self._arrays = ()


def train(network, batches, *, callbacks, seed, **options):
    """Train a compiled network on `ShuffledBatches` and return the history.

    Further options are those of ``Model.fit``.
    """
    try:
        with without_retracing_warnings(), _seeded_backend(seed):
            return network.fit(
                batches, shuffle=False, verbose=0, callbacks=callbacks, **options
            ).history
    finally:
        batches.release()
        # An interrupted fit ends without `on_train_end`.
        for callback in callbacks:
            if isinstance(callback, FitProgress):
                callback.close()
        # The traced step holds much memory; fitting on traces again.
        network.train_function = network.test_function = None


@contextmanager
def without_retracing_warnings():
    """Keep TensorFlow from warning that many networks were traced.

    It counts traces by line of code, not by network, so that the networks of a
    cross-validation look to it like one that is traced too often.
    """

    def is_wanted(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_wanted)
    try:
        yield
    finally:
        logger.removeFilter(is_wanted)


@contextmanager
def _seeded_backend(seed):
    """Seed PyTorch's global generator, of its dropout; restore it at the end."""
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    on_gpu = torch.cuda.is_available()
    with torch.random.fork_rng([torch.cuda.current_device()] if on_gpu else []):
        torch.manual_seed(seed)
        yield


def grow_gpu_memory_on_demand():
    """Keep TensorFlow from taking the whole memory of each GPU at its first use."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        if not tf.config.experimental.get_memory_growth(gpu):
            try:
                tf.config.experimental.set_memory_growth(gpu, True)
            except RuntimeError:  # a GPU in use keeps the setting it started with
                return
