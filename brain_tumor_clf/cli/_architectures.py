"""From the name of an architecture to a pipeline."""

from brain_tumor_clf._validation import unknown_name_message

SIMPLE = "SimpleCNN"
_SIMPLE_SIZE = 128


def resolve_name(name):
    """The architecture's name as the package spells it; any case is understood.

    Raises
    ------
    ValueError
        If there is none; the message names the nearest.
    """
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

    params = {key: value for key, value in params.items() if value is not None}
    if name == SIMPLE:
        if weights is not None:
            raise ValueError(
                f"{SIMPLE} has no weights to start from: leave --weights out, or "
                "choose an architecture that has, such as EfficientNetLite0."
            )
        classifier, size = SimpleCNNClassifier(**params), _SIMPLE_SIZE
    else:
        if weights is not None:
            params["weights"] = None if weights.lower() == "none" else weights
        classifier = TransferCNNClassifier(backbone=name, **params)
        size = get_backbone(name).default_size
    return make_mri_pipeline(classifier, image_size=image_size or size)
