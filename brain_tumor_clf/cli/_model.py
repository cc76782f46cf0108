"""The models of commands: fitted ones in files, and unfitted ones by name."""

import hashlib
import re
import tempfile
from contextlib import contextmanager

import typer

from brain_tumor_clf.cli._console import print_warning

SIMPLE = "SimpleCNN"
_SIMPLE_SIZE = 128
_KINDS = {".btc": "model"} | dict.fromkeys((".joblib", ".pkl", ".pickle"), "pickle")


def split_model(paths):
    """Split the model (None: the packaged one) from the scans among the arguments."""
    first, *others = paths
    for path in others:
        if _kind(path):
            raise typer.BadParameter(
                f"{path} is a model: name it first.", param_hint="PATH..."
            )
    if not _kind(first):
        return None, paths
    if not others:
        raise typer.BadParameter(
            f"name at least one scan or folder after the model {first}.",
            param_hint="PATH...",
        )
    return first, others


def open_model(path, trust_pickle=False, frame=None):
    """Open the classifier in a file, or the packaged one: a `SelectiveClassifier`."""
    if path is None:
        from brain_tumor_clf import load_pretrained

        model = load_pretrained()
    elif _kind(path) == "pickle":
        model = _unpickle(path, trust_pickle)
    else:
        from brain_tumor_clf import load

        model = _as_classifier(path, load(path))
    if frame is not None:
        from brain_tumor_clf.selective import image_readers

        for reader in image_readers(model):
            reader.frame = frame
    return model


def _kind(path):
    """Return "model", "pickle" or None, by content or, if that is no image, by name."""
    if path.is_dir():
        return None
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(132)
    suffix = path.suffix.lower()
    if b"manifest.json" in head:  # with which a model file begins
        return "model"
    if re.match(rb"\x80[\x02-\x05]", head) and suffix != ".btc":
        return "pickle"
    return None if _is_image(path, head) else _KINDS.get(suffix)


def _is_image(path, head):
    from PIL import Image

    from brain_tumor_clf.preprocessing import has_dicom_magic

    try:
        Image.open(path).close()
    except OSError:
        return has_dicom_magic(head)
    return True


def _as_classifier(path, model):
    from brain_tumor_clf.exceptions import ModelFileError
    from brain_tumor_clf.selective import as_selective

    if not hasattr(model, "classes_"):
        raise ModelFileError(
            f"{path} holds a {type(model).__name__}, which is no classifier."
        )
    return as_selective(model)


def _unpickle(path, trusted):
    from brain_tumor_clf.exceptions import ModelFileError

    if not trusted:
        raise ModelFileError(
            f"{path} was not opened: a pickle runs whatever code is in it. Use a file "
            "that save() wrote, or give --trust-pickle if you trust its source."
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
    model = _as_classifier(path, model)
    if model.model_id_ is None:
        model.model_id_ = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return model


def make_model(recipe, architecture, **options):
    """Return name and pipeline of a recipe or, if it is None, of an architecture.

    Options that are None keep the defaults of the recipe or architecture.
    """
    from brain_tumor_clf._validation import check_choice
    from brain_tumor_clf.networks import BACKBONES

    names = [SIMPLE, *BACKBONES]
    known = {key.lower(): key for key in names} | {"simple": SIMPLE}
    try:
        if recipe:
            return f"recipe {recipe}", _make_recipe(recipe, **options)
        name = known.get(architecture.lower(), architecture)
        check_choice("architecture", name, names)
        return name, make_architecture(name, **options)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def make_architecture(name, *, image_size=None, **params):
    """Return the pipeline of an architecture, by its name in this package."""
    import brain_tumor_clf as package
    from brain_tumor_clf.networks import get_backbone

    params = _given(**params)
    if name == SIMPLE:
        params.pop("weights", None)  # it has none to start from
        classifier, size = package.SimpleCNNClassifier(**params), _SIMPLE_SIZE
    else:
        classifier = package.TransferCNNClassifier(backbone=name, **params)
        size = get_backbone(name).default_size
    return package.make_mri_pipeline(classifier, image_size=image_size or size)


def _make_recipe(recipe, *, image_size, weights, random_state, **params):
    from brain_tumor_clf import make_recipe

    params = _given(**params)
    if recipe == "fast" and params:
        options = ", ".join("--" + key.replace("_", "-") for key in params)
        raise ValueError(
            f"{options}: the recipe fast trains no network. Leave it out, or choose "
            "the recipe default."
        )
    params |= _given(weights=weights)
    return make_recipe(
        recipe, image_size=image_size, random_state=random_state, **params
    )


def _given(**params):
    """Return the parameters that are not None; ``weights="none"`` becomes None."""
    params = {key: value for key, value in params.items() if value is not None}
    if params.get("weights", "").lower() == "none":
        params["weights"] = None
    return params


def set_verbose(pipeline, verbose):
    """Set `verbose` of the networks in a pipeline."""
    from brain_tumor_clf.classifiers import BaseCNNClassifier

    # scikit-learn's pipelines have such a parameter too, but print to stdout.
    params = pipeline.get_params()
    networks = [k for k, v in params.items() if isinstance(v, BaseCNNClassifier)]
    pipeline.set_params(**{f"{name}__verbose": verbose for name in networks})


@contextmanager
def features_kept(pipeline):
    """Compute frozen features once, however often a pipeline is fitted meanwhile."""
    if "features" not in pipeline.named_steps:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        pipeline.set_params(features__cache=folder)
        yield
        pipeline.set_params(features__cache=None)
