"""Networks on a backbone: with a head to classify, or without to extract features."""

import keras
from keras import layers

from brain_tumor_clf._validation import check_choice, check_count
from brain_tumor_clf.networks._backbones import get_backbone
from brain_tumor_clf.networks._checks import (
    check_fraction,
    check_input_shape,
    check_range,
    dtype_policy_scope,
)
from brain_tumor_clf.networks._layers import ImageScaling
from brain_tumor_clf.networks._seeding import seed_network, seeded_initialization
from brain_tumor_clf.networks._simple_cnn import apply_layers, dense_head
from brain_tumor_clf.networks._stages import FEATURE_MAP, select_stages
from brain_tumor_clf.networks._weights import (
    read_backbone_weights,
    set_backbone_weights,
)

_POOLING = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
# Keras' 0.99 and 0.999 need thousands of steps before inference sees the statistics
# of the new images; fits here have tens to hundreds.
_BATCH_NORM_MOMENTUM = 0.9


def transfer_cnn(
    backbone,
    input_shape,
    n_outputs,
    *,
    weights=None,
    trainable="all",
    pooling="max",
    dense_units=64,
    dropout=0.2,
    mix_style=0.0,
    augmentation=None,
    dtype=None,
    seed=None,
):
    """Build a backbone with a small head to classify images.

    Global pooling, dropout, a hidden dense layer, dropout, logits.

    Parameters
    ----------
    backbone : str
        A key of ``BACKBONES``.
    input_shape : (int, int, int)
        Height, width (pixels) and channels (1 or 3) of the images.
    n_outputs : int
        Number of logits: one per class, or 1 for two classes.
    weights, trainable, pooling, dense_units, dropout, mix_style
        As of `brain_tumor_clf.TransferCNNClassifier`.
    augmentation : list of keras.Layer, optional
        Layers that act on images with values 0..255 in training only; see
        :func:`augmentation_layers`.
    dtype : str or keras.DTypePolicy, optional
        Dtype policy, for example ``"mixed_float16"``. None takes Keras' global
        policy. The logits are always float32.
    seed : int, optional
        Seed of weights that are not pretrained and of random layers without a seed of
        their own; Python's `random` is left as it was. None draws from it.

    Returns
    -------
    keras.Model
        Uncompiled; takes ``(n, height, width, channels)`` with values 0..255 and
        returns logits ``(n, n_outputs)``. The output of its layer ``"feature_map"`` is
        the last feature map.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    WeightsError
        If the pretrained weights cannot be read, or are of another network.

    Notes
    -----
    Batch normalization's momentum is set to 0.9: the original 0.99 to 0.999 assumes
    the hundred thousand steps of an ImageNet training.

    Examples
    --------
    >>> from brain_tumor_clf.networks import transfer_cnn
    >>> model = transfer_cnn("EfficientNetLite0", (64, 64, 1), 4, trainable="head")
    >>> model.output_shape, len(model.trainable_weights)
    ((None, 4), 4)
    """
    row = get_backbone(backbone)
    n_outputs = check_count("n_outputs", n_outputs)
    dense_units = check_count("dense_units", dense_units, 0)
    dropout = check_fraction("dropout", dropout)
    check_range("mix_style", mix_style, 1)
    n_trainable = _check_trainable(trainable, row)
    check_choice("pooling", pooling, _POOLING)

    with seeded_initialization(seed):
        inputs, x, pretrained = _backbone_tensors(
            row, input_shape, weights, n_trainable, augmentation, dtype, mix_style
        )
        x = _POOLING[pooling](name="pool", dtype=dtype)(x)
        if dropout:
            x = layers.Dropout(dropout, name="pool_dropout", dtype=dtype)(x)
        x = dense_head(x, n_outputs, dense_units, dropout if dense_units else 0, dtype)
    network = keras.Model(inputs, x, name=f"{backbone.lower()}_classifier")
    return seed_network(network, seed, pretrained)


def feature_extractor(
    backbone,
    input_shape,
    *,
    weights="imagenet",
    pooling="avg",
    stages=-1,
    dtype=None,
    seed=None,
):
    """Build a frozen backbone with global pooling of one or several feature maps.

    Parameters
    ----------
    backbone : str
        A key of ``BACKBONES``.
    input_shape : (int, int, int)
        Height, width (pixels) and channels (1 or 3) of the images.
    weights, pooling, stages
        As of `brain_tumor_clf.CNNFeatures`.
    dtype, seed
        As in :func:`transfer_cnn`. The features are float32.

    Returns
    -------
    keras.Model
        Takes ``(n, height, width, channels)`` with values 0..255 and returns features
        ``(n, d)``. None of its weights is trainable.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    WeightsError
        If the pretrained weights cannot be read, or are of another network.

    Examples
    --------
    >>> from brain_tumor_clf.networks import feature_extractor
    >>> model = feature_extractor("EfficientNetLite0", (64, 64, 1), weights=None)
    >>> model.output_shape, len(model.trainable_weights)
    ((None, 1280), 0)
    """
    row = get_backbone(backbone)
    check_choice("pooling", pooling, (*_POOLING, "avgmax"))
    with seeded_initialization(seed):
        inputs, x, pretrained = _backbone_tensors(
            row, input_shape, weights, 0, None, dtype
        )
    kinds = ("avg", "max") if pooling == "avgmax" else (pooling,)
    pools = [
        _POOLING[kind](name=f"{layer.name}_{kind}_pool", dtype="float32")(layer.output)
        for layer in select_stages(keras.Model(inputs, x), stages)
        for kind in kinds
    ]
    if len(pools) > 1:
        pools = [layers.Concatenate(name="features", dtype="float32")(pools)]
    network = keras.Model(inputs, pools[0], name=f"{backbone.lower()}_features")
    return seed_network(network, seed, pretrained)


def _backbone_tensors(
    row, input_shape, weights, n_trainable, augmentation, dtype, mix_style=0.0
):
    """Make a backbone's input and last feature map; name its pretrained layers."""
    input_shape = check_input_shape(input_shape)
    if min(input_shape[:2]) < row.min_size:
        raise ValueError(
            f"{row.name} needs images of at least {row.min_size}x{row.min_size} "
            f"pixels, got {input_shape[0]}x{input_shape[1]}. Enlarge image_size."
        )
    pretrained = read_backbone_weights(row, weights)
    inputs = keras.Input(input_shape, name="image", dtype="float32")
    x = apply_layers(inputs, augmentation)
    x = ImageScaling(**row.scaling, name="image_scaling", dtype="float32")(x)
    # One flat network, not a nested one: every layer is in `model.layers`.
    ahead = {id(layer) for layer in keras.Model(inputs, x).layers}
    with dtype_policy_scope(dtype):
        base = row.build(x, mix_style=mix_style)
    own = [layer for layer in base.layers if id(layer) not in ahead]
    set_backbone_weights(own, row, pretrained)
    for layer in own:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM
    _freeze(own, row, n_trainable)
    x = layers.Activation("linear", name=FEATURE_MAP, dtype=dtype)(base.output)
    return inputs, x, [] if pretrained is None else own


def _check_trainable(trainable, row):
    """Return the number of blocks to train; "all" includes the stem."""
    if isinstance(trainable, str):
        check_choice("trainable", trainable, ("all", "head"))
        return row.n_blocks if trainable == "all" else 0
    n_blocks = check_count("trainable (other than 'all' and 'head')", trainable, 0)
    if n_blocks > row.n_blocks:
        raise ValueError(
            f"{row.name} has {row.n_blocks} blocks, got trainable={trainable}. "
            "Pass 'all' to train every one."
        )
    return n_blocks


def _freeze(own, row, n_trainable):
    """Freeze all but the last blocks."""
    if n_trainable >= row.n_blocks:
        return
    names = [layer.name for layer in own]
    first = names.index(row.blocks[-n_trainable]) if n_trainable else len(own)
    for layer in own[:first]:
        layer.trainable = False
