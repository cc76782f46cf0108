"""A layer that mixes the statistics of feature maps between images."""

import keras
from keras import ops

from brain_tumor_clf.networks._layers import Layer, register


@register
class MixStyle(Layer):
    """Mix mean and deviation of each channel with those of another image [1]_.

    What a scanner or a sequence does to an image shows in these statistics of early
    feature maps. A part of the batches of the training is mixed; predictions are not
    affected.

    Parameters
    ----------
    share : float, default=0.5
        Share of the batches that are mixed.
    alpha : float, default=0.1
        Parameter of the Beta(`alpha`, `alpha`) distribution of the mixing weight: small
        ones leave most images nearly as they are, or give them the other's statistics.
    seed, **kwargs
        Seed of the layer's random state; arguments of any Keras layer.

    References
    ----------
    .. [1] K. Zhou et al., "Domain generalization with MixStyle", ICLR 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.networks import MixStyle
    >>> X = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    >>> layer = MixStyle(share=1.0, seed=0)
    >>> bool((np.asarray(layer(X)) == X).all())  # not in training: unchanged
    True
    >>> bool(np.allclose(np.asarray(layer(X, training=True)), X))
    False
    """

    _arguments = ("share", "alpha", "seed")

    def __init__(self, share=0.5, alpha=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.share = share
        self.alpha = alpha
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        """Mix the statistics of maps ``(n, h, w, c)``, in training only."""
        if not training:
            return inputs
        maps = ops.cast(inputs, "float32")  # variances need more than half precision
        mean, variance = ops.moments(maps, axes=(1, 2), keepdims=True)
        mean = ops.stop_gradient(mean)
        deviation = ops.stop_gradient(ops.sqrt(variance + 1e-6))
        weight = self._draw_weights(maps)
        other_mean, other_deviation = (
            ops.roll(statistic, 1, axis=0) for statistic in (mean, deviation)
        )
        mixed_mean = weight * mean + (1.0 - weight) * other_mean
        mixed_deviation = weight * deviation + (1.0 - weight) * other_deviation
        mixed = (maps - mean) / deviation * mixed_deviation + mixed_mean
        is_mixed = self._uniform(()) < self.share
        return ops.cast(ops.where(is_mixed, mixed, maps), inputs.dtype)

    def _draw_weights(self, maps):
        """Draw the share of its own statistics that each image keeps."""
        # As a quotient of powers, u ** (1 / alpha) / (u ** ... + v ** ...), which is
        # close to Beta for a small alpha and, unlike Gamma variates, cannot be 0 / 0.
        shape = (ops.shape(maps)[0], 1, 1, 1)
        one, two = ops.log(self._uniform(shape)), ops.log(self._uniform(shape))
        return ops.sigmoid((one - two) / self.alpha)

    def _uniform(self, shape):
        return keras.random.uniform(shape, 1e-7, 1.0, seed=self.seed_generator)
