"""The optimizer of one fit."""

import keras

from brain_tumor_clf._validation import unknown_name_message


def optimizer_classes():
    """Keras' optimizers by lower-case name."""
    base = keras.optimizers.Optimizer
    wrappers = {"optimizer", "lossscaleoptimizer", "multioptimizer"}
    return {
        name.lower(): member
        for name, member in vars(keras.optimizers).items()
        if isinstance(member, type)
        and issubclass(member, base)
        and name.lower() not in wrappers
    }


def make_optimizer(optimizer, learning_rate, weight_decay, options):
    """A new Keras optimizer of a name, a class or an instance.

    Parameters
    ----------
    optimizer : str, type or keras.optimizers.Optimizer
        An instance is copied, with its own learning rate and weight decay.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
        Ignored for an instance.
    weight_decay : float
        Decoupled decay of kernels; biases and normalisation are spared.
    options : dict
        The routed ``optimizer__…`` parameters.
    """
    if isinstance(optimizer, keras.optimizers.Optimizer):
        if options or weight_decay:
            raise ValueError(
                "optimizer is an instance and brings its own parameters: set them "
                "there, or give the name or class with weight_decay and optimizer__…"
            )
        return type(optimizer).from_config(optimizer.get_config())
    if isinstance(optimizer, str):
        known = optimizer_classes()
        if optimizer.lower() not in known:
            raise ValueError(unknown_name_message("optimizer", optimizer, known))
        optimizer = known[optimizer.lower()]
    try:
        made = optimizer(learning_rate=learning_rate, **options)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{optimizer.__name__} does not take optimizer__… {sorted(options)}: "
            f"{error}"
        ) from error
    if weight_decay:
        made.weight_decay = weight_decay
        made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def set_learning_rate(optimizer, learning_rate):
    """Set the rate of an optimizer in use; False if it follows a schedule."""
    try:
        optimizer.learning_rate = learning_rate
    except TypeError:
        return False
    return True
