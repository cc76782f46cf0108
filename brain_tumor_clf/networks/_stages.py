"""The stages of a network: the last layer of each resolution."""

from numbers import Integral

import keras
import numpy as np

from brain_tumor_clf.networks._correction import without_correction

# In every network of the package the output of this layer is the last feature map.
FEATURE_MAP = "feature_map"
_ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
)


def stage_layers(network):
    """Return the last layer of each resolution, from fine to coarse.

    Only layers on every path from the image to the logits count, not those of one
    branch of a block, so that a map shows all that the network knows of the image. Of
    the layers of one resolution the last that ends in an activation is preferred: its
    values are not negative as a rule, so that larger ones mean more of a feature.

    Parameters
    ----------
    network : keras.Model
        Functional, from images ``(n, H, W, C)``.

    Returns
    -------
    list of keras.Layer
        With outputs ``(n, h, w, c)``; the last is the last feature map.

    Examples
    --------
    >>> from brain_tumor_clf.networks import simple_cnn, stage_layers
    >>> [layer.name for layer in stage_layers(simple_cnn((64, 64, 1), 4))]
    ['conv_1', 'feature_map']
    """
    network = without_correction(network)  # whose branch would end every path
    chosen = {}
    has_learned = False
    for layer in _on_every_path(network):
        has_learned = has_learned or bool(getattr(layer, "weights", ()))
        is_padding = isinstance(layer, keras.layers.ZeroPadding2D)
        # Before the first weights come augmentation and scaling.
        if is_padding or not has_learned or not has_spatial_output(layer):
            continue
        level = _halvings(network, layer)
        earlier = chosen.get(level)
        is_last = layer.name == FEATURE_MAP
        if is_last or not _ends_in_activation(earlier) or _ends_in_activation(layer):
            chosen[level] = layer
        if is_last:
            break
    return [chosen[level] for level in sorted(chosen)]


def select_stages(network, stages):
    """Return some of the `stage_layers` by position; -1 is the last feature map."""
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


def has_spatial_output(layer):
    """Tell whether the output of a functional network's layer is ``(n, h, w, c)``.

    Examples
    --------
    >>> from brain_tumor_clf.networks import has_spatial_output, simple_cnn
    >>> network = simple_cnn((64, 64, 1), 4)
    >>> has_spatial_output(network.get_layer("conv_1"))
    True
    """
    return len(getattr(layer.output, "shape", ())) == 4


def _on_every_path(network):
    """Return the operations on every path from the image to the logits, in order."""
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


def _halvings(network, layer):
    """Count how often the image was halved, edges without padding not counted."""
    height, width = network.input_shape[1:3]
    _, rows, columns, _ = layer.output.shape
    return round(np.log2(height * width / (rows * columns)) / 2)


def _ends_in_activation(layer):
    """Tell whether a layer is an activation or has one."""
    activation = getattr(layer, "activation", None)
    return isinstance(layer, _ACTIVATIONS) or (
        activation is not None and activation is not keras.activations.linear
    )
