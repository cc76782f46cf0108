"""The stages of a network: the last layer of each resolution."""

from numbers import Integral

import keras
import numpy as np

# In every network of the package the output of this layer is the last feature map.
_FEATURE_MAP = "feature_map"
_ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
)


def stage_layers(network):
    """The last layer of each resolution, from fine to coarse.

    Only layers that everything passes through count, so that a map shows all that the
    network made of the image: not a branch of a block. Of those of one resolution the
    last one that ends in an activation is preferred, whose values are not negative as
    a rule: there, more of a feature speaks for what it stands for.

    Parameters
    ----------
    network : keras.Model
        Functional, from images ``(n, H, W, C)``.

    Returns
    -------
    list of keras.Layer
        With outputs ``(n, h, w, c)``; the last is the last feature map.
    """
    chosen = {}
    has_learned = False
    for layer in _passed_by_everything(network):
        has_learned = has_learned or bool(getattr(layer, "weights", ()))
        if not puts_out_maps(layer) or isinstance(layer, keras.layers.ZeroPadding2D):
            continue
        if not has_learned:  # augmentation and scaling
            continue
        level = _halvings(network, layer)
        earlier = chosen.get(level)
        is_last = layer.name == _FEATURE_MAP
        if is_last or earlier is None or _is_at_least(layer, earlier):
            chosen[level] = layer
        if is_last:
            break
    return [chosen[level] for level in sorted(chosen)]


def select_stages(network, stages):
    """Some of the last layers of each resolution.

    Parameters
    ----------
    network : keras.Model
    stages : int or sequence of int
        Positions in what `stage_layers` gives; -1 is the last feature map.

    Returns
    -------
    list of keras.Layer
        In the order asked for.

    Raises
    ------
    ValueError
        If `stages` is empty, holds one twice, or one that the network lacks.
    """
    known = stage_layers(network)
    stages = [stages] if isinstance(stages, Integral) else stages
    try:
        chosen = [known[position] for position in stages]
    except (TypeError, IndexError):
        chosen = []
    if not chosen or len({layer.name for layer in chosen}) < len(chosen):
        raise ValueError(
            f"stages must be one or several different integers from -{len(known)} "
            f"(the finest feature map) to -1 (the last), got {stages!r}."
        )
    return chosen


def _passed_by_everything(network):
    """Operations that no path from the image to the logits goes around, in order."""
    operations = network.operations
    maker, last_use = {}, [0] * len(operations)
    for i, operation in enumerate(operations):
        if not isinstance(operation, keras.layers.InputLayer):
            for tensor in keras.tree.flatten(operation.input):
                last_use[maker[id(tensor)]] = i
        for tensor in keras.tree.flatten(operation.output):
            maker[id(tensor)] = i
    furthest, passed = 0, []
    for i, operation in enumerate(operations):
        if furthest <= i:
            passed.append(operation)
        furthest = max(furthest, last_use[i])
    return passed


def puts_out_maps(layer):
    """Whether a layer's output is maps ``(n, h, w, c)``."""
    shape = getattr(layer.output, "shape", ())
    return len(shape) == 4


def _halvings(network, layer):
    """How often the image has been halved: odd sizes and unpadded edges don't count."""
    height, width = network.input_shape[1:3]
    _, rows, columns, _ = layer.output.shape
    return round(np.log2(height * width / (rows * columns)) / 2)


def _is_at_least(layer, earlier):
    return _ends_in_activation(layer) or not _ends_in_activation(earlier)


def _ends_in_activation(layer):
    activation = getattr(layer, "activation", None)
    return isinstance(layer, _ACTIVATIONS) or (
        activation is not None and activation is not keras.activations.linear
    )
