"""Save a fitted estimator to one file of plain data, and load it."""

import hashlib
import json
import warnings
from dataclasses import asdict

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf.exceptions import ModelFileError, ModelVersionWarning
from brain_tumor_clf.persistence._archive import (
    ESTIMATOR,
    MANIFEST,
    pack,
    read_file,
    write_file,
)
from brain_tumor_clf.persistence._manifest import (
    MODEL_ID_LENGTH,
    class_list,
    make_manifest,
    parse_manifest,
    version_differences,
)
from brain_tumor_clf.persistence._skops import from_skops, to_skops

# Objects of these packages live in a running backend, not in a file.
_LIVE_PACKAGES = {"jax", "jaxlib", "keras", "tensorflow", "torch"}


def save(estimator, path, *, metadata=None, half_precision=False):
    """Save a fitted estimator to one file, without pickle.

    The file is a zip archive of the estimator as
    `skops <https://skops.readthedocs.io>`_ writes it, networks as their Keras
    configuration and weights, and a manifest with versions, classes, a checksum and a
    model id. The optimizer's state and folders of this machine (``cache``, ``memory``)
    are left out. An interrupted save leaves no partial file.

    Parameters
    ----------
    estimator : estimator
        Any fitted combination of scikit-learn's estimators and this package's,
        without trees and forests. Those, objects of other packages and your own
        classes need joblib.
    path : path-like
        File to write, usually with the suffix ``.btc``. An existing file is replaced.
    metadata : dict, optional
        Scores, a model card or anything else that JSON can hold. A loaded estimator
        has it as ``metadata_``; saving again keeps it only if it is passed again.
    half_precision : bool, default=False
        Store the float32 weights of networks as float16, which halves the file. They
        are float32 again after loading, but rounded to three digits: probabilities
        differ by about 0.001 from those of `estimator`, single ones by up to 0.02.

    Returns
    -------
    ModelManifest
        What the file says about itself, including its ``model_id``.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ModelFileError
        If a part of the estimator cannot be saved in this format, a weight is too
        large for half precision, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.linear_model import LogisticRegression
    >>> from brain_tumor_clf import load, save
    >>> model = LogisticRegression().fit([[0.0], [1.0]], ["notumor", "glioma"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manifest = save(model, Path(folder) / "model.btc")
    ...     loaded = load(Path(folder) / "model.btc")
    >>> loaded.predict([[0.9]])
    array(['glioma'], dtype='<U7')
    >>> loaded.model_id_ == manifest.model_id
    True
    """
    check_is_fitted(estimator)
    metadata = _check_metadata({} if metadata is None else metadata)
    name = type(estimator).__name__
    try:
        _refuse_live_objects(estimator)
        content = to_skops(estimator, half_precision)
    except Exception as error:  # whatever a foreign object's state does to skops
        known = isinstance(error, ModelFileError)
        reason = error if known else f"skops says {type(error).__name__}: {error}"
        raise ModelFileError(
            f"Cannot save this {name}: {reason}. joblib.dump can save it, but open "
            "such files only if you trust them."
        ) from error
    manifest = make_manifest(estimator, content, metadata)
    document = json.dumps(asdict(manifest), indent=1).encode()
    write_file(path, pack({MANIFEST: document, ESTIMATOR: content}))
    return manifest


def load(path):
    """Load an estimator that :func:`save` wrote, without running code from the file.

    Names, sizes, the checksum and every type in the file are checked before anything is
    built. Allowed are estimators of this package and of scikit-learn, arrays, and
    layers of Keras and of this package. Networks are built at the first prediction.

    Parameters
    ----------
    path : path-like
        File written by :func:`save`, under any Keras backend.

    Returns
    -------
    estimator
        The fitted estimator. Under the same versions and backend its predictions are
        bit-equal to those of the saved one (but see ``half_precision`` of
        :func:`save`). Its attributes ``model_id_`` and ``metadata_`` are those of the
        file's manifest.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, tampered with, of another format, or has
        anything in it that is not allowed.

    Warns
    -----
    ModelVersionWarning
        If the file was saved under versions that may predict differently.

    See Also
    --------
    read_manifest : Read what a file says about itself without loading it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.linear_model import LogisticRegression
    >>> from brain_tumor_clf import load, save
    >>> model = LogisticRegression().fit([[0.0], [1.0]], ["notumor", "glioma"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.btc"
    ...     manifest = save(model, path, metadata={"task": "tumor or not"})
    ...     load(path).metadata_
    {'task': 'tumor or not'}
    """
    members = read_file(path)
    manifest = parse_manifest(path, members[MANIFEST])
    if hashlib.sha256(members[ESTIMATOR]).hexdigest() != manifest.sha256:
        raise ModelFileError(f"{path} is damaged: the checksum of {ESTIMATOR} differs.")
    if manifest.model_id != manifest.sha256[:MODEL_ID_LENGTH]:
        raise ModelFileError(f"{path} is damaged: its model id is not its content's.")
    differences = version_differences(manifest)
    try:
        with warnings.catch_warnings():
            # scikit-learn warns once per part; one warning below says it for all.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            estimator = from_skops(members[ESTIMATOR])
    except Exception as error:  # a hostile or foreign state may fail in any way
        reason = str(error).strip().split("\n")[0].rstrip(".")
        message = f"{path} was not loaded: {reason or type(error).__name__}."
        if differences:
            message += f" It was saved with {differences}; try those versions."
        raise ModelFileError(message) from error
    _check_estimator(path, manifest, estimator)
    if differences:
        warnings.warn(
            f"{path} was saved with {differences}. It loaded, but its predictions may "
            "differ; install those versions to be sure, or train and save it anew.",
            ModelVersionWarning,
            stacklevel=2,
        )
    estimator.model_id_ = manifest.model_id
    estimator.metadata_ = manifest.metadata
    return estimator


def _check_metadata(metadata):
    """Return `metadata` as it will be read from JSON."""
    if not isinstance(metadata, dict):
        raise TypeError(f"metadata must be a dict, got {type(metadata).__name__}.")
    try:
        return json.loads(json.dumps(metadata, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata must be what JSON can hold: {error}.") from error


def _refuse_live_objects(estimator):
    """Raise a ModelFileError if a parameter is an object of a running backend."""
    for name, value in estimator.get_params(deep=True).items():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            package = type(item).__module__.split(".")[0]
            if package in _LIVE_PACKAGES:
                raise ModelFileError(
                    f"its parameter {name} holds a {package} object "
                    f"({type(item).__name__}). Give it by name and numbers, or set it "
                    f"to None after fitting (set_params({name}=None))"
                )


def _check_estimator(path, manifest, estimator):
    """Raise a ModelFileError unless `estimator` is the one of the manifest."""
    if not isinstance(estimator, BaseEstimator):
        raise ModelFileError(
            f"{path} holds a {type(estimator).__name__}, not an estimator."
        )
    found = class_list(estimator)
    if found != manifest.classes:
        raise ModelFileError(
            f"{path} is damaged: its manifest names the classes {manifest.classes}, "
            f"its estimator {found}."
        )
