"""The model of a command: a file that is named, or the packaged one."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._console import print_warning

_OWN, _PICKLES = ".btc", (".joblib", ".pkl", ".pickle")

ModelAndPaths = Annotated[
    list[Path],
    typer.Argument(
        metavar="[MODEL] PATH...",
        exists=True,
        help="A model file (.btc) that `train` or `demo` wrote, or none for the "
        "packaged model; then scans, and folders that are searched with all that is "
        "in them.",
    ),
]
TrustPickleOption = Annotated[
    bool,
    typer.Option(
        "--trust-pickle",
        help="Open a pickled model (.joblib, .pkl), too: it runs whatever code is in "
        "it.",
    ),
]


def split_model(paths):
    """The model among the arguments, and the scans; None for the packaged model."""
    first, *others = paths
    if first.is_dir() or first.suffix.lower() not in (_OWN, *_PICKLES):
        return None, paths
    if not others:
        raise typer.BadParameter(
            f"name at least one scan or folder after the model {first}.",
            param_hint="PATH...",
        )
    return first, others


def open_model(path, trust_pickle=False):
    """The classifier in a file, or the packaged one.

    Parameters
    ----------
    path : Path or None
    trust_pickle : bool, default=False
        Whether a pickle may be opened.

    Returns
    -------
    estimator
        With ``classes_`` and ``model_id_``.

    Raises
    ------
    ModelFileError
        If the file holds no classifier, or a pickle is not to be opened.
    """
    from brain_tumor_clf.cli._prediction import check_classifier, load_classifier

    if path is None:
        from brain_tumor_clf import load_pretrained

        return load_pretrained()
    if path.suffix.lower() not in _PICKLES:
        return load_classifier(path)
    return check_classifier(path, _unpickle(path, trust_pickle))


def _unpickle(path, trusted):
    from brain_tumor_clf.exceptions import ModelFileError

    if not trusted:
        raise ModelFileError(
            f"{path} was not opened: a pickle runs whatever code is in it. Use a file "
            "that save() wrote, or give --trust-pickle if you trust where it is from."
        )
    print_warning(f"opening {path} runs whatever code is in it.")
    import joblib

    try:
        model = joblib.load(path)
    except Exception as error:  # a pickle may fail in any way
        reason = str(error).strip().split("\n")[0]
        raise ModelFileError(
            f"{path} cannot be opened: {type(error).__name__}: {reason}"
        ) from error
    if not hasattr(model, "model_id_") and hasattr(model, "classes_"):
        # As in a model file: it names the model in all that comes of it.
        model.model_id_ = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return model
