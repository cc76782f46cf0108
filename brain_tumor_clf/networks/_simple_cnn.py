"""A small convolutional network, trained from scratch."""

import keras
from keras import layers

from brain_tumor_clf._validation import check_count
from brain_tumor_clf.networks._checks import check_fraction, check_input_shape
from brain_tumor_clf.networks._seeding import seed_network, seeded_initialization
from brain_tumor_clf.networks._stages import FEATURE_MAP


def simple_cnn(
    input_shape,
    n_outputs,
    *,
    filters=(32, 64),
    kernel_size=3,
    dense_units=64,
    dropout=0.0,
    augmentation=None,
    dtype=None,
    seed=None,
):
    """Build a small network: convolutions with pooling, then one hidden dense layer.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width (pixels) and channels (1 or 3) of the images.
    n_outputs : int
        Number of logits: one per class, or 1 for two classes.
    filters, dense_units, dropout
        As of `brain_tumor_clf.SimpleCNNClassifier`.
    kernel_size : int, default=3
        Side of the convolutions, in pixels.
    augmentation, dtype, seed
        As in :func:`transfer_cnn`.

    Returns
    -------
    keras.Model
        Uncompiled; takes ``(n, height, width, channels)`` with values 0..255 and
        returns logits ``(n, n_outputs)``.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the images are too small for the blocks.

    Examples
    --------
    >>> from brain_tumor_clf.networks import simple_cnn
    >>> model = simple_cnn((64, 64, 1), 4)
    >>> model.output_shape
    (None, 4)
    """
    input_shape = check_input_shape(input_shape)
    n_outputs = check_count("n_outputs", n_outputs)
    kernel_size = check_count("kernel_size", kernel_size)
    dense_units = check_count("dense_units", dense_units, 0)
    dropout = check_fraction("dropout", dropout)
    filters = _check_filters(filters)
    _check_large_enough(input_shape, len(filters), kernel_size)
    with seeded_initialization(seed):
        inputs = keras.Input(input_shape, name="image", dtype="float32")
        x = apply_layers(inputs, augmentation)
        x = layers.Rescaling(1 / 255, name="rescaling", dtype="float32")(x)
        for i, n_filters in enumerate(filters, start=1):
            x = layers.Conv2D(
                n_filters, kernel_size, activation="relu", name=f"conv_{i}", dtype=dtype
            )(x)
            if i == len(filters):
                x = layers.Activation("linear", name=FEATURE_MAP, dtype=dtype)(x)
            # Keras' default drops the last odd row, which of one pixel leaves nothing.
            padding = "same" if min(x.shape[1:3]) < 2 else "valid"
            x = layers.MaxPooling2D(padding=padding, name=f"pool_{i}", dtype=dtype)(x)
        x = layers.Flatten(name="flatten", dtype=dtype)(x)
        x = dense_head(x, n_outputs, dense_units, dropout, dtype)
        network = keras.Model(inputs, x, name="simple_cnn")
    return seed_network(network, seed)


def apply_layers(x, augmentation):
    """Send a tensor through layers, one after the other; None stands for none."""
    for layer in augmentation or ():
        x = layer(x)
    return x


def dense_head(x, n_outputs, dense_units, dropout, dtype):
    """Put a hidden dense layer, dropout and float32 logits on a tensor ``(n, d)``."""
    if dense_units:
        x = layers.Dense(dense_units, activation="relu", name="dense", dtype=dtype)(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout", dtype=dtype)(x)
    # Half-precision logits would cost the loss and the probabilities their digits.
    return layers.Dense(n_outputs, name="logits", dtype="float32")(x)


def _check_filters(filters):
    """Return the numbers of filters as a list."""
    try:
        filters = list(filters)
    except TypeError:
        raise ValueError(
            "filters must be a sequence with one number per block, for example "
            f"(32, 64), got {filters!r}."
        ) from None
    if not filters:
        raise ValueError("filters must name at least one block, got an empty one.")
    return [check_count("Every entry of filters", n) for n in filters]


def _check_large_enough(input_shape, n_blocks, kernel_size):
    """Raise a ValueError that names the smallest size unless images are as large."""
    smallest = 1
    for _ in range(n_blocks):  # from the last map back; one pixel is not pooled
        before_pooling = 1 if smallest == 1 else 2 * smallest
        smallest = before_pooling + kernel_size - 1
    if min(input_shape[:2]) < smallest:
        raise ValueError(
            f"Images of {input_shape[0]}x{input_shape[1]} pixels are too small for "
            f"{n_blocks} blocks with {kernel_size}x{kernel_size} convolutions: the "
            f"shorter side must be at least {smallest} pixels. Enlarge image_size or "
            "use fewer filters."
        )
