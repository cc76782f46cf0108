"""Black out a square of each image."""

import keras
from keras import ops

from brain_tumor_clf.networks._random_layer import RandomLayer


@keras.saving.register_keras_serializable(package="brain_tumor_clf")
class RandomCutout(RandomLayer):
    """Black out one square per image, at a random place [1]_.

    Parameters
    ----------
    size : float, default=0.25
        Side of the square as a share of the image's height and width. The square's
        centre is anywhere in the image, so part of it may lie outside.
    seed : int, optional
        Seed of the layer's own random state.
    **kwargs
        As of any Keras layer (`name`).

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

    def __init__(self, size=0.25, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.size = size

    def augment(self, images):
        """Draw the square of each image and black it out."""
        outside = [
            ops.abs(position - self.uniform(images, 0.0, 1.0)) > self.size / 2
            for position in (
                _positions(images.shape[1])[None, :, None, None],
                _positions(images.shape[2])[None, None, :, None],
            )
        ]
        keep = ops.logical_or(*outside)
        return ops.where(keep, images, ops.zeros_like(images))

    def get_config(self):
        """Parameters of the layer, for saving."""
        return {**super().get_config(), "size": self.size}


def _positions(n):
    """Centres of `n` pixels as shares of the side."""
    return (ops.arange(n, dtype="float32") + 0.5) / n
