"""Checks of arguments that the networks share."""

import contextlib

import keras

from brain_tumor_clf._validation import check_image_size


def check_input_shape(input_shape):
    """Return ``(height, width, channels)`` as integers; channels are 1 or 3."""
    try:
        height, width, channels = input_shape
    except (TypeError, ValueError):
        raise ValueError(
            "input_shape must be (height, width, channels), for example (64, 64, 1), "
            f"got {input_shape!r}."
        ) from None
    height, width = check_image_size((height, width))
    if channels not in (1, 3):
        raise ValueError(
            "Images must have 1 channel (gray) or 3 (RGB), "
            f"got input_shape={tuple(input_shape)!r}."
        )
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "The networks expect Keras' image_data_format 'channels_last', got "
            f"{keras.config.image_data_format()!r}. Edit ~/.keras/keras.json or call "
            "keras.config.set_image_data_format('channels_last')."
        )
    return height, width, int(channels)


def check_fraction(name, value):
    """Return a rate in [0, 1) as a float, or raise a ValueError that names it."""
    try:
        valid = 0 <= value < 1
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(f"{name} must be in [0, 1), got {value!r}.")
    return float(value)


def check_range(name, value, high):
    """Raise a ValueError unless a number is from 0 to `high`."""
    try:
        valid = 0 <= value <= high
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(f"{name} must be from 0 to {high}, got {value!r}.")


@contextlib.contextmanager
def dtype_policy_scope(dtype):
    """Build layers that take no ``dtype`` argument with this dtype policy.

    The networks of ``keras.applications`` read the global policy only. It is set for
    the time of the block and in this thread (Keras keeps one per thread). None leaves
    it as it is.
    """
    if dtype is None:
        yield
        return
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
