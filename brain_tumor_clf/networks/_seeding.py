"""Reproducible initial weights and random layers, whatever other threads draw.

Keras draws the seed of each initializer and of each random layer that is given none
from Python's `random`, which all threads of a process share.
"""

import contextlib
import random
import threading

import keras

_building = threading.RLock()
_MAX_SEED = 10**9  # as Keras draws seeds


@contextlib.contextmanager
def seeded_initialization(seed):
    """Make networks built in this block reproducible; leave `random` as it was.

    Python's `random`, from which Keras draws its seeds, is seeded for the time of the
    block, unless `seed` is None. One thread at a time may be in such a block. The
    networks of this package take a `seed` themselves, and then do not depend on what
    other threads draw either.
    """
    if seed is None:
        yield
        return
    with _building:
        state = random.getstate()
        random.seed(int(seed))
        try:
            yield
        finally:
            random.setstate(state)


def seed_network(network, seed, pretrained=()):
    """Draw weights and random states of a new network again, from a seed of its own.

    Initializers and layers with a seed, and weights of `pretrained` layers, are kept.
    The result is that of `seeded_initialization` undisturbed by other threads.
    """
    if seed is None:
        return network
    rng = random.Random(int(seed))
    kept = {id(layer) for layer in pretrained}
    for layer in _flat_layers(network):
        for name, value in list(vars(layer).items()):
            if not _is_unseeded(value):
                continue
            drawn = rng.randint(1, _MAX_SEED)
            if isinstance(value, keras.random.SeedGenerator):
                value.state.assign([drawn, 0])
            elif id(layer) not in kept:
                value.seed = drawn
                variable = _initialized_variable(layer, name)
                variable.assign(value(variable.shape, dtype=variable.dtype))
    return network


def _flat_layers(network):
    """Yield the layers of a network, those of nested networks in their place."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _flat_layers(layer)
        else:
            yield layer


def _is_unseeded(value):
    """Tell whether a layer's attribute drew its seed from Python's `random`."""
    kinds = keras.random.SeedGenerator, keras.initializers.Initializer
    return isinstance(value, kinds) and value.get_config().get("seed", 0) is None


def _initialized_variable(layer, name):
    """Return the weight of which an attribute such as `kernel_initializer` is."""
    stem = name.removesuffix("_initializer")
    names = (stem, f"{stem}_kernel", "kernel")  # a depthwise convolution's is "kernel"
    by_name = {variable.name: variable for variable in layer.weights}
    return next(by_name[each] for each in names if each in by_name)
