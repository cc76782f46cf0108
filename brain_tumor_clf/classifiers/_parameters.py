"""Parameters that all classifiers share: declared, checked and documented once."""

import inspect
import re
from numbers import Integral, Real

import keras
import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from brain_tumor_clf.classifiers._schedule import NAMED_SCHEDULES, SCHEDULE
from brain_tumor_clf.classifiers._scikeras import ScikerasClassifier

_SECTION = re.compile(r"^(\w[\w ]*)\n-+\n", re.MULTILINE)
_INHERITED = ("Parameters", "Attributes", "References")


def inherit_parameters(cls):
    """Class decorator: give ``__init__`` the parent's keyword-only parameters too.

    scikit-learn reads an estimator's parameters from the signature of ``__init__``.
    Where that takes ``**inherited`` and hands it to the parent, the parent's names and
    defaults are shown in its place. The docstring gets the parent's entries too, of
    parameters, attributes and references that the child does not document itself.
    """
    parent = next(c for c in cls.__mro__[1:] if "__init__" in vars(c))
    own = inspect.signature(cls.__init__).parameters
    inherited = inspect.signature(parent.__init__).parameters
    given = {p.name: p for p in own.values() if p.kind is not p.VAR_KEYWORD}
    added = {
        p.name: given.get(p.name, p)
        for p in inherited.values()
        if p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD)
    }
    merged = {n: p for n, p in given.items() if n not in added} | added
    cls.__init__.__signature__ = inspect.Signature(list(merged.values()))
    if cls.__doc__:  # None under ``python -OO``
        cls.__doc__ = _merge_docs(cls.__doc__, parent.__doc__, merged)
    return cls


def _merge_docs(doc, parent_doc, parameters):
    """Add entries of a parent's docstring to the sections of a child's."""
    summary, sections = _split_sections(doc)
    _, others = _split_sections(parent_doc)
    for title in _INHERITED:
        own = _split_entries(sections.get(title, ""))
        inherited = _split_entries(others.get(title, ""))
        if title == "Parameters":
            inherited = {n: e for n, e in inherited.items() if n in parameters}
        sections[title] = "\n".join((own | inherited | own).values())
    order = ("Parameters", "Attributes", "See Also", "References", "Examples")
    written = [f"{t}\n{'-' * len(t)}\n{sections[t]}" for t in order if t in sections]
    return "\n\n".join([summary, *written]) + "\n"


def _split_sections(doc):
    """Return the text ahead of a docstring's sections, and their bodies by title."""
    ahead, *rest = _SECTION.split(inspect.cleandoc(doc))
    bodies = [body.strip() for body in rest[1::2]]
    return ahead.strip(), dict(zip(rest[::2], bodies, strict=True))


def _split_entries(body):
    """Return the entries of a section by name, those of references by label."""
    entries = re.split(r"\n(?=\S)", body) if body else []
    return {each.removeprefix(".. ").strip("*").split()[0]: each for each in entries}


class NetworkParameters(ScikerasClassifier):
    """Parameters of every classifier.

    Parameters
    ----------
    augmentation : None, str, Augmentation, or Keras layers, default=None
        Random changes of the training images: "light", "strong", "notebook" (brightness
        from 0.6 to 1.4), an `Augmentation`, or Keras layers that take and return
        intensities 0 to 255.
    optimizer : str, type or keras.optimizers.Optimizer, default="adam"
        Keras optimizer. A name or class takes ``optimizer__…`` parameters; an instance
        is copied with its own learning rate.
    loss : {"crossentropy", "focal"} or keras.losses.Loss, default="crossentropy"
        Loss of the training. An instance takes logits and targets of one column for
        two classes, else one a class.
    metrics : sequence of str, callable or keras.metrics.Metric, default=()
        Further metrics for the history, such as "auc", computed on probabilities.
    learning_rate : float or None, default=None
        Highest learning rate; None is 0.001, or the backbone's own.
    lr_schedule : None, str, LearningRateSchedule or Keras schedule, default=None
        The learning rate over the steps of the fit: "cosine", "warmup_cosine", or None
        for a constant one.
    weight_decay : float, default=0.0
        Decoupled weight decay [Loshchilov2019]_ of kernels.
    label_smoothing : float, default=0.0
        Share of the target that is spread over all classes, in [0, 1) [Szegedy2016]_.
    weight_averaging : float, default=0.0
        Share of the steps of `fit` that the exponential moving average of the weights
        [Polyak1992]_ reaches back, which replaces them at the end and, in each epoch,
        for the validation part. Batch normalization's statistics reach as far back. 0
        keeps the last weights.
    epochs : int, default=10
        Passes over the training images, at most.
    batch_size : int, default=32
        Images a step, in training and prediction.
    early_stopping : bool, default=False
        Hold out a part of the images, stop when its loss no longer falls, and keep the
        best weights. Give `fit` the `groups` of the images.
    validation_fraction : float, default=0.1
        Share of the images that early stopping holds out, by class and whole groups.
    n_iter_no_change : int, default=5
        Epochs without a lower validation loss before training stops.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss, as in scikit-learn. With `sample_weight` the
        weights are multiplied; they are then divided by their mean.
    mixed_precision : bool or str, default=False
        Compute in half precision: True (float16) or a Keras policy, "mixed_float16" or
        "mixed_bfloat16". Other networks of the process are not affected.
    test_time_augmentation : {"mirror"} or None, default=None
        "mirror" averages the logits of each image and its left-right mirror image when
        predicting, at twice the cost. Training is not affected.
    warm_start : bool, default=False
        Let `fit` continue with the network and optimizer of the call before, at
        `learning_rate`; a learning rate schedule begins anew. Another `augmentation`
        replaces the earlier one, and images may be of another size if no weights of the
        network depend on it; the optimizer then begins anew. Other parameters of
        network and optimizer stay those of the first call. A pickle then includes the
        optimizer's state.
    callbacks : keras.callbacks.Callback, list of them or None, default=None
        Each fit uses copies, kept as `callbacks_`.
    random_state : int, RandomState, Generator or None, default=None
        Seed of initial weights, batches, validation split, dropout and augmentation.
    verbose : int, default=0
        1 shows one progress bar for the whole fit, 2 prints a line an epoch.
    **routed : dict
        ``optimizer__name`` for the Keras optimizer, ``fit__name`` for ``Model.fit``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the columns of `predict_proba`.
    model_ : keras.Model
        The network; it takes intensities 0 to 255 and returns logits.
    history_ : dict of str to list of float
        "loss", "accuracy", "learning_rate" and `metrics` of each epoch, and where there
        is a validation part "val_loss", "val_accuracy" and so on. Images count by their
        weights.
    n_iter_ : int
        Number of epochs trained.
    input_shape_ : tuple of int
        Height, width and channels of the images.
    callbacks_ : list of keras.callbacks.Callback
        The callbacks of the last fit.

    References
    ----------
    .. [Loshchilov2019] Loshchilov and Hutter, "Decoupled weight decay regularization",
       ICLR 2019.
    .. [Polyak1992] Polyak and Juditsky, "Acceleration of stochastic approximation by
       averaging", SIAM Journal on Control and Optimization, 1992.
    .. [Szegedy2016] Szegedy et al., "Rethinking the Inception architecture for computer
       vision", CVPR 2016.
    """

    _parameter_constraints = {
        "loss": [StrOptions({"crossentropy", "focal"}), keras.losses.Loss],
        "metrics": [list, tuple],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "lr_schedule": [
            StrOptions(set(NAMED_SCHEDULES)),
            HasMethods("make"),
            SCHEDULE,
            None,
        ],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "weight_averaging": [Interval(Real, 0, 1, closed="both")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "mixed_precision": [
            "boolean",
            StrOptions({"mixed_float16", "mixed_bfloat16"}),
        ],
        "test_time_augmentation": [StrOptions({"mirror"}), None],
        "warm_start": ["boolean"],
        "callbacks": [keras.callbacks.Callback, list, tuple, None],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        augmentation=None,
        optimizer="adam",
        loss="crossentropy",
        metrics=(),
        learning_rate=None,
        lr_schedule=None,
        weight_decay=0.0,
        label_smoothing=0.0,
        weight_averaging=0.0,
        epochs=10,
        batch_size=32,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        class_weight=None,
        mixed_precision=False,
        test_time_augmentation=None,
        warm_start=False,
        callbacks=None,
        random_state=None,
        verbose=0,
        **routed,
    ):
        self.augmentation = augmentation
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.learning_rate = learning_rate
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.weight_averaging = weight_averaging
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.mixed_precision = mixed_precision
        self.test_time_augmentation = test_time_augmentation
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose
        self._init_routed(routed)
