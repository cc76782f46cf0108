"""The networks that come with the package: their files, and weights to start from."""

import hashlib
import io
import itertools
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brain_tumor_clf._validation import unknown_name_message
from brain_tumor_clf.exceptions import ModelFileError, WeightsError

_FOLDER = Path(__file__).parent / "packaged"


@dataclass(frozen=True)
class PackagedModel:
    """One model file of the package."""

    weights_name: str  # what a classifier calls its backbone's weights
    backbone: str  # name of the backbone that it begins with
    sha256: str  # checksum of the file


PACKAGED_MODELS = {
    "brain-mri-lite0": PackagedModel(
        "brain-mri",
        "EfficientNetLite0",
        "d4540ecc0da900c60c31635b363c7b1af59716226b5fe80d5879772dcfed454c",
    ),
}
PACKAGED_WEIGHTS = {row.weights_name: name for name, row in PACKAGED_MODELS.items()}


def packaged_model_file(name):
    """Return the file of a model that comes with the package, its checksum verified.

    Parameters
    ----------
    name : str
        A key of `PACKAGED_MODELS`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If there is no such model; the message names the nearest.
    ModelFileError
        If the file is missing or is not the one that was packaged.

    Examples
    --------
    >>> from brain_tumor_clf.networks import packaged_model_file
    >>> packaged_model_file("brain-mri-lite0").name
    'brain-mri-lite0.btc'
    """
    if name not in PACKAGED_MODELS:
        raise ValueError(unknown_name_message("model", name, PACKAGED_MODELS))
    path = _FOLDER / f"{name}.btc"
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != PACKAGED_MODELS[name].sha256:
        raise ModelFileError(
            f"The model {name!r} is {'damaged' if content else 'missing'}: see {path}. "
            "Install brain-tumor-clf again."
        )
    return path


def read_packaged_weights(weights_name, backbone, n_per_layer):
    """Read the weights of a backbone, `n_per_layer` each, from a packaged model."""
    name = PACKAGED_WEIGHTS[weights_name]
    of = PACKAGED_MODELS[name].backbone
    if backbone != of:
        raise WeightsError(
            f"The weights {weights_name!r} are of {of}, not of {backbone}. Take the "
            f"backbone {of!r}, or weights='imagenet'."
        )
    with zipfile.ZipFile(packaged_model_file(name)) as archive:
        estimator = io.BytesIO(archive.read("estimator.skops"))
    with zipfile.ZipFile(estimator) as archive:
        # In the order of the network, which begins with the backbone.
        network = _first_network(json.loads(archive.read("schema.json")))
        files = [node["file"] for node in network["weights"]["content"]]
        arrays = (np.load(io.BytesIO(archive.read(f))).astype("float32") for f in files)
        return [list(itertools.islice(arrays, n)) for n in n_per_layer]


def _first_network(node):
    """Find the data of the first network in skops' description of an estimator."""
    if isinstance(node, dict):
        if "_network_state" in node:
            return node["_network_state"]["content"]
        node = list(node.values())
    if isinstance(node, list):
        return next(filter(None, map(_first_network, node)), None)
    return None
