"""EfficientNet-Lite0 without its top.

EfficientNet-B0 [1]_ without squeeze-and-excitation and with ReLU6 for swish [2]_.

References
----------
.. [1] M. Tan and Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
   Neural Networks", ICML 2019.
.. [2] R. Liu, "Higher accuracy on vision models with EfficientNet-Lite",
   TensorFlow Blog, 2020.
"""

import keras
from keras import layers

from brain_tumor_clf.networks._mix_style import MixStyle

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
_N_MIXED_STAGES = 3


def efficientnet_lite0(input_tensor, mix_style=0.0):
    """Build the network up to its last feature map: 3.4 million random weights.

    The images ``(n, H, W, 3)`` are scaled by ``(x - 127) / 128``; the map has 1280
    channels and is 32 times smaller. `MixStyle` follows each of the first three stages
    if its share is not zero.
    """
    x = _conv_bn_relu6(input_tensor, "stem", 32, 3, strides=2)
    for stage, (kernel, stride, expansion, filters, repeats) in enumerate(_STAGES, 1):
        for i in range(repeats):
            block = f"block{stage}{chr(ord('a') + i)}"
            x = _mbconv(x, block, kernel, stride if i == 0 else 1, expansion, filters)
        if mix_style and stage <= _N_MIXED_STAGES:
            x = MixStyle(mix_style, name=f"block{stage}_mix_style")(x)
    x = _conv_bn_relu6(x, "top", 1280, 1)
    inputs = keras.utils.get_source_inputs(input_tensor)
    return keras.Model(inputs, x, name="efficientnetlite0")


def _conv_bn_relu6(x, name, filters, kernel, strides=1):
    """Convolve, normalize and activate."""
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
    """Normalize and activate."""
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x)


def _mbconv(x, name, kernel, stride, expansion, filters):
    """Build one inverted bottleneck: expand, filter each channel, project, add."""
    inputs, channels = x, x.shape[-1]
    if expansion != 1:
        x = _conv_bn_relu6(x, f"{name}_expand", channels * expansion, 1)
    x = layers.DepthwiseConv2D(
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        # Keras takes the fan-out of a depthwise kernel for its fan-in, C times too
        # much: with "he_normal" an untrained network's features vanish.
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
