"""From the name of an architecture or of a recipe to a pipeline."""

import tempfile
from contextlib import contextmanager

SIMPLE = "SimpleCNN"
_SIMPLE_SIZE = 128


def resolve_name(name):
    """The architecture's name as the package spells it; any case is understood.

    Raises
    ------
    ValueError
        If there is none; the message names the nearest.
    """
    from brain_tumor_clf._validation import unknown_name_message
    from brain_tumor_clf.networks import BACKBONES

    known = {key.lower(): key for key in (SIMPLE, *BACKBONES)}
    known["simple"] = SIMPLE
    if name.lower() not in known:
        raise ValueError(
            unknown_name_message("architecture", name, [SIMPLE, *BACKBONES])
        )
    return known[name.lower()]


def make_pipeline(name, *, image_size=None, weights=None, **params):
    """A pipeline of preprocessing and the classifier of this architecture.

    Parameters
    ----------
    name : str
        As `resolve_name` gives it.
    image_size : int, optional
        Side of the images in pixels; the architecture's own if None.
    weights : str, optional
        "imagenet", "none" or a path; the classifier's default if None.
    **params
        Parameters of the classifier; those that are None keep their defaults.
    """
    from brain_tumor_clf import (
        SimpleCNNClassifier,
        TransferCNNClassifier,
        make_mri_pipeline,
    )
    from brain_tumor_clf.networks import get_backbone

    params = _given(weights=weights, **params)
    if name == SIMPLE:
        if weights is not None:
            raise ValueError(
                f"{SIMPLE} has no weights to start from: leave --weights out, or "
                "choose an architecture that has, such as EfficientNetLite0."
            )
        classifier, size = SimpleCNNClassifier(**params), _SIMPLE_SIZE
    else:
        classifier = TransferCNNClassifier(backbone=name, **params)
        size = get_backbone(name).default_size
    return make_mri_pipeline(classifier, image_size=image_size or size)


def _given(weights, **params):
    """The parameters that are not None; weights, too, where "none" is said in words."""
    params = {key: value for key, value in params.items() if value is not None}
    if weights is not None:
        params["weights"] = None if weights.lower() == "none" else weights
    return params


def make_recipe_pipeline(recipe, *, image_size=None, weights=None, **params):
    """The pipeline of a recipe.

    Parameters
    ----------
    recipe : str
        As of `make_recipe`.
    image_size, weights, **params
        As of `make_pipeline`; what is None stays the recipe's own.

    Raises
    ------
    ValueError
        If a parameter of training is given to a recipe that trains no network.
    """
    from brain_tumor_clf import make_recipe

    params = _given(weights=weights, **params)
    seed = params.pop("random_state", None)
    given = [key for key in params if key != "weights"]
    if recipe == "fast" and given:
        options = ", ".join("--" + key.replace("_", "-") for key in given)
        raise ValueError(
            f"{options}: the recipe fast trains no network. Leave it out, or choose "
            "the recipe default."
        )
    return make_recipe(recipe, image_size=image_size, random_state=seed, **params)


def set_verbose(pipeline, verbose):
    """Set how much the networks in a pipeline say while they train.

    Voting and pipelines of scikit-learn have a parameter of that name too, but print
    to stdout, which is for results.
    """
    from brain_tumor_clf.classifiers import BaseCNNClassifier

    params = pipeline.get_params()
    networks = [k for k, v in params.items() if isinstance(v, BaseCNNClassifier)]
    pipeline.set_params(**{f"{name}__verbose": verbose for name in networks})


@contextmanager
def features_kept(pipeline):
    """While a pipeline is fitted again and again, compute frozen features once."""
    if "features" not in pipeline.named_steps:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        pipeline.set_params(features__cache=folder)
        yield
        pipeline.set_params(features__cache=None)
