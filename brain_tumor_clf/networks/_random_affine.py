"""Mirror, rotate, shift and zoom in one interpolation."""

import math

import keras
from keras import ops

from brain_tumor_clf.networks._random_layer import RandomLayer, as_tuple


@keras.saving.register_keras_serializable(package="brain_tumor_clf")
class RandomAffine(RandomLayer):
    """Mirror, rotate, zoom and shift each image at random, in one interpolation.

    One bilinear interpolation for all of them blurs less and costs less than a layer
    for each. What comes in from outside the image is black, as around a head.

    Parameters
    ----------
    flip : {None, "horizontal", "vertical", "both"}, default=None
        Which mirrorings happen, each to every second image.
    rotation : float, default=0.0
        Largest angle to either side, in degrees.
    translation : float or (float, float), default=0.0
        Largest shift to either side, as a share of the height and of the width.
    zoom : float, default=0.0
        Largest change of size, as a share: 0.1 draws a factor from 0.9 to 1.1.
    seed : int, optional
        Seed of the layer's own random state.
    **kwargs
        As of any Keras layer (`name`).

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomAffine
    >>> X = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> layer = RandomAffine(flip="horizontal", seed=0)
    >>> bool((np.asarray(layer(X)) == X).all())  # outside training: untouched
    True
    >>> layer(X, training=True).shape == X.shape
    True
    """

    def __init__(
        self,
        flip=None,
        rotation=0.0,
        translation=0.0,
        zoom=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.flip = flip
        self.rotation = rotation
        self.translation = as_tuple(translation)
        self.zoom = zoom

    def augment(self, images):
        """Draw one affine map per image and apply it."""
        height, width = images.shape[1:3]
        if not (self.rotation or self.zoom or _pair(self.translation) != (0, 0)):
            return self._mirror_alone(images)
        x, y = self._source_points(images, height, width)
        return _sample(images, x, y)

    def _mirror_alone(self, images):
        """Exact and much cheaper than interpolating."""
        for flips, axis in (
            (self._flips("vertical"), 1),
            (self._flips("horizontal"), 2),
        ):
            if flips:
                heads = self.uniform(images, 0.0, 1.0) < 0.5
                images = ops.where(heads, ops.flip(images, axis=axis), images)
        return images

    def _source_points(self, images, height, width):
        """Where each pixel of the result lies in the image, (n, H, W) each."""

        def draw(limit):
            return self.uniform(images, -limit, limit)[..., 0]

        angle = draw(self.rotation * math.pi / 180)
        factor = 1.0 / (1.0 + draw(self.zoom))
        down, right = _pair(self.translation)
        cos, sin = ops.cos(angle) * factor, ops.sin(angle) * factor
        # Coordinates from the centre, so that the image turns about it.
        columns = ops.arange(width, dtype="float32")[None, None, :] - (width - 1) / 2
        rows = ops.arange(height, dtype="float32")[None, :, None] - (height - 1) / 2
        columns = columns - draw(right) * width
        rows = rows - draw(down) * height
        sign_x = self._sign(images, "horizontal")
        sign_y = self._sign(images, "vertical")
        x = sign_x * (cos * columns - sin * rows) + (width - 1) / 2
        y = sign_y * (sin * columns + cos * rows) + (height - 1) / 2
        return x, y

    def _sign(self, images, direction):
        if not self._flips(direction):
            return 1.0
        return ops.sign(self.uniform(images, -1.0, 1.0)[..., 0] + 1e-9)

    def _flips(self, direction):
        return self.flip in (direction, "both")

    def get_config(self):
        """Parameters of the layer, for saving."""
        return {
            **super().get_config(),
            "flip": self.flip,
            "rotation": self.rotation,
            "translation": self.translation,
            "zoom": self.zoom,
        }


def _pair(value):
    return tuple(value) if isinstance(value, list | tuple) else (value, value)


def _sample(images, x, y):
    """Bilinear interpolation of images (n, H, W, C) at points (n, H, W); black outside.

    Gathering from the flattened batch compiles under XLA, where TensorFlow's own
    image operation does not, and needs no loop over the images under JAX.
    """
    height, width, channels = images.shape[1:]
    padded = ops.pad(images, [[0, 0], [1, 2], [1, 2], [0, 0]])
    flat = ops.reshape(padded, (-1, channels))
    x = ops.clip(x, -1.0, float(width)) + 1.0
    y = ops.clip(y, -1.0, float(height)) + 1.0
    left, top = ops.floor(x), ops.floor(y)
    right_share = ops.expand_dims(x - left, -1)
    lower_share = ops.expand_dims(y - top, -1)
    stride = width + 3
    first = ops.arange(ops.shape(images)[0])[:, None, None] * ((height + 3) * stride)
    corner = ops.cast(top * stride + left, "int32") + ops.cast(first, "int32")

    def row(offset):
        here = ops.take(flat, corner + offset, axis=0)
        there = ops.take(flat, corner + (offset + 1), axis=0)
        return here + (there - here) * right_share

    upper, lower = row(0), row(stride)
    return upper + (lower - upper) * lower_share
