"""The table of backbones: one row holds all that differs between them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import keras

from brain_tumor_clf._validation import unknown_name_message
from brain_tumor_clf.networks._efficientnet_lite0 import efficientnet_lite0

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)

# How images with values 0..255 become what the ImageNet weights were trained on.
_TO_MINUS_ONE_ONE = {"scale": 1 / 127.5, "offset": -1.0}
_STANDARDIZED = {
    "scale": tuple(1 / (255 * std) for std in _STD),
    "offset": tuple(-mean / std for mean, std in zip(_MEAN, _STD, strict=True)),
}
_CAFFE = {
    "scale": 1.0,
    "offset": (-123.68, -116.779, -103.939),
    "reverse_channels": True,
}
# Keras' EfficientNetB0 divides by 255 itself, by a layer that cannot be left out.
_STANDARDIZED_TIMES_255 = {
    "scale": tuple(1 / std for std in _STD),
    "offset": tuple(-255 * mean / std for mean, std in zip(_MEAN, _STD, strict=True)),
}
_UNSCALED = {"build_options": {"include_preprocessing": False}}
_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"
_KERNELS = "_weights_tf_dim_ordering_tf_kernels"
_V3 = f"{_KERAS}mobilenet_v3/weights_mobilenet_v3"
_URLS = {
    "Xception": f"{_KERAS}xception/xception{_KERNELS}_notop.h5",
    "VGG16": f"{_KERAS}vgg16/vgg16{_KERNELS}_notop.h5",
    "ResNet50V2": f"{_KERAS}resnet/resnet50v2{_KERNELS}_notop.h5",
    "DenseNet121": f"{_KERAS}densenet/densenet121{_KERNELS}_notop.h5",
    "InceptionV3": f"{_KERAS}inception_v3/inception_v3{_KERNELS}_notop.h5",
    "MobileNetV2": f"{_KERAS}mobilenet_v2/mobilenet_v2{_KERNELS}_1.0_224_no_top.h5",
    "MobileNetV3Small": f"{_V3}_small_224_1.0_float_no_top_v2.h5",
    "MobileNetV3Large": f"{_V3}_large_224_1.0_float_no_top_v2.h5",
    "EfficientNetB0": "https://storage.googleapis.com/keras-applications/"
    "efficientnetb0_notop.h5",
    "EfficientNetV2B0": f"{_KERAS}efficientnet_v2/efficientnetv2-b0_notop.h5",
    "ConvNeXtTiny": f"{_KERAS}convnext/convnext_tiny_notop.h5",
}


@dataclass(frozen=True)
class Backbone:
    """One row of the backbone table.

    Attributes
    ----------
    name : str
        Name, as in ``keras.applications``.
    scaling : dict
        Parameters of the :class:`ImageScaling` layer in front of it.
    blocks : tuple of str
        The first layer of each block after the stem, from input to output; layers
        whose names Keras numbers anew each time are never among them.
    last_conv : str
        The layer of the last convolution (for InceptionV3, whose convolutions have no
        lasting names, the one that joins the last of them).
    learning_rate : float
        Where to start when fine-tuning the whole network with Adam.
    default_size : int
        Side of the images that the ImageNet weights were trained on, in pixels.
    min_size : int
        Smallest side of an image, in pixels.
    build_options : dict
        Extra arguments of the builder.
    builder : callable or None
        Function of the input tensor and `mix_style` that builds it in place of
        ``keras.applications``.

    Examples
    --------
    >>> from brain_tumor_clf.networks import BACKBONES
    >>> BACKBONES["VGG16"].last_conv
    'block5_conv3'
    """

    name: str
    scaling: dict
    blocks: tuple
    last_conv: str
    learning_rate: float
    default_size: int = 224
    min_size: int = 32
    build_options: dict = field(default_factory=dict)
    builder: Callable | None = None

    @property
    def n_blocks(self):
        """Number of blocks, the stem included."""
        return len(self.blocks) + 1

    @property
    def url(self):
        """Where Keras downloads the ImageNet weights; None if the package has them."""
        return _URLS.get(self.name)

    def build(self, input_tensor, weights=None, mix_style=0.0):
        """Build the network without top on scaled images ``(n, H, W, 3)``.

        `weights`, "imagenet" or None, are those of ``keras.applications``; `mix_style`
        is as in `transfer_cnn`.
        """
        if self.builder is not None:
            return self.builder(input_tensor, mix_style)
        if mix_style:
            raise ValueError(
                f"mix_style={mix_style}: only the backbone 'EfficientNetLite0' has it, "
                f"not {self.name!r}."
            )
        application = getattr(keras.applications, self.name)
        return application(
            include_top=False,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=tuple(input_tensor.shape[1:]),
            **self.build_options,
        )


def _numbered(pattern, numbers):
    """Fill each number into a pattern of layer names."""
    return tuple(pattern.format(i) for i in numbers)


# The first layer of each block after the stem.
_XCEPTION = (
    "block2_sepconv1",
    *_numbered("block{}_sepconv1_act", range(3, 14)),
    "block14_sepconv1",
)
_VGG16 = _numbered("block{}_conv1", range(2, 6))
_RESNET = _numbered("conv{}_block1_preact_bn", range(2, 6))
_DENSENET = _numbered("conv{}_block1_0_bn", range(2, 6))
_INCEPTION = _numbered("mixed{}", range(10))
_MOBILENET_V2 = (*_numbered("block_{}_expand", range(1, 17)), "Conv_1")
_V3_SMALL = (*_numbered("expanded_conv_{}_expand", range(1, 11)), "conv_1")
_V3_LARGE = (*_numbered("expanded_conv_{}_expand", range(1, 15)), "conv_1")
_EFFICIENTNET = (*_numbered("block{}a_expand_conv", range(2, 8)), "top_conv")
_EFFICIENTNET_V2 = (*_numbered("block{}a_expand_conv", range(2, 7)), "top_conv")
_CONVNEXT = (
    "convnext_tiny_stage_0_block_0_depthwise_conv",
    *_numbered("convnext_tiny_downsampling_block_{}", range(3)),
)

_ROWS = (
    Backbone(
        "Xception", _TO_MINUS_ONE_ONE, _XCEPTION, "block14_sepconv2", 1e-4, 299, 71
    ),
    Backbone("VGG16", _CAFFE, _VGG16, "block5_conv3", 2e-5),
    Backbone("ResNet50V2", _TO_MINUS_ONE_ONE, _RESNET, "conv5_block3_3_conv", 1e-4),
    Backbone("DenseNet121", _STANDARDIZED, _DENSENET, "conv5_block16_2_conv", 1e-4),
    Backbone("InceptionV3", _TO_MINUS_ONE_ONE, _INCEPTION, "mixed10", 1e-4, 299, 75),
    Backbone("MobileNetV2", _TO_MINUS_ONE_ONE, _MOBILENET_V2, "Conv_1", 3e-4),
    Backbone(
        "MobileNetV3Small", _TO_MINUS_ONE_ONE, _V3_SMALL, "conv_1", 3e-4, **_UNSCALED
    ),
    Backbone(
        "MobileNetV3Large", _TO_MINUS_ONE_ONE, _V3_LARGE, "conv_1", 3e-4, **_UNSCALED
    ),
    Backbone(
        "EfficientNetB0", _STANDARDIZED_TIMES_255, _EFFICIENTNET, "top_conv", 3e-4
    ),
    Backbone(
        "EfficientNetV2B0",
        _STANDARDIZED,
        _EFFICIENTNET_V2,
        "top_conv",
        3e-4,
        **_UNSCALED,
    ),
    Backbone(
        "ConvNeXtTiny",
        _STANDARDIZED,
        _CONVNEXT,
        "convnext_tiny_stage_3_block_2_depthwise_conv",
        5e-5,
        **_UNSCALED,
    ),
    Backbone(
        "EfficientNetLite0",
        {"scale": 1 / 128, "offset": -127 / 128},
        _EFFICIENTNET,
        "top_conv",
        5e-4,
        builder=efficientnet_lite0,
    ),
)

BACKBONES = {row.name: row for row in _ROWS}


def get_backbone(name):
    """Return the row of the backbone table with this name.

    Parameters
    ----------
    name : str
        A key of ``BACKBONES``.

    Returns
    -------
    Backbone

    Raises
    ------
    ValueError
        If there is none; the message names the nearest.

    Examples
    --------
    >>> from brain_tumor_clf.networks import get_backbone
    >>> get_backbone("Xception").min_size
    71
    """
    try:
        return BACKBONES[name]
    except (KeyError, TypeError):
        raise ValueError(unknown_name_message("backbone", name, BACKBONES)) from None
