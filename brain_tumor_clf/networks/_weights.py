"""Pretrained weights of a backbone: from ImageNet, the package or a file."""

import os
import tempfile
import urllib.request
import zipfile
from itertools import groupby
from pathlib import Path

import keras
import numpy as np

from brain_tumor_clf.exceptions import ModelFileError, WeightsError
from brain_tumor_clf.networks._config_check import check_config
from brain_tumor_clf.networks._packaged import PACKAGED_MODELS, read_packaged_weights

_SUFFIXES = (".weights.h5", ".h5", ".keras")
# Written by benchmarks/convert_lite0_weights.py: one array for each weight, in order.
_IMAGENET_LITE0 = Path(__file__).parent / "packaged/efficientnet-lite0-imagenet.npz"
_TIMEOUT = 10  # seconds; Keras itself waits without end


def read_backbone_weights(backbone, weights):
    """Read pretrained weights before anything large is built.

    `weights` is as in `transfer_cnn`. Returns a list with the weights of each layer
    that has any, in the backbone's order; None for none.
    """
    if weights is None:
        return None
    is_imagenet = str(weights) == "imagenet"
    if is_imagenet and backbone.url is None:
        return _read_packaged_imagenet()
    if str(weights) in PACKAGED_MODELS:
        sizes = [len(layer.weights) for layer in _weighted(_bare(backbone).layers)]
        return read_packaged_weights(str(weights), backbone.name, sizes)
    source = _download(backbone) if is_imagenet else _read_file(Path(weights), backbone)
    return [
        [np.asarray(w) for w in layer.weights] for layer in _weighted(source.layers)
    ]


def set_backbone_weights(layers, backbone, values):
    """Put what `read_backbone_weights` returned into the layers of a backbone.

    A saved model has more layers than the backbone: those of its head are left out.
    """
    if values is None:
        return
    ours = list(_weighted(layers))
    for i, layer in enumerate(ours):
        shapes = [tuple(w.shape) for w in layer.weights]
        got = [w.shape for w in values[i]] if i < len(values) else []
        if got != shapes:
            raise WeightsError(
                f"The weights are not those of {backbone.name}: layer {i} "
                f"({layer.name!r}) needs shapes {shapes}, got {got}. Pass a file of "
                f"{backbone.name} without its top, or weights='imagenet'."
            )
    for layer, arrays in zip(ours, values, strict=False):
        layer.set_weights(arrays)


def _read_packaged_imagenet():
    """Read EfficientNetLite0's ImageNet weights, kept in half precision."""
    try:
        with np.load(_IMAGENET_LITE0, allow_pickle=False) as file:
            by_layer = groupby(file.files, key=lambda name: name.rpartition("/")[0])
            return [
                [file[n].astype(np.float32) for n in names] for _, names in by_layer
            ]
    except Exception as error:  # a damaged archive raises almost any class
        raise WeightsError(
            f"Cannot read the ImageNet weights {os.fspath(_IMAGENET_LITE0)!r} "
            f"({_first_line(error)}). Install brain-tumor-clf again."
        ) from error


def _bare(backbone, weights=None):
    """Build the backbone alone, on RGB images of its default size."""
    # The weights don't depend on the size, but MobileNetV2 has a file for each.
    size = backbone.default_size
    return backbone.build(keras.Input((size, size, 3)), weights=weights)


def _weighted(layers):
    """Yield layers with weights of their own, those of nested models too.

    Normalization is left out: Keras' ImageNet files carry it for EfficientNetB0 only,
    whose scaling is in the table of backbones, so that it stays the identity.
    """
    for layer in layers:
        if isinstance(layer, keras.Model):
            yield from _weighted(layer.layers)
        elif layer.weights and not isinstance(layer, keras.layers.Normalization):
            yield layer


def _read_file(path, backbone):
    """Return a network that begins with the backbone, its weights from a Keras file."""
    if not path.is_file():
        raise WeightsError(
            f"There is no weights file {os.fspath(path)!r}. weights must be "
            "'imagenet', 'brain-mri-multisource', None or the path of a Keras file "
            f"({', '.join(_SUFFIXES)})."
        )
    if not path.name.endswith(_SUFFIXES):
        raise WeightsError(
            f"{os.fspath(path)!r} is no Keras weights file: its name must end in one "
            f"of {', '.join(_SUFFIXES)}."
        )
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                check_config(archive.read("config.json").decode())
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        model = _bare(backbone)
        model.load_weights(path)
        return model
    except ModelFileError as error:
        raise WeightsError(f"Cannot take weights from {path}: {error}") from error
    except Exception as error:  # h5py and Keras raise almost any class
        raise WeightsError(
            f"Cannot load {os.fspath(path)!r} as the weights of {backbone.name} "
            f"without its top ({_first_line(error)})."
        ) from error


def _download(backbone):
    """Build the backbone with the ImageNet weights that Keras downloads."""
    target = _models_folder() / backbone.url.rsplit("/", 1)[1]
    try:
        if not target.is_file():
            request = urllib.request.Request(backbone.url, method="HEAD")
            # Asked first, with a time limit, so that no network is known at once.
            urllib.request.urlopen(request, timeout=_TIMEOUT).close()
        return _bare(backbone, weights="imagenet")
    except Exception as error:  # Keras raises bare Exception for a failed download
        raise WeightsError(
            f"Cannot download the ImageNet weights of {backbone.name} "
            f"({_first_line(error)}). Get {backbone.url} on a machine with a network "
            f"and put it at {target}; or take the backbone 'EfficientNetLite0', whose "
            "weights come with this package."
        ) from error


def _models_folder():
    """Return the folder where Keras keeps the files that it downloads."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    if not os.access(home, os.W_OK):  # then Keras neither writes nor reads there
        temporary = "/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()
        home = Path(temporary, ".keras")
    return home / "models"


def _first_line(error):
    """Return the class of an error and the beginning of its message."""
    text = str(error).strip() or "no reason given"
    return f"{type(error).__name__}: {text.splitlines()[0][:200]}"
