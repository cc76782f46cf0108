"""load: an estimator from a file that `save` wrote."""

import warnings

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._archive import ESTIMATOR, MANIFEST, read_file
from brain_tumor_clf.persistence._manifest import (
    check_members,
    classes_as_list,
    parse_manifest,
    version_differences,
    warn_of_versions,
)
from brain_tumor_clf.persistence._skops import from_skops


def load(path):
    """Load an estimator that :func:`save` wrote; nothing in the file is run.

    Names, sizes, checksums, and every type that the file asks for are checked before
    anything is built. Checksums find damage; against malice stands the list of allowed
    types: this package's and scikit-learn's estimators, arrays, and Keras' own layers.

    Parameters
    ----------
    path : path-like
        File written by :func:`save`, under any Keras backend.

    Returns
    -------
    estimator
        As it was saved: predictions agree to the last bit under the same versions
        and backend (but see ``half_precision`` of :func:`save`). Its attribute
        ``model_id_`` names it in every later output, ``metadata_`` is the dict that
        :func:`save` was given; neither is saved again.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, tampered with, of a newer format, or holds
        anything that is not allowed. One line says which.

    Warns
    -----
    ModelVersionWarning
        If it was saved under versions that may predict differently.

    See Also
    --------
    save : Save an estimator, with an example.
    """
    members = read_file(path)
    manifest = parse_manifest(path, members[MANIFEST])
    check_members(path, manifest, members)
    estimator = _build(path, manifest, members[ESTIMATOR])
    if not isinstance(estimator, BaseEstimator):
        raise ModelFileError(
            f"{path} holds a {type(estimator).__name__}, not an estimator."
        )
    _check_classes(path, manifest, estimator)
    warn_of_versions(path, manifest)
    estimator.model_id_ = manifest.model_id
    estimator.metadata_ = manifest.metadata
    return estimator


def _build(path, manifest, content):
    """The estimator in the content of a skops file, or one clear error."""
    try:
        with warnings.catch_warnings():
            # scikit-learn warns once per part; one warning below says it for all.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            return from_skops(content)
    except Exception as error:  # a hostile or foreign state may fail in any way
        reason = str(error).strip().split("\n")[0].rstrip(".")
        message = f"{path} was not loaded: {reason or type(error).__name__}."
        differences = version_differences(manifest)
        if differences:
            message += f" It was saved with {differences}; try those versions."
        raise ModelFileError(message) from error


def _check_classes(path, manifest, estimator):
    classes = getattr(estimator, "classes_", None)
    found = None if classes is None else classes_as_list(classes)
    if found != manifest.classes:
        raise ModelFileError(
            f"{path} is damaged or tampered with: its manifest names the classes "
            f"{manifest.classes}, its estimator {found}."
        )
