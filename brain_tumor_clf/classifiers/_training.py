"""The training of one compiled network: seeds, batches, loop."""

import logging
from contextlib import contextmanager
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from sklearn.utils import check_random_state

from brain_tumor_clf.classifiers._callbacks import FitProgress, divergence_message
from brain_tumor_clf.exceptions import DivergenceError

_MAX_SEED = 2**31 - 1


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


class Batches(keras.utils.PyDataset):
    """Batches of arrays in memory, all of one size, in a new order each epoch.

    ``Model.fit`` on arrays repeats one order in every epoch once any seed is set; a
    data set with a generator of its own does not. Further images fill up the last
    batch at weight zero. Its other weights are scaled so that the loss, which Keras
    divides by the size of the batch, is that of the batch without them.

    Without a seed, for validation, the order is kept and the mean of the losses of all
    batches is the weighted mean over all images.
    """

    def __init__(self, X, y, sample_weight, batch_size, seed, always_weighted=False):
        super().__init__()
        self._batch_size = limit_batch_size(batch_size, len(X))
        n_missing = -len(X) % self._batch_size
        if sample_weight is None and (n_missing or always_weighted):
            sample_weight = np.ones(len(X), dtype="float32")
        self._rng = None if seed is None else np.random.default_rng(seed)
        if self._rng is None and n_missing:
            sample_weight = sample_weight * np.float32(1 + n_missing / len(X))
        self._arrays = (X, y) if sample_weight is None else (X, y, sample_weight)
        self._order = np.arange(len(X))
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, index):
        start = index * self._batch_size
        chosen = self._order[start : start + self._batch_size]
        n_real, n_missing = len(chosen), self._batch_size - len(chosen)
        if n_missing:
            chosen = np.concatenate([chosen, self._order[:n_missing]])
        batch = [array[chosen] for array in self._arrays]
        if n_missing:
            batch[2][n_real:] = 0
            if self._rng is not None:
                batch[2][:n_real] *= self._batch_size / n_real
        return tuple(batch)

    def on_epoch_end(self):
        if self._rng is not None:
            self._order = self._rng.permutation(len(self._order))

    def release(self):
        """Let go of the arrays: TensorFlow keeps each data set of a process."""
        self._arrays = ()


def count_devices():
    """Return the number of devices over which a batch is divided."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_strategy().num_replicas_in_sync
    distribution = keras.distribution.distribution()
    if distribution is None:
        return 1
    mesh = distribution.device_mesh
    return mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)]


def limit_batch_size(batch_size, n_images):
    """Return a batch size that all devices share and the images can fill."""
    n_devices = count_devices()
    return max(n_devices, min(batch_size, n_images) // n_devices * n_devices)


def train(network, batches, *, validation, callbacks, seed, keep_trace, **options):
    """Train a compiled network on `Batches` and return the history.

    Further options are those of ``Model.fit``.
    """
    sample = batches[0][0][:8]
    try:
        with without_retracing_warnings(), _seeded_backend(seed):
            history = network.fit(
                batches,
                shuffle=False,
                verbose=0,
                validation_data=validation,
                callbacks=callbacks,
                **options,
            ).history
            _check_finite(network, sample)
            return history
    finally:
        for each in (batches, validation):
            if each is not None:
                each.release()
        # An interrupted fit ends without `on_train_end`.
        for callback in callbacks:
            if isinstance(callback, FitProgress):
                callback.close()
        if not keep_trace:  # it holds much memory
            network.train_function = network.test_function = None


def copy_weights(sources, layers):
    """Set the weights of layers to those of layers of a network for another size."""
    for source, layer in zip(sources, layers, strict=True):
        weights = source.get_weights()
        if [w.shape for w in weights] != [tuple(w.shape) for w in layer.weights]:
            raise ValueError(
                "Training cannot continue with images of another size: the weights of "
                f"the layer {layer.name!r} are of one size of images."
            )
        layer.set_weights(weights)


@contextmanager
def restored_on_failure(network):
    """Give a network and its optimizer their values back if the block raises."""
    variables = [*network.variables, *network.optimizer.variables]
    before = [np.array(np.asarray(each)) for each in variables]
    try:
        yield
    except BaseException:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        raise


def _check_finite(network, X):
    """Raise an error if a trained network cannot give finite answers."""
    results = [*network.trainable_variables, network(X, training=False)]
    if not all(bool(ops.all(ops.isfinite(result))) for result in results):
        raise DivergenceError(divergence_message(network, "the network's output"))


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
