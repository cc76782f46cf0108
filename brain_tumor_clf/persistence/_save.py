"""save: a fitted estimator to one file of plain data."""

import json

from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._archive import ESTIMATOR, MANIFEST, pack, write_file
from brain_tumor_clf.persistence._manifest import make_manifest
from brain_tumor_clf.persistence._skops import to_skops

_OR_JOBLIB = "joblib.dump can save it, but open such files only if you trust them."
# Objects of these packages live in a running backend, not in a file.
_LIVE_PACKAGES = {"jax", "jaxlib", "keras", "tensorflow", "torch"}


def save(estimator, path, *, metadata=None, half_precision=False):
    """Save a fitted estimator to one file, without pickle.

    The file holds scikit-learn's state as `skops <https://skops.readthedocs.io>`_
    writes it, each network as its Keras config and weights (without optimizer
    state), and a manifest with versions, classes, checksums and a model id. Folders
    of this machine (``cache``, ``memory``) are left out. The file is written beside
    its place first and then moved there, so that it is whole or not there.

    Parameters
    ----------
    estimator : estimator
        Any fitted combination of scikit-learn's estimators and this package's.
        Trees and forests, objects of other packages and your own classes need
        joblib.
    path : path-like
        File to write; by custom with the suffix ``.btc``. An existing one is
        replaced.
    metadata : dict, optional
        Anything that JSON can hold, to travel in the file: scores, a model card, …
        That of a loaded estimator is in its ``metadata_``; give it again to keep it.
    half_precision : bool, default=False
        Store the networks' float32 weights as float16: half the file. Loaded, they
        are float32 again, but rounded to three digits. Probabilities differ by about
        0.001 from those of the estimator that was saved, single ones by up to 0.02.

    Returns
    -------
    ModelManifest
        What the file says about itself, its ``model_id`` among it.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ModelFileError
        If a part of the estimator cannot be saved in this format, a weight is too
        large for half precision, or the file cannot be written.

    See Also
    --------
    load : Load such a file.
    read_manifest : Read what a file says about itself without loading it.

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
    metadata = _check_metadata(metadata)
    _refuse_live_objects(estimator)
    name = type(estimator).__name__
    try:
        members = {ESTIMATOR: to_skops(estimator, half_precision)}
    except ModelFileError as error:
        raise ModelFileError(
            f"Cannot save this {name}: {error}. {_OR_JOBLIB}"
        ) from error
    except Exception as error:  # whatever a foreign object's state does to skops
        raise ModelFileError(
            f"Cannot save this {name}: skops says {type(error).__name__}: {error}. "
            f"{_OR_JOBLIB}"
        ) from error
    manifest = make_manifest(estimator, members, metadata)
    write_file(path, pack({MANIFEST: manifest.to_json(), **members}))
    return manifest


def _check_metadata(metadata):
    metadata = {} if metadata is None else metadata
    try:
        as_read = json.loads(json.dumps(metadata, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata must be what JSON can hold: {error}.") from error
    if not isinstance(metadata, dict):
        raise TypeError(f"metadata must be a dict, got {type(metadata).__name__}.")
    return as_read


def _refuse_live_objects(estimator):
    for name, value in estimator.get_params(deep=True).items():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            package = type(item).__module__.split(".")[0]
            if package in _LIVE_PACKAGES:
                raise ModelFileError(
                    f"Cannot save this {type(estimator).__name__}: its parameter "
                    f"{name} holds a {package} object ({type(item).__name__}). Give it "
                    "by name and numbers, or set it to None after fitting "
                    f"(set_params({name}=None)). {_OR_JOBLIB}"
                )
