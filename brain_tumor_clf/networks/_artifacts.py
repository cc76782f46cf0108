"""Layers that imitate what tells one source of images from another.

Each changes a random share of the images, in training only.
"""

import keras
from keras import ops

from brain_tumor_clf.networks._layers import RandomLayer, register


class _RandomArtifact(RandomLayer):
    """Base of layers that change a share of the images; a subclass defines `change`."""

    _arguments = ("seed", "share")

    def __init__(self, share=0.2, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.share = share

    def augment(self, images):
        """Draw which images to change and change them."""
        chosen = self.uniform(images, 0.0, 1.0) < self.share
        return ops.where(chosen, self.change(images), images)

    def change(self, images):
        """Change every image of a batch."""
        raise NotImplementedError


@register
class RandomEdges(_RandomArtifact):
    """Black out edges of some images, as a narrower field of view does.

    Four in ten edges of a chosen image stay; the others lose up to 22 % of its side.

    Parameters
    ----------
    share : float, default=0.2
        Share of the images that are changed.
    seed, **kwargs
        Seed of the layer's random state; arguments of any Keras layer.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomEdges
    >>> X = np.ones((1, 20, 20, 1))
    >>> result = np.asarray(RandomEdges(1.0, seed=0)(X, training=True))
    >>> bool((result[:, 6:14, 6:14] == 1).all())  # the middle stays
    True
    """

    def change(self, images):
        """Draw the width of each edge and black it out."""
        inside = True
        for position in self.positions(images):
            for distance in (position, 1 - position):
                width = ops.maximum(self.uniform(images, -0.4, 0.6), 0.0) / 0.6 * 0.22
                inside = ops.logical_and(inside, distance > width)
        return ops.where(inside, images, ops.zeros_like(images))


@register
class RandomSkullStripping(_RandomArtifact):
    """Keep a soft ellipse of some images, as skull stripping leaves the brain.

    The half axes are 30 to 48 % of height and width, the center is off by up to 5 %.

    Parameters
    ----------
    share : float, default=0.2
        Share of the images that are changed.
    seed, **kwargs
        Seed of the layer's random state; arguments of any Keras layer.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomSkullStripping
    >>> X = np.full((1, 20, 20, 1), 100.0)
    >>> result = np.asarray(RandomSkullStripping(1.0, seed=0)(X, training=True))
    >>> bool(result[0, 10, 10, 0] > 99), bool(result[0, 0, 0, 0] < 1)
    (True, True)
    """

    def change(self, images):
        """Draw the ellipse of each image and darken what is outside."""
        distance = 0.0
        for position in self.positions(images):
            offset = position - self.uniform(images, 0.45, 0.55)
            distance = distance + (offset / self.uniform(images, 0.3, 0.475)) ** 2
        sharpness = self.uniform(images, 15.0, 60.0)
        return images * ops.sigmoid((1.0 - distance) * sharpness)


@register
class RandomText(_RandomArtifact):
    """Put four bright specks of the size of text near the edges of some images.

    Parameters
    ----------
    share : float, default=0.2
        Share of the images that are changed.
    seed, **kwargs
        Seed of the layer's random state; arguments of any Keras layer.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import RandomText
    >>> X = np.zeros((1, 64, 64, 1))
    >>> result = np.asarray(RandomText(1.0, seed=0)(X, training=True))
    >>> bool(result.max() >= 127.5), bool((result > 0).mean() < 0.1)
    (True, True)
    """

    def change(self, images):
        """Draw place, size and brightness of each speck and put it on the image."""
        rows, columns = self.positions(images)
        shape = (*ops.shape(images)[:3], 1)
        lit = keras.random.uniform(shape, seed=self.seed_generator) < 0.6
        for _ in range(4):
            far_side = self.uniform(images, 0.0, 1.0) < 0.5
            near = self.uniform(images, 0.0, 0.1) + ops.where(far_side, 0.88, 0.0)
            along = self.uniform(images, 0.0, 1.0)
            upright = self.uniform(images, 0.0, 1.0) < 0.5
            column = ops.where(upright, near, along)
            row = ops.where(upright, along, near)
            wide = ops.abs(columns - column) < self.uniform(images, 0.01, 0.08)
            high = ops.abs(rows - row) < self.uniform(images, 0.004, 0.02)
            speck = ops.logical_and(lit, ops.logical_and(wide, high))
            images = ops.where(speck, self.uniform(images, 127.5, 255.0), images)
        return images
