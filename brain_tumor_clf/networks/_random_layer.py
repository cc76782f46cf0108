"""What all augmentation layers share: they act in training alone, image by image."""

import keras
from keras import ops


class RandomLayer(keras.layers.Layer):
    """Base of the augmentation layers; a subclass fills `augment`.

    Images are taken and returned as floats of 0..255. They are computed in float32
    whatever the network's dtype policy, since half a grey level is lost otherwise.

    Parameters
    ----------
    seed : int, optional
        Seed of the layer's own random state. None draws one from Python's `random`.
    **kwargs
        As of any Keras layer (`name`).
    """

    def __init__(self, seed=None, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        """Change each image of a batch at random, in training alone.

        Parameters
        ----------
        inputs : tensor of shape (n, H, W, C)
            Images, 0..255.
        training : bool, default=False
            Whether to act at all.

        Returns
        -------
        tensor of shape (n, H, W, C)
            Images, 0..255.
        """
        if not training:
            return inputs
        return self.augment(ops.cast(inputs, self.compute_dtype))

    def augment(self, images):
        """Change each image of a batch at random; the hook of a subclass."""
        raise NotImplementedError

    def uniform(self, images, low, high):
        """One number in [low, high) per image, of shape (n, 1, 1, 1)."""
        shape = (ops.shape(images)[0], 1, 1, 1)
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        """Shape of the result: that of the images."""
        return input_shape

    def get_config(self):
        """Parameters of the layer, for saving."""
        return {**super().get_config(), "seed": self.seed}


def as_tuple(value):
    """A list, as JSON makes of a tuple, as a tuple again; anything else as it is."""
    return tuple(value) if isinstance(value, list) else value
