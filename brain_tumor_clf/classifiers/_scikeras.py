"""The one place that imports scikeras, and mends what it leaves to its users.

scikeras 0.13 is no longer maintained. What is used of it: the base class, so that a
classifier is a ``KerasClassifier`` for code that asks, and its routed parameters
(``optimizer__beta_1``, ``fit__steps_per_epoch``). Training and prediction are ours.
"""

import inspect

import keras
from scikeras.wrappers import KerasClassifier
from sklearn.base import BaseEstimator
from sklearn.utils import ClassifierTags

from brain_tumor_clf._validation import nearest_name

ROUTED = ("optimizer", "fit")
# What `fit__…` would set twice, or what the training loop has to decide itself.
_FIT_DECIDED = frozenset(
    {
        "self",
        "x",
        "y",
        "sample_weight",
        "validation_data",
        "validation_split",
        "shuffle",
        "batch_size",
        "epochs",
        "initial_epoch",
        "verbose",
        "callbacks",
        "class_weight",
    }
)
_OPTIMIZER_DECIDED = frozenset({"learning_rate", "weight_decay"})


class ScikerasClassifier(KerasClassifier):
    """A ``KerasClassifier`` whose parameters and tags are those scikit-learn expects.

    - Tags say that it is a classifier: otherwise ``cross_val_score`` takes an
      unshuffled ``KFold`` and whole classes may be missing from training.
    - Parameters are those of the signature and the routed ones; any other name is
      refused at once instead of in ``fit``.
    """

    def _init_routed(self, routed):
        """Assign routed parameters; refuse any other keyword of ``__init__``."""
        self._check_routed_names(routed)
        vars(self).update(routed)

    def _signature_names(self):
        parameters = inspect.signature(type(self).__init__).parameters.values()
        return [
            p.name
            for p in parameters
            if p.name != "self" and p.kind is not p.VAR_KEYWORD
        ]

    def _check_routed_names(self, routed):
        for name in routed:
            prefix, _, rest = name.partition("__")
            if prefix == "optimizer" and rest in _OPTIMIZER_DECIDED:
                raise TypeError(
                    f"{type(self).__name__} takes {rest!r}, not {name!r}: "
                    f"set {rest}=… instead."
                )
            if prefix == "optimizer" and rest:
                continue  # checked in `fit`, when the optimizer is known
            if prefix == "fit" and rest in fit_parameter_names():
                continue
            known = [*self._signature_names(), *_routed_fit_names()]
            near = nearest_name(name, known)
            hint = f" Did you mean {near!r}?" if near else ""
            raise TypeError(
                f"{type(self).__name__} got an unexpected parameter {name!r}.{hint} "
                f"Known: {', '.join(self._signature_names())}, and optimizer__… or "
                "fit__… for what the Keras optimizer or Model.fit takes."
            )

    def _get_param_names(self):
        routed = (name for name in vars(self) if name.startswith(_prefixes()))
        return sorted({*self._signature_names(), *routed})

    def set_params(self, **params):
        """Set parameters of this estimator and of its composites.

        Parameters
        ----------
        **params : dict
            Parameter values by name. ``optimizer__name`` and ``fit__name`` are given
            to the Keras optimizer and to ``Model.fit``.

        Returns
        -------
        self : object
            This estimator.

        Raises
        ------
        TypeError
            If a routed name is unknown.
        ValueError
            If another name is unknown.
        """
        routed = {k: v for k, v in params.items() if k.startswith(_prefixes())}
        self._check_routed_names(routed)
        vars(self).update(routed)
        own = {k: v for k, v in params.items() if k not in routed}
        BaseEstimator.set_params(self, **own)
        return self

    def _routed_to(self, destination):
        """Parameters routed to the optimizer or `Model.fit`, by their own names."""
        prefix = f"{destination}__"
        return {
            name.removeprefix(prefix): value
            for name, value in vars(self).items()
            if name.startswith(prefix)
        }

    def __sklearn_tags__(self):
        # Not super(): some versions of scikit-learn look past the end of this order.
        tags = BaseEstimator.__sklearn_tags__(self)
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        tags.target_tags.required = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    __repr__ = BaseEstimator.__repr__


def _prefixes():
    return tuple(f"{prefix}__" for prefix in ROUTED)


def fit_parameter_names():
    """Names of ``Model.fit`` that may be routed as ``fit__…``."""
    return set(inspect.signature(keras.Model.fit).parameters) - _FIT_DECIDED


def _routed_fit_names():
    return sorted(f"fit__{name}" for name in fit_parameter_names())
