"""Pipelines with measured settings, by name."""

from numbers import Integral

from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from brain_tumor_clf._validation import check_choice, check_count
from brain_tumor_clf.classifiers import (
    Augmentation,
    LearningRateSchedule,
    TransferCNNClassifier,
)
from brain_tumor_clf.feature_extraction import CNNFeatures
from brain_tumor_clf.pipeline import make_mri_pipeline

__all__ = ["RECIPES", "make_recipe"]

RECIPES = ("fast", "default", "best", "robust")

# All settings that were chosen by measuring (docs/recipes.md).
_BACKBONE = "EfficientNetLite0"
_FROZEN = {
    "preprocess": {"image_size": 224, "crop": False},
    "features": {"stages": (-3, -2), "pooling": "avgmax"},
    "linear": {"C": 0.01, "max_iter": 1000},
}
_FINE_TUNED = {
    "preprocess": {"image_size": 224, "crop": True},
    "network": {
        "trainable": "all",
        "pooling": "avg",
        "dense_units": 0,
        # Without gamma, blur and noise the score of clean scans is the same, and that
        # of noisy ones more than a quarter lower.
        "augmentation": Augmentation(
            rotation=15.0, zoom=0.15, gamma=0.3, blur=1.0, noise=12.0
        ),
        "optimizer": "adamw",
        "learning_rate": 5e-4,
        "lr_schedule": LearningRateSchedule(warmup=0.1),
        "weight_decay": 0.01,
        "label_smoothing": 0.1,
        "epochs": 12,
        "test_time_augmentation": "mirror",
    },
}
# That of benchmarks/many_sources/README.md, which samples where this one weighs.
_ROBUST = {
    "preprocess": {"image_size": 224, "crop": True},
    "network": {
        **_FINE_TUNED["network"],
        "mix_style": 0.5,
        "augmentation": Augmentation(
            rotation=25.0,
            translation=0.1,
            zoom=0.35,
            aspect=0.12,
            shear=0.1,
            edges=0.3,
            skull_stripping=0.2,
            gamma=0.3,
            blur=1.0,
            noise=12.0,
            text=0.15,
        ),
        "learning_rate": 7e-4,
        "lr_schedule": LearningRateSchedule(warmup=0.1, final=0.0),
        "weight_averaging": 0.2,
        "epochs": 20,
        "batch_size": 64,
        "test_time_augmentation": None,
    },
}


def make_recipe(
    name="default",
    *,
    weights="imagenet",
    image_size=None,
    n_networks=3,
    random_state=None,
    cache=None,
    n_jobs=None,
    **network,
):
    """Make a pipeline whose settings were chosen by grouped cross-validation.

    Parameters
    ----------
    name : {"fast", "default", "best", "robust"}, default="default"
        "fast" is logistic regression on features of a frozen network: minutes on a CPU.
        "default" fine-tunes one network, and averages its predictions with those for
        the mirror image. "best" averages the probabilities of several such networks,
        which differ in their seeds. "robust" fine-tunes one network on scans of several
        sources, with augmentation that hides what tells sources apart, `MixStyle` and
        averaged weights; give ``fit`` the weights of `source_balanced_weight` as
        ``classifier__sample_weight``.
    weights : {"imagenet", "brain-mri-multisource"}, path or None, default="imagenet"
        What the backbone, EfficientNetLite0, starts from. "brain-mri-multisource" are
        those of the packaged model, trained on the public Kaggle set and ten other
        sources, for research only: use them for scans of your own, never to measure a
        score on images of those sources (leakage).
    image_size : int or (int, int), default=None
        Height and width that the network sees, in pixels; None is the recipe's own.
    n_networks : int, default=3
        Number of networks of "best"; the other recipes have one.
    random_state : int or None, default=None
        Seed. The networks of "best" take this one and those that follow.
    cache : path or None, default=None
        Folder that keeps each preprocessed image, and the features of "fast", so that
        a cross-validation computes them once.
    n_jobs : int or None, default=None
        Threads that preprocess; None is one, -1 is one per core.
    **network
        Parameters of `TransferCNNClassifier` other than the recipe's, such as
        ``epochs=4``; for all recipes but "fast".

    Returns
    -------
    sklearn.pipeline.Pipeline
        From files to classes, not fitted. Its first step is ``preprocess``, as of
        `make_mri_pipeline`, its last is ``classifier``; "fast" has ``features`` and
        ``scale`` between them. ``fit`` takes ``classifier__sample_weight``.

    Raises
    ------
    ValueError
        If there is no such recipe, or a parameter does not apply to it.
    TypeError
        If `TransferCNNClassifier` has no parameter of a name in `network`.

    Examples
    --------
    >>> from brain_tumor_clf import make_recipe
    >>> pipe = make_recipe("fast", random_state=0)
    >>> list(pipe.named_steps)
    ['preprocess', 'features', 'scale', 'classifier']
    >>> pipe = make_recipe("default", image_size=96, epochs=2, random_state=0)
    >>> pipe["classifier"].epochs
    2
    """
    check_choice("recipe", name, RECIPES)
    options = {"image_size": image_size, "cache": cache, "n_jobs": n_jobs}
    if name == "fast":
        if network:
            raise ValueError(
                f"{', '.join(sorted(network))}: the recipe 'fast' trains no network. "
                "Take the recipe 'default', or set_params(classifier__C=…) on the "
                "result."
            )
        return _make_fast(weights, random_state, **options)
    recipe = _ROBUST if name == "robust" else _FINE_TUNED
    settings = {"weights": weights, **recipe["network"], **network}
    if name == "best":
        classifier = _make_vote(random_state, settings, n_networks)
    else:
        classifier = _make_network(random_state, settings)
    return _make_pipeline(recipe, classifier, **options)


def _make_pipeline(recipe, classifier, *, image_size, **options):
    settings = {**recipe["preprocess"], **options}
    if image_size is not None:
        settings["image_size"] = image_size
    return make_mri_pipeline(classifier, **settings)


def _make_fast(weights, random_state, *, cache, **options):
    head = LogisticRegression(**_FROZEN["linear"], random_state=random_state)
    pipe = _make_pipeline(_FROZEN, head, cache=cache, **options)
    features = CNNFeatures(
        _BACKBONE,
        weights=weights,
        **_FROZEN["features"],
        cache=cache,
        random_state=random_state,
    )
    # One flat pipeline: its last step is a classifier like those of other recipes.
    between = [("features", features), ("scale", StandardScaler())]
    return Pipeline([pipe.steps[0], *between, pipe.steps[-1]])


def _make_network(random_state, settings):
    # Cloned, for its own copies of augmentation and schedule: a parameter set in one
    # pipeline changes no other.
    return clone(
        TransferCNNClassifier(_BACKBONE, random_state=random_state, **settings)
    )


def _make_vote(random_state, settings, n_networks):
    check_count("n_networks", n_networks)
    if not (random_state is None or isinstance(random_state, Integral)):
        raise ValueError(
            "random_state of the recipe 'best' must be an integer or None, got "
            f"{random_state!r}."
        )
    networks = []
    for i in range(n_networks):
        seed = None if random_state is None else random_state + i
        networks.append((f"network_{i}", _make_network(seed, settings)))
    return VotingClassifier(networks, voting="soft")
