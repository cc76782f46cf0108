"""Blur images a little."""

import keras
import numpy as np
from keras import ops

from brain_tumor_clf.networks._random_layer import RandomLayer

_BINOMIAL = np.outer([1, 2, 1], [1, 2, 1]).reshape(3, 3, 1, 1).astype("float32") / 16


@keras.saving.register_keras_serializable(package="brain_tumor_clf")
class RandomBlur(RandomLayer):
    """Mix each image with its 3x3 binomial blur, by a random share.

    Parameters
    ----------
    amount : float, default=1.0
        Largest share of the blurred image, from 0 to 1.
    seed : int, optional
        Seed of the layer's own random state.
    **kwargs
        As of any Keras layer (`name`).

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomBlur
    >>> X = np.full((1, 4, 4, 1), 7.0)
    >>> bool(np.allclose(RandomBlur()(X, training=True), X))  # flat stays flat
    True
    """

    def __init__(self, amount=1.0, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.amount = amount

    def augment(self, images):
        """Draw the share of each image and mix."""
        share = self.uniform(images, 0.0, self.amount)
        channels = images.shape[-1]
        kernel = ops.tile(ops.convert_to_tensor(_BINOMIAL), (1, 1, channels, 1))
        padded = ops.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="symmetric")
        # A convolution, not sums of slices: XLA would compute what lies before it
        # once for every slice.
        blurred = ops.depthwise_conv(padded, kernel, data_format="channels_last")
        return images + (blurred - images) * share

    def get_config(self):
        """Parameters of the layer, for saving."""
        return {**super().get_config(), "amount": self.amount}
