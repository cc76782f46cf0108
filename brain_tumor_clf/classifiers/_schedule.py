"""The learning rate over training as one object whose parameters can be searched."""

import math

import keras
from keras import ops
from sklearn.base import BaseEstimator

from brain_tumor_clf._validation import check_choice

_DECAYS = ("constant", "cosine", "linear")


class LearningRateSchedule(BaseEstimator):
    """The learning rate over the steps of one fit: a warm-up, then a decay.

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

    def __init__(self, decay="cosine", warmup=0.05, final=0.01):
        self.decay = decay
        self.warmup = warmup
        self.final = final

    def make(self, learning_rate, n_steps):
        """The Keras schedule of a fit of `n_steps` batches.

        Parameters
        ----------
        learning_rate : float
            The highest rate.
        n_steps : int
            Number of batches in the whole fit.

        Returns
        -------
        keras.optimizers.schedules.LearningRateSchedule

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
        check_choice("decay", self.decay, _DECAYS)
        for name in ("warmup", "final"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {value!r}.")
        return WarmupDecay(
            learning_rate, n_steps, self.decay, float(self.warmup), float(self.final)
        )


NAMED_SCHEDULES = {
    "cosine": LearningRateSchedule(warmup=0.0),
    "warmup_cosine": LearningRateSchedule(),
}


def make_learning_rate(lr_schedule, learning_rate, n_steps):
    """A float, or the Keras schedule of a name, a composite or a Keras schedule."""
    if lr_schedule is None:
        return learning_rate
    if isinstance(lr_schedule, keras.optimizers.schedules.LearningRateSchedule):
        return lr_schedule
    if isinstance(lr_schedule, str):
        check_choice("lr_schedule", lr_schedule, NAMED_SCHEDULES)
        lr_schedule = NAMED_SCHEDULES[lr_schedule]
    if not hasattr(lr_schedule, "make"):
        raise TypeError(
            "lr_schedule must be None, 'cosine', 'warmup_cosine', a "
            "LearningRateSchedule or a Keras schedule, got "
            f"{type(lr_schedule).__name__}."
        )
    return lr_schedule.make(learning_rate, n_steps)


@keras.saving.register_keras_serializable(package="brain_tumor_clf")
class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then a decay, computed inside the training step."""

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
        return {
            "learning_rate": self.learning_rate,
            "n_steps": self.n_steps,
            "decay": self.decay,
            "warmup": self.warmup,
            "final": self.final,
        }
