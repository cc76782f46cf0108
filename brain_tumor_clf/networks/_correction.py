"""A correction of the logits of a trained network, and the network without it."""

import keras
from keras import ops

from brain_tumor_clf.networks._layers import Layer, register


@register
class CorrectedLogits(Layer):
    """Add corrections to the logits of some classes.

    The largest of these logits stays as large as it was, so that every other class is
    the most probable one for the same images as before.

    Parameters
    ----------
    positions : sequence of int
        Positions of the k classes among the logits.
    **kwargs
        Arguments of any Keras layer (`name`, `dtype`).

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import CorrectedLogits
    >>> logits, corrections = np.array([[1.0, 2.0, 1.5]]), np.array([[3.0, 0.0]])
    >>> np.asarray(CorrectedLogits([0, 1])([logits, corrections])).tolist()
    [[2.0, 0.0, 1.5]]
    """

    _arguments = ("positions",)

    def __init__(self, positions, **kwargs):
        super().__init__(**kwargs)
        self.positions = [int(position) for position in positions]

    def call(self, inputs):
        """Correct logits (n, n_outputs) by corrections (n, k)."""
        logits, corrections = inputs
        if len(self.positions) == logits.shape[-1]:
            return logits + corrections
        before = ops.take(logits, self.positions, axis=-1)
        after = before + corrections
        after += ops.max(before, -1, keepdims=True) - ops.max(after, -1, keepdims=True)
        columns = [logits[:, i : i + 1] for i in range(logits.shape[-1])]
        for i, position in enumerate(self.positions):
            columns[position] = after[:, i : i + 1]
        return ops.concatenate(columns, axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the shape of the logits."""
        return input_shape[0]


def correct_logits(network, layer, kernel, bias, positions):
    """Return a network that corrects its logits linearly by means of a feature map.

    Parameters
    ----------
    network : keras.Model
        Functional, from images to logits ``(n, n_outputs)``. The result shares its
        layers.
    layer : keras.Layer
        Layer of the network with an output ``(n, h, w, c)``.
    kernel : ndarray of shape (c, k)
        Weights of the means of the maps, for each corrected class.
    bias : ndarray of shape (k,)
        Constant part of the corrections.
    positions : sequence of int
        Positions of the k classes among the logits, as in `CorrectedLogits`.

    Returns
    -------
    keras.Model

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import correct_logits, simple_cnn, stage_layers
    >>> network = simple_cnn((24, 24, 1), 4, filters=(2, 3))
    >>> layer, zeros = stage_layers(network)[-1], np.zeros((3, 2))
    >>> corrected = correct_logits(network, layer, zeros, np.array([2.0, 0.0]), [0, 1])
    >>> corrected.output_shape
    (None, 4)
    """
    number = sum(isinstance(each, CorrectedLogits) for each in network.layers) + 1
    pool = keras.layers.GlobalAveragePooling2D(
        name=f"correction_pool_{number}", dtype="float32"
    )
    dense = keras.layers.Dense(
        len(positions), name=f"correction_{number}", dtype="float32"
    )
    correct = CorrectedLogits(
        positions, name=f"corrected_logits_{number}", dtype="float32"
    )
    logits = correct([network.output, dense(pool(layer.output))])
    dense.set_weights([kernel, bias])
    return keras.Model(network.inputs, logits, name=network.name)


def without_correction(network):
    """Return a network as it was before its logits were corrected.

    Examples
    --------
    >>> from brain_tumor_clf.networks import simple_cnn, without_correction
    >>> network = simple_cnn((24, 24, 1), 4)
    >>> without_correction(network) is network
    True
    """
    while isinstance(network.layers[-1], CorrectedLogits):
        logits = network.layers[-1].input[0]
        network = keras.Model(network.inputs, logits, name=network.name)
    return network
