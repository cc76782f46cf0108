"""Flip, rotate, zoom, stretch, shear and shift in one interpolation.

Keras' layers for these interpolate once each, and do not compile under XLA.
"""

import math

from keras import ops

from brain_tumor_clf.networks._layers import RandomLayer, register


@register
class RandomAffine(RandomLayer):
    """Move and deform each image at random, in one interpolation.

    One bilinear interpolation for all of them blurs less and costs less than one for
    each. What comes in from outside the image is black.

    Parameters
    ----------
    flip, rotation, translation, zoom, aspect, shear
        As of `brain_tumor_clf.Augmentation`; what is not given does not change.
    seed, **kwargs
        Seed of the layer's random state; arguments of any Keras layer.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomAffine
    >>> X = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> layer = RandomAffine(flip="horizontal", seed=0)
    >>> bool((np.asarray(layer(X)) == X).all())  # not in training: unchanged
    True
    >>> layer(X, training=True).shape == X.shape
    True
    """

    _arguments = ("seed", "flip", "rotation", "translation", "zoom", "aspect", "shear")

    def __init__(
        self,
        flip=None,
        rotation=0.0,
        translation=0.0,
        zoom=0.0,
        aspect=0.0,
        shear=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.flip = flip
        self.rotation = rotation
        is_pair = isinstance(translation, list | tuple)
        self.translation = tuple(translation) if is_pair else (translation, translation)
        self.zoom = zoom
        self.aspect = aspect
        self.shear = shear

    def augment(self, images):
        """Draw one affine map per image and apply it."""
        limits = (self.rotation, self.zoom, self.aspect, self.shear, *self.translation)
        if not any(limits):
            return self._flip_only(images)
        return _sample(images, *self._source_points(images))

    def _flip_only(self, images):
        """Flip exactly, which is much cheaper than interpolating."""
        for direction, axis in (("vertical", 1), ("horizontal", 2)):
            if self.flip in (direction, "both"):
                heads = self.uniform(images, 0.0, 1.0) < 0.5
                images = ops.where(heads, ops.flip(images, axis=axis), images)
        return images

    def _source_points(self, images):
        """Compute where each pixel of the result lies in the image, (n, H, W) each."""

        def draw(limit):
            return self.uniform(images, -limit, limit)[..., 0]

        def draw_sign(direction):
            if self.flip not in (direction, "both"):
                return 1.0
            return ops.sign(draw(1.0) + 1e-9)

        height, width = images.shape[1:3]
        angle = draw(self.rotation * math.pi / 180)
        factor = 1.0 / (1.0 + draw(self.zoom))
        cos, sin = ops.cos(angle) * factor, ops.sin(angle) * factor
        down, right = self.translation
        # Coordinates from the center, so that the image turns about it.
        columns = ops.arange(width, dtype="float32")[None, None, :] - (width - 1) / 2
        rows = ops.arange(height, dtype="float32")[None, :, None] - (height - 1) / 2
        columns = columns - draw(right) * width
        rows = rows - draw(down) * height
        sign_x, sign_y = draw_sign("horizontal"), draw_sign("vertical")
        # Drawn only where asked, so that a seed gives the images that it always gave.
        stretch = 1.0 + draw(self.aspect) if self.aspect else 1.0
        tilt = draw(self.shear) if self.shear else 0.0
        x = sign_x * (cos * stretch * columns - (sin - tilt) * rows) + (width - 1) / 2
        y = sign_y * (sin * columns + cos / stretch * rows) + (height - 1) / 2
        return x, y


def _sample(images, x, y):
    """Interpolate images (n, H, W, C) at points (n, H, W); black outside.

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
