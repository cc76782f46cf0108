"""The training loop and prediction: batches, compilation, GPU memory."""

import logging
from contextlib import contextmanager

import keras
import numpy as np

_JAX = "jax"


class ShuffledBatches(keras.utils.PyDataset):
    """Batches of arrays in memory, in a new order each epoch.

    ``Model.fit`` on arrays repeats one order in every epoch once any seed is set; a
    data set with a generator of its own does not.

    Parameters
    ----------
    X : ndarray of shape (n, H, W, C)
        Images.
    y : ndarray of shape (n, n_outputs), float32
        Targets.
    sample_weight : ndarray of shape (n,) or None
        Weight of each image.
    batch_size : int
        Number of images a batch; the last may be smaller.
    seed : int
        Seed of the order.
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


def compile_network(network, optimizer, label_smoothing):
    """Compile a network that puts out logits: one for two classes, else one a class."""
    if optimizer_needs_loss_scale(network):
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
    """Make a compiled network's optimizer leave nothing behind in the process.

    Made inside the first traced step, the slots would leak. So would the sum of the
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


def optimizer_needs_loss_scale(network):
    """Whether any layer computes in float16, whose gradients underflow unscaled."""
    return any(layer.compute_dtype == "float16" for layer in network.layers)


def predict_logits(network, X, batch_size, mirror=False):
    """Logits of images, batch by batch, without the start-up cost of ``predict``.

    Parameters
    ----------
    network : keras.Model
        A network that puts out logits.
    X : ndarray of shape (n, H, W, C)
        Images.
    batch_size : int
        Number of images at a time.
    mirror : bool, default=False
        Average the logits of each image with those of its left-right mirror image.

    Returns
    -------
    ndarray of shape (n, n_outputs), float32
    """
    predict = _predict_both_sides if mirror else _predict_batch
    with without_retracing_warnings():
        batches = [
            predict(network, X[start : start + batch_size])
            for start in range(0, len(X), batch_size)
        ]
    return np.concatenate(batches) if len(batches) > 1 else batches[0]


def _predict_both_sides(network, batch):
    # In one go: for a single scan two calls cost nearly twice the time of one.
    both = _predict_batch(network, np.concatenate([batch, batch[:, :, ::-1]]))
    return (both[: len(batch)] + both[len(batch) :]) / 2


def _predict_batch(network, batch):
    n = len(batch)
    if keras.backend.backend() == _JAX:
        # JAX compiles once per shape: pad to a power of two to bound the number.
        padding = (1 << (n - 1).bit_length()) - n
        batch = np.pad(batch, [(0, padding)] + [(0, 0)] * (batch.ndim - 1))
    return np.asarray(network.predict_on_batch(batch))[:n]


@contextmanager
def without_retracing_warnings():
    """Keep TensorFlow from warning that many networks were traced.

    It counts traces by line of code, not by network: a cross-validation, which traces
    a new network in each fold, looks to it like one network that is traced too often.
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
def seeded_backend(seed):
    """Seed what a backend draws from generators of the whole process; put them back.

    PyTorch's dropout and data loaders do so, the other backends nowhere.

    Parameters
    ----------
    seed : int
        Seed for the time of the block.
    """
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
            except (
                RuntimeError
            ):  # a GPU in use already keeps the setting it started with
                return
