"""A classifier of any network."""

import inspect

import keras

from brain_tumor_clf.classifiers._base import BaseCNNClassifier
from brain_tumor_clf.classifiers._parameters import inherit_parameters

_MARK = "image_scaling"  # the layer that follows the augmentation, as in other networks


@inherit_parameters
class CNNClassifier(BaseCNNClassifier):
    """Train a network of your own.

    Parameters
    ----------
    network : callable
        ``network(input_shape, n_outputs)`` returns a new, uncompiled `keras.Model`. It
        takes images ``(n, height, width, channels)`` with intensities 0 to 255 and
        returns logits: one for two classes, else one a class. If the callable takes
        ``augmentation`` (a list of layers to put behind the input), ``dtype`` (a Keras
        dtype policy or None) or ``seed``, it is given those as well. With ``seed``
        fits are reproducible even while other threads draw from Python's `random`.

    See Also
    --------
    SimpleCNNClassifier : A small network, trained from scratch.
    TransferCNNClassifier : A published architecture with a small head.

    Examples
    --------
    >>> import keras
    >>> from brain_tumor_clf import CNNClassifier, make_brain_mri
    >>> def tiny_network(input_shape, n_outputs):
    ...     return keras.Sequential([
    ...         keras.Input(input_shape),
    ...         keras.layers.Rescaling(1 / 255),
    ...         keras.layers.Conv2D(4, 3, activation="relu"),
    ...         keras.layers.GlobalMaxPooling2D(),
    ...         keras.layers.Dense(n_outputs),
    ...     ])
    >>> scans = make_brain_mri(n_samples=16, image_size=(24, 24), random_state=0)
    >>> clf = CNNClassifier(tiny_network, epochs=1, random_state=0)
    >>> clf.fit(scans.data, scans.target).predict_proba(scans.data).shape
    (16, 4)
    """

    _parameter_constraints = {
        **BaseCNNClassifier._parameter_constraints,
        "network": [callable],
    }

    def __init__(self, network, **inherited):
        self.network = network
        super().__init__(**inherited)

    def _default_learning_rate(self):
        return 1e-3

    def _build_network(self, input_shape, n_outputs, augmentation, dtype, seed):
        taken = inspect.signature(self.network).parameters
        options = {"augmentation": augmentation, "dtype": dtype, "seed": seed}
        given = {name: options[name] for name in options if name in taken}
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(dtype or policy)  # of this thread alone
        try:
            network = self.network(input_shape, n_outputs, **given)
        finally:
            keras.config.set_dtype_policy(policy)
        got = getattr(network, "output_shape", type(network).__name__)
        if got != (None, n_outputs):
            raise ValueError(
                "network(input_shape, n_outputs) must return a keras.Model with an "
                f"output of shape {(None, n_outputs)}, got {got}."
            )
        if not augmentation or "augmentation" in given:
            return network
        inputs = x = keras.Input(input_shape, name="image", dtype="float32")
        for layer in [*augmentation, keras.layers.Identity(name=_MARK)]:
            x = layer(x)
        return keras.Model(inputs, network(x))

    def _split_network(self, network):
        taken = inspect.signature(self.network).parameters
        is_wrapped = _MARK in [layer.name for layer in network.layers]
        if is_wrapped or "augmentation" in taken:
            augmentation, others = super()._split_network(network)
        else:
            augmentation, others = [], [each for each in network.layers if each.weights]
        if is_wrapped and "augmentation" not in taken:
            others = [each for each in others[-1].layers if each.weights]
        return augmentation, others
