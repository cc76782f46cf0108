"""The manifest of a model file: what it is, who wrote it, and its checksums."""

import hashlib
import importlib.metadata
import json
import platform
import sys
import warnings
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from brain_tumor_clf import __version__
from brain_tumor_clf.exceptions import ModelFileError, ModelVersionWarning
from brain_tumor_clf.persistence._archive import MANIFEST, read_file

FORMAT_NAME = "brain-tumor-clf model"
FORMAT_VERSION = 2

_DEPENDENCIES = ("scikit-learn", "keras", "numpy", "skops")
# How many leading numbers of a version must agree for a load without a warning.
_SIGNIFICANT = {"brain-tumor-clf": 2, "scikit-learn": 2, "keras": 1, "numpy": 1}
_MODEL_ID_LENGTH = 16


@dataclass(frozen=True)
class ModelManifest:
    """What a model file says about itself.

    Attributes
    ----------
    model_id : str
        16 hexadecimal digits: a hash of the content. Two files of one fitted model
        share it, whenever and wherever they were saved.
    classes : list or None
        Class labels in the order of the columns of ``predict_proba``; None if the
        estimator has no classes.
    estimator : str
        The estimator in a line, parts named.
    created : str
        Time of saving, ISO 8601, UTC.
    backend : str or None
        Keras backend under which it was saved; None if no network was in use. It may
        be loaded under any other.
    versions : dict of str to str
        Versions of Python and of the packages that matter at saving.
    metadata : dict
        What the caller gave to :func:`save`: scores, a model card, …
    members : dict of str to dict
        ``sha256`` and size in ``bytes`` of every other member of the archive.
    format : str
        Name of the file format.
    format_version : int
        Version of the file format.
    """

    model_id: str
    classes: list | None
    estimator: str
    created: str
    backend: str | None
    versions: dict
    metadata: dict
    members: dict
    format: str = FORMAT_NAME
    format_version: int = FORMAT_VERSION

    def to_json(self):
        """The manifest as the bytes of a JSON document."""
        return json.dumps(asdict(self), indent=1).encode()


def make_manifest(estimator, members, metadata):
    """The manifest of `estimator`, whose state is `members` (bytes by name)."""
    checksums = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in members.items()
    }
    classes = getattr(estimator, "classes_", None)
    return ModelManifest(
        model_id=_model_id(checksums),
        classes=None if classes is None else classes_as_list(classes),
        estimator=describe(estimator),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        backend=_backend(),
        versions=installed_versions(),
        metadata=metadata,
        members=checksums,
    )


def read_manifest(path):
    """What a model file says about itself, without loading the model.

    Parameters
    ----------
    path : path-like
        File written by :func:`save`.

    Returns
    -------
    ModelManifest

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
    """The manifest in `content` (bytes), its format and version checked."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            f"{path} is damaged: its {MANIFEST} is no JSON."
        ) from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT_NAME:
        raise ModelFileError(f"{path} is no model of this package: see its {MANIFEST}.")
    _check_format_version(path, fields)
    try:
        manifest = ModelManifest(**fields)
    except TypeError as error:
        raise ModelFileError(f"{path} is damaged: {MANIFEST} is incomplete.") from error
    if not _well_formed(manifest):
        raise ModelFileError(
            f"{path} is damaged: {MANIFEST} has values of wrong types."
        )
    return manifest


def check_members(path, manifest, members):
    """Raise a ModelFileError unless every member is as the manifest says."""
    present = set(members) - {MANIFEST}
    for name in sorted(present ^ set(manifest.members)):
        problem = "is not in its manifest" if name in present else "is missing"
        raise ModelFileError(f"{path} is damaged or tampered with: {name!r} {problem}.")
    for name in present:
        expected = manifest.members[name]
        got = {
            "sha256": hashlib.sha256(members[name]).hexdigest(),
            "bytes": len(members[name]),
        }
        if got != expected:
            raise ModelFileError(
                f"{path} is damaged or tampered with: the checksum of {name} differs."
            )
    if _model_id(manifest.members) != manifest.model_id:
        raise ModelFileError(
            f"{path} is damaged or tampered with: its model id is not its content's."
        )


def installed_versions():
    """Versions of Python and of the packages that a saved model depends on."""
    versions = {"python": platform.python_version(), "brain-tumor-clf": __version__}
    for package in _DEPENDENCIES:
        versions[package] = importlib.metadata.version(package)
    return versions


def version_differences(manifest):
    """The packages whose versions differ enough to matter, as one clause; or ""."""
    here = installed_versions()
    differences = []
    for package, depth in _SIGNIFICANT.items():
        saved = manifest.versions.get(package, "unknown")
        if saved.split(".")[:depth] != here[package].split(".")[:depth]:
            differences.append(f"{package} {saved} (here {here[package]})")
    return ", ".join(differences)


def warn_of_versions(path, manifest):
    """Warn once if the file was saved with versions that differ enough to matter."""
    differences = version_differences(manifest)
    if differences:
        warnings.warn(
            f"{path} was saved with {differences}. It loaded, but its predictions may "
            "differ; install those versions to be sure, or train and save it anew.",
            ModelVersionWarning,
            stacklevel=3,
        )


def describe(estimator):
    """An estimator in a line: its class, and the classes of its parts by name."""
    name = estimator if isinstance(estimator, str) else type(estimator).__name__
    if not hasattr(estimator, "get_params"):
        return name
    params = estimator.get_params(deep=False)
    parts = params.get("steps") or params.get("estimators")
    if parts:
        inner = ", ".join(f"{part[0]}={describe(part[1])}" for part in parts)
    elif params.get("estimator") is not None:
        inner = describe(params["estimator"])
    else:
        return name
    return f"{name}({inner})"


def classes_as_list(classes):
    """Class labels as values that JSON knows."""
    if isinstance(classes, list):  # one array of labels per output
        return [classes_as_list(labels) for labels in classes]
    values = classes.tolist()
    return [v if isinstance(v, (str, int, float, bool)) else str(v) for v in values]


def _model_id(checksums):
    digest = hashlib.sha256()
    for name in sorted(checksums):
        digest.update(f"{name} {checksums[name]['sha256']}\n".encode())
    return digest.hexdigest()[:_MODEL_ID_LENGTH]


def _backend():
    keras = sys.modules.get("keras")  # not imported for its name alone
    return None if keras is None else keras.config.backend()


def _check_format_version(path, fields):
    version = fields.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ModelFileError(
            f"{path} is damaged: there is no format version {version!r}."
        )
    if version > FORMAT_VERSION:
        versions = fields.get("versions")
        wrote = versions.get("brain-tumor-clf") if isinstance(versions, dict) else None
        raise ModelFileError(
            f"{path} has format version {version} and was written by brain-tumor-clf "
            f"{wrote}; this is {__version__}, which reads formats up to "
            f"{FORMAT_VERSION}. Upgrade: pip install 'brain-tumor-clf>={wrote}'."
        )


def _well_formed(manifest):
    texts = (manifest.model_id, manifest.estimator, manifest.created)
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(manifest.classes, (list, type(None)))
        and isinstance(manifest.backend, (str, type(None)))
        and isinstance(manifest.metadata, dict)
        and isinstance(manifest.versions, dict)
        and all(isinstance(v, str) for v in manifest.versions.values())
        and isinstance(manifest.members, dict)
        and all(
            isinstance(m, dict) and isinstance(m.get("sha256"), str)
            for m in manifest.members.values()
        )
    )
