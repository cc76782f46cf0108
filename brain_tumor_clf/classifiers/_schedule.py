"""The schedule of the learning rate."""

import math
from numbers import Real

import keras
from keras import ops
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

SCHEDULE = keras.optimizers.schedules.LearningRateSchedule  # Keras' own kind


class LearningRateSchedule(BaseEstimator):
    """Let the learning rate rise in a warm-up and then decay, over the steps of a fit.

    Parameters
    ----------
    decay : {"constant", "cosine", "linear"}, default="cosine"
        Shape of the decay from the learning rate to its final value [1]_.
    warmup : float, default=0.05
        Fraction of the steps in which the rate rises linearly from near zero.
    final : float, default=0.01
        Final rate as a fraction of the classifier's `learning_rate`.

    References
    ----------
    .. [1] Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm
       restarts", ICLR 2017.

    Examples
    --------
    >>> from brain_tumor_clf import LearningRateSchedule
    >>> schedule = LearningRateSchedule(decay="linear", warmup=0.0, final=0.0)
    >>> rate = schedule.make(learning_rate=0.1, n_steps=100)
    >>> round(float(rate(50)), 3)
    0.05
    """

    _parameter_constraints = {
        "decay": [StrOptions({"constant", "cosine", "linear"})],
        "warmup": [Interval(Real, 0, 1, closed="both")],
        "final": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, decay="cosine", warmup=0.05, final=0.01):
        self.decay = decay
        self.warmup = warmup
        self.final = final

    def make(self, learning_rate, n_steps):
        """Make the Keras schedule of a fit of `n_steps` batches.

        Parameters
        ----------
        learning_rate : float
            The highest rate.
        n_steps : int
            Number of batches in the whole fit.

        Returns
        -------
        keras.optimizers.schedules.LearningRateSchedule
        """
        self._validate_params()
        return WarmupDecay(
            learning_rate, n_steps, self.decay, float(self.warmup), float(self.final)
        )


NAMED_SCHEDULES = {
    "cosine": LearningRateSchedule(warmup=0.0),
    "warmup_cosine": LearningRateSchedule(),
}


def make_learning_rate(lr_schedule, learning_rate, n_steps):
    """Return a float or a Keras schedule for a value of the parameter `lr_schedule`."""
    if lr_schedule is None:
        return learning_rate
    if isinstance(lr_schedule, SCHEDULE):
        return lr_schedule
    if isinstance(lr_schedule, str):
        lr_schedule = NAMED_SCHEDULES[lr_schedule]
    return lr_schedule.make(learning_rate, n_steps)


@keras.saving.register_keras_serializable(package="brain_tumor_clf")
class WarmupDecay(SCHEDULE):
    """Compute the rate of a step: linear warm-up, then a decay.

    Keras' `CosineDecay` can warm up too, but decays a step earlier; its other decays
    cannot.
    """

    def __init__(self, learning_rate, n_steps, decay, warmup, final):
        super().__init__()
        self.learning_rate = learning_rate
        self.n_steps = n_steps
        self.decay = decay
        self.warmup = warmup
        self.final = final

    def __call__(self, step):
        step = ops.cast(step, "float32")
        n_warmup = self.warmup * self.n_steps
        n_decay = max(self.n_steps - n_warmup, 1.0)
        progress = ops.clip((step - n_warmup) / n_decay, 0.0, 1.0)
        if self.decay == "cosine":
            left = 0.5 * (1.0 + ops.cos(math.pi * progress))
        elif self.decay == "linear":
            left = 1.0 - progress
        else:
            left = ops.ones_like(progress)
        rate = self.final + (1.0 - self.final) * left
        if n_warmup:
            rate = rate * ops.minimum(1.0, (step + 1.0) / n_warmup)
        return self.learning_rate * rate

    def get_config(self):
        names = ("learning_rate", "n_steps", "decay", "warmup", "final")
        return {name: getattr(self, name) for name in names}
