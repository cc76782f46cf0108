"""Which layers of a network to look at: the last of each resolution."""

import keras
import numpy as np
FEATURE_MAP="feature_map"
_ACTIVATIONS = (keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.PReLU, keras.layers.ELU)

def stage_layers(network):
    """The last map of each resolution, from fine to coarse."""
    by_level = {}
    learned = False
    height, width = network.input_shape[1:3]
    for layer in _bottlenecks(network):
        shape = layer.output.shape
        learned = learned or bool(getattr(layer, "weights", ()))
        if len(shape) != 4:
            break
        if learned:
            level = round(np.log2(height * width / (shape[1] * shape[2])) / 2)
            last = by_level.get(level)
            if last is None or _is_activation(layer) or not _is_activation(last):
                by_level[level] = layer
        if layer.name == FEATURE_MAP:
            by_level[level] = layer
            break
    return [by_level[level] for level in sorted(by_level)]

def _is_activation(layer):
    if isinstance(layer, _ACTIVATIONS): return True
    activation = getattr(layer, "activation", None)
    return activation not in (None, keras.activations.linear)

def _bottlenecks(network):
    """Layers that all information passes through, from the image on."""
    operations = network.operations
    made_by = {}
    last_use = [0] * len(operations)
    for i, operation in enumerate(operations):
        if not isinstance(operation, keras.layers.InputLayer):
            for t in keras.tree.flatten(operation.input):
                last_use[made_by[id(t)]] = i
        for t in keras.tree.flatten(operation.output):
            made_by[id(t)] = i
    furthest = 0
    found = []
    for i, op in enumerate(operations):
        if furthest <= i: found.append(op)
        furthest = max(furthest, last_use[i])
    return found
