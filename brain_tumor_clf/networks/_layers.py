"""Layers that Keras lacks: the scaling of images, and random changes of them.

Keras' own random layers draw other distributions: a brightness that is added, a blur
that replaces the image, noise of one strength for all images.
"""

import keras
import numpy as np
from keras import ops

_BINOMIAL = np.outer([1, 2, 1], [1, 2, 1]).reshape(3, 3, 1, 1).astype("float32") / 16
register = keras.saving.register_keras_serializable(package="brain_tumor_clf")


class Layer(keras.layers.Layer):
    """A layer that saves the arguments named in `_arguments`."""

    _arguments = ()

    def get_config(self):
        """Return the arguments of the layer, for saving."""
        own = {name: getattr(self, name) for name in self._arguments}
        return {**super().get_config(), **own}


@register
class ImageScaling(Layer):
    """Turn images with values 0..255, gray or RGB, into the input of a backbone.

    A gray image is repeated in all three channels; then every channel becomes
    ``value * scale + offset``; then the channels are put in blue, green, red order if
    the backbone expects them so.

    Parameters
    ----------
    scale : float or sequence of 3 floats
        Factor, for all channels or for red, green and blue.
    offset : float or sequence of 3 floats
        What is added after the factor.
    reverse_channels : bool, default=False
        Whether the backbone expects blue, green, red.
    **kwargs
        Arguments of any Keras layer (`name`, `dtype`).

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import ImageScaling
    >>> layer = ImageScaling(1 / 127.5, -1.0)
    >>> np.asarray(layer(np.array([[[[255.0]]]]))).tolist()
    [[[[1.0, 1.0, 1.0]]]]
    """

    _arguments = ("scale", "offset", "reverse_channels")

    def __init__(self, scale, offset, reverse_channels=False, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.reverse_channels = reverse_channels

    def call(self, inputs):
        """Scale a batch ``(n, H, W, 1)`` or ``(n, H, W, 3)``."""
        x = ops.cast(inputs, self.compute_dtype)
        if x.shape[-1] == 1:
            x = ops.concatenate([x, x, x], axis=-1)
        x = x * ops.cast(self.scale, x.dtype) + ops.cast(self.offset, x.dtype)
        return ops.flip(x, axis=-1) if self.reverse_channels else x


class RandomLayer(Layer):
    """Base of the augmentation layers; a subclass defines `augment`.

    Images are computed in float32 whatever the network's dtype policy, since half
    precision would lose half a gray level.
    """

    def __init__(self, seed=None, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        """Change each image of a batch ``(n, H, W, C)`` at random, in training only."""
        if not training:
            return inputs
        return self.augment(ops.cast(inputs, self.compute_dtype))

    def augment(self, images):
        """Change each image of a batch at random."""
        raise NotImplementedError

    def uniform(self, images, low, high):
        """Draw one number in [low, high) per image, of shape (n, 1, 1, 1)."""
        shape = (ops.shape(images)[0], 1, 1, 1)
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)

    @staticmethod
    def positions(images):
        """Return rows and columns of the pixels' centers, as shares of the side."""
        height, width = images.shape[1:3]
        rows = (ops.arange(height, dtype="float32") + 0.5) / height
        columns = (ops.arange(width, dtype="float32") + 0.5) / width
        return rows[None, :, None, None], columns[None, None, :, None]


@register
class RandomBlur(RandomLayer):
    """Mix each image with its 3x3 binomial blur, by a random share.

    Parameters
    ----------
    amount : float, default=1.0
        Largest share of the blurred image, from 0 to 1.
    seed, **kwargs
        Seed of the layer's random state; arguments of any Keras layer.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomBlur
    >>> X = np.full((1, 4, 4, 1), 7.0)
    >>> bool(np.allclose(RandomBlur()(X, training=True), X))  # a flat image stays flat
    True
    """

    _arguments = ("seed", "amount")

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


@register
class RandomIntensity(RandomLayer):
    """Change brightness, contrast, gamma and noise of each image at random.

    In this order: the values are multiplied by a brightness factor; their distance
    from the image's mean is multiplied by a contrast factor; they are raised to a
    power, as shares of 255; normal noise is added. Values are clipped to 0..255 after
    each step.

    Parameters
    ----------
    brightness, contrast, gamma : (float, float), optional
        Range of the factor of the values, of the factor of their distance from the
        mean, and of the exponent.
    noise : float, default=0.0
        Largest standard deviation of the noise, in gray levels; each image draws its
        own, from 0 to this.
    seed, **kwargs
        Seed of the layer's random state; arguments of any Keras layer.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomIntensity
    >>> layer = RandomIntensity(brightness=(2.0, 2.0))
    >>> np.asarray(layer(np.full((1, 1, 2, 1), 50.0), training=True)).ravel().tolist()
    [100.0, 100.0]
    """

    _arguments = ("seed", "brightness", "contrast", "gamma", "noise")

    def __init__(
        self, brightness=None, contrast=None, gamma=None, noise=0.0, seed=None, **kwargs
    ):
        super().__init__(seed=seed, **kwargs)
        ranges = (brightness, contrast, gamma)
        # JSON makes lists of tuples.
        self.brightness, self.contrast, self.gamma = (r and tuple(r) for r in ranges)
        self.noise = noise

    def augment(self, images):
        """Draw the factors of each image and apply them."""
        if self.brightness is not None:
            factor = self.uniform(images, *self.brightness)
            images = ops.clip(images * factor, 0.0, 255.0)
        if self.contrast is not None:
            factor = self.uniform(images, *self.contrast)
            mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
            images = ops.clip((images - mean) * factor + mean, 0.0, 255.0)
        if self.gamma is not None:
            exponent = self.uniform(images, *self.gamma)
            images = 255.0 * ops.power(images / 255.0, exponent)
        if self.noise:
            deviation = self.uniform(images, 0.0, self.noise)
            noise = keras.random.normal(ops.shape(images), seed=self.seed_generator)
            images = ops.clip(images + deviation * noise, 0.0, 255.0)
        return images


@register
class RandomCutout(RandomLayer):
    """Black out one square per image, at a random place [1]_.

    Parameters
    ----------
    size : float, default=0.25
        Side of the square as a share of the image's height and width. The square's
        center is anywhere in the image, so part of it may lie outside.
    seed, **kwargs
        Seed of the layer's random state; arguments of any Keras layer.

    References
    ----------
    .. [1] T. DeVries and G. W. Taylor, "Improved Regularization of Convolutional
       Neural Networks with Cutout", arXiv:1708.04552, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomCutout
    >>> X = np.ones((1, 8, 8, 1))
    >>> 1 <= int((np.asarray(RandomCutout(0.5)(X, training=True)) == 0).sum()) <= 25
    True
    """

    _arguments = ("seed", "size")

    def __init__(self, size=0.25, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.size = size

    def augment(self, images):
        """Draw the square of each image and black it out."""
        above, beside = (
            ops.abs(position - self.uniform(images, 0.0, 1.0)) > self.size / 2
            for position in self.positions(images)
        )
        return ops.where(ops.logical_or(above, beside), images, ops.zeros_like(images))
