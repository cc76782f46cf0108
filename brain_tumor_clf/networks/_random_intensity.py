"""Brightness, contrast, gamma and noise in one layer."""

import keras
from keras import ops

from brain_tumor_clf.networks._random_layer import RandomLayer, as_tuple


@keras.saving.register_keras_serializable(package="brain_tumor_clf")
class RandomIntensity(RandomLayer):
    """Change brightness, contrast, gamma and noise of each image at random.

    In this order: the values are multiplied by a brightness factor; their distance
    from the image's mean is multiplied by a contrast factor; they are raised to a
    power, as shares of 255; normal noise is added. After each step values are held
    in 0..255.

    Parameters
    ----------
    brightness : (float, float), optional
        Range of the factor of the values.
    contrast : (float, float), optional
        Range of the factor of their distance from the mean.
    gamma : (float, float), optional
        Range of the exponent.
    noise : float, default=0.0
        Largest standard deviation of the noise, in grey levels; each image draws its
        own, from 0 to this.
    seed : int, optional
        Seed of the layer's own random state.
    **kwargs
        As of any Keras layer (`name`).

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomIntensity
    >>> layer = RandomIntensity(brightness=(2.0, 2.0))
    >>> np.asarray(layer(np.full((1, 1, 2, 1), 50.0), training=True)).ravel().tolist()
    [100.0, 100.0]
    """

    def __init__(
        self,
        brightness=None,
        contrast=None,
        gamma=None,
        noise=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.brightness = as_tuple(brightness)
        self.contrast = as_tuple(contrast)
        self.gamma = as_tuple(gamma)
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

    def get_config(self):
        """Parameters of the layer, for saving."""
        return {
            **super().get_config(),
            "brightness": self.brightness,
            "contrast": self.contrast,
            "gamma": self.gamma,
            "noise": self.noise,
        }
