"""The networks that come with the package: their files, and weights to start from."""

import hashlib
import io
import itertools
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.exceptions import ModelFileError, WeightsError

_FOLDER = Path(__file__).parent / "packaged"


class PackagedModel(NamedTuple):
    """One model file of the package."""

    backbone: str  # name of the backbone that it begins with
    sha256: str  # checksum of the file


# By name, which is also that of the weights that a classifier may start from.
PACKAGED_MODELS = {
    "brain-mri-multisource": PackagedModel(
        "EfficientNetLite0",
        "79a3df10114c1aa80831cf98179501162bbb25a056bae682b3a0c6e4b0c0d89d",
    ),
}


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
    >>> packaged_model_file("brain-mri-multisource").name
    'brain-mri-multisource.btc'
    """
    if name == "brain-mri-lite0":
        raise ValueError(
            "The model 'brain-mri-lite0' is not in the package any more. Load its "
            "file, which is in benchmarks/packaged_model/ of the repository, by load."
        )
    check_choice("model", name, PACKAGED_MODELS)
    path = _FOLDER / f"{name}.btc"
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != PACKAGED_MODELS[name].sha256:
        raise ModelFileError(
            f"The model {name!r} is {'damaged' if content else 'missing'}: see {path}. "
            "Install brain-tumor-clf again."
        )
    return path


def read_packaged_weights(name, backbone, n_per_layer):
    """Read the weights of a backbone, `n_per_layer` each, from a packaged model."""
    of = PACKAGED_MODELS[name].backbone
    if backbone != of:
        raise WeightsError(
            f"The weights {name!r} are of {of}, not of {backbone}. Take the "
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
