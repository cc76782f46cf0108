"""The layer that turns images into what a backbone was trained on."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="brain_tumor_clf")
class ImageScaling(keras.layers.Layer):
    """Images of 0..255, grey or RGB, to the three scaled channels of a backbone.

    A grey image is repeated in all three channels; then every channel becomes
    ``value * scale + offset``; then the channels are put in blue, green, red order if
    the backbone wants them so.

    Parameters
    ----------
    scale : float or sequence of 3 floats
        Factor, for all channels or for red, green and blue.
    offset : float or sequence of 3 floats
        What is added after the factor.
    reverse_channels : bool, default=False
        Whether the backbone expects blue, green, red.
    **kwargs
        As of any Keras layer (`name`, `dtype`).

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import ImageScaling
    >>> layer = ImageScaling(1 / 127.5, -1.0)
    >>> np.asarray(layer(np.array([[[[255.0]]]]))).tolist()
    [[[[1.0, 1.0, 1.0]]]]
    """

    def __init__(self, scale, offset, reverse_channels=False, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.reverse_channels = reverse_channels

    def call(self, inputs):
        """Scale a batch.

        Parameters
        ----------
        inputs : tensor of shape (n, H, W, 1) or (n, H, W, 3)
            Images, 0..255.

        Returns
        -------
        tensor of shape (n, H, W, 3)
            Scaled images.
        """
        x = ops.cast(inputs, self.compute_dtype)
        if x.shape[-1] == 1:
            x = ops.concatenate([x, x, x], axis=-1)
        x = x * ops.cast(self.scale, x.dtype) + ops.cast(self.offset, x.dtype)
        return ops.flip(x, axis=-1) if self.reverse_channels else x

    def compute_output_shape(self, input_shape):
        """Shape of the result: that of the images, with three channels."""
        return (*input_shape[:-1], 3)

    def get_config(self):
        """Parameters of the layer, for saving."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "offset": self.offset,
            "reverse_channels": self.reverse_channels,
        }
