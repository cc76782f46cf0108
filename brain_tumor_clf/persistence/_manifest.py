"""The manifest of a model file: what it is, who wrote it, and its checksum."""

import hashlib
import importlib.metadata
import json
import platform
import sys
from dataclasses import dataclass, fields
from datetime import UTC, datetime

import numpy as np

from brain_tumor_clf import __version__
from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._archive import MANIFEST, read_file

FORMAT_NAME = "brain-tumor-clf model"
FORMAT_VERSION = 2

_DEPENDENCIES = ("scikit-learn", "keras", "numpy", "skops")
# How many leading numbers of a version must agree for a load without a warning.
_SIGNIFICANT = {"brain-tumor-clf": 2, "scikit-learn": 2, "keras": 1, "numpy": 1}
MODEL_ID_LENGTH = 16


@dataclass(frozen=True)
class ModelManifest:
    """Describe a model file.

    Attributes
    ----------
    model_id : str
        First 16 digits of `sha256`, the same in every file of one fitted model.
    classes : list or None
        Class labels in the order of the columns of ``predict_proba``, if any.
    estimator : str
        The estimator and its parts in one line.
    created : str
        Time of saving, ISO 8601, UTC.
    backend : str or None
        Keras backend when it was saved, if any. It loads under every backend.
    versions : dict of str to str
        Versions of Python and of packages when it was saved.
    metadata : dict
        What was passed to :func:`save`.
    sha256 : str
        Checksum of the member ``estimator.skops``.
    format, format_version : str, int
        Name and version of the file format.
    """

    model_id: str
    classes: list | None
    estimator: str
    created: str
    backend: str | None
    versions: dict
    metadata: dict
    sha256: str
    format: str = FORMAT_NAME
    format_version: int = FORMAT_VERSION


def make_manifest(estimator, content, metadata):
    """Return the manifest of an estimator and of its content as a skops file."""
    keras = sys.modules.get("keras")  # not imported for its backend's name alone
    digest = hashlib.sha256(content).hexdigest()
    return ModelManifest(
        model_id=digest[:MODEL_ID_LENGTH],
        classes=class_list(estimator),
        estimator=_describe(estimator),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        backend=None if keras is None else keras.config.backend(),
        versions=installed_versions(),
        metadata=metadata,
        sha256=digest,
    )


def read_manifest(path):
    """Read what a model file says about itself, without loading the model.

    Parameters
    ----------
    path : path-like
        File written by :func:`save`.

    Returns
    -------
    ModelManifest
        What :func:`save` wrote.

    Raises
    ------
    ModelFileError
        If the file is no model of this package, damaged, or of a newer format.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.linear_model import LogisticRegression
    >>> from brain_tumor_clf.persistence import read_manifest, save
    >>> model = LogisticRegression().fit([[0.0], [1.0]], ["notumor", "glioma"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save(model, Path(folder) / "model.btc", metadata={"accuracy": 1.0})
    ...     manifest = read_manifest(Path(folder) / "model.btc")
    >>> manifest.classes, manifest.metadata
    (['glioma', 'notumor'], {'accuracy': 1.0})
    """
    return parse_manifest(path, read_file(path)[MANIFEST])


def parse_manifest(path, content):
    """Return the manifest in `content` (bytes), its format and version checked."""
    damaged = ModelFileError(
        f"{path} is damaged, or is no model of this package: see its {MANIFEST}."
    )
    try:
        document = json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        raise damaged from error
    if not isinstance(document, dict) or document.get("format") != FORMAT_NAME:
        raise damaged
    _check_format_version(path, document)
    try:
        manifest = ModelManifest(**document)
    except TypeError as error:
        raise damaged from error
    typed = all(isinstance(getattr(manifest, f.name), f.type) for f in fields(manifest))
    if not typed or not all(isinstance(v, str) for v in manifest.versions.values()):
        raise damaged
    return manifest


def installed_versions():
    """Return the versions of Python and of the packages that a model depends on."""
    versions = {"python": platform.python_version(), "brain-tumor-clf": __version__}
    return versions | {name: importlib.metadata.version(name) for name in _DEPENDENCIES}


def version_differences(manifest):
    """Return the versions that differ enough to matter, as one clause; or ""."""
    here, differences = installed_versions(), []
    for package, depth in _SIGNIFICANT.items():
        saved = manifest.versions.get(package, "unknown")
        if saved.split(".")[:depth] != here[package].split(".")[:depth]:
            differences.append(f"{package} {saved} (here {here[package]})")
    return ", ".join(differences)


def class_list(estimator):
    """Return the class labels of an estimator as values of JSON; None without any."""

    def plain(value):
        return value.tolist() if isinstance(value, np.ndarray) else str(value)

    return json.loads(json.dumps(getattr(estimator, "classes_", None), default=plain))


def _describe(estimator):
    """Return an estimator's class, and the classes of its parts, in one line."""
    name = estimator if isinstance(estimator, str) else type(estimator).__name__
    if not hasattr(estimator, "get_params"):
        return name
    params = estimator.get_params(deep=False)
    parts = params.get("steps") or params.get("estimators")
    if parts:
        inner = ", ".join(f"{part[0]}={_describe(part[1])}" for part in parts)
    elif params.get("estimator") is not None:
        inner = _describe(params["estimator"])
    else:
        return name
    return f"{name}({inner})"


def _check_format_version(path, document):
    """Raise a ModelFileError that says how to read another version of the format."""
    version = document.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ModelFileError(f"{path} is damaged: no format version {version!r}.")
    if version > FORMAT_VERSION:
        versions = document.get("versions")
        wrote = versions.get("brain-tumor-clf") if isinstance(versions, dict) else None
        raise ModelFileError(
            f"{path} has format version {version} and was written by brain-tumor-clf "
            f"{wrote}; this is {__version__}. Upgrade: pip install "
            f"'brain-tumor-clf>={wrote}'."
        )
