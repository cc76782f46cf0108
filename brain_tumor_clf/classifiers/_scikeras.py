"""The one place that imports scikeras, and corrects what scikit-learn expects of it.

scikeras 0.13 is no longer maintained. What is used of it: the base class, so that a
classifier is a ``KerasClassifier`` for code that asks, and its routed parameters
(``optimizer__beta_1``, ``fit__steps_per_epoch``). Training and prediction are our own.
"""

import inspect

import keras
from scikeras.wrappers import KerasClassifier
from sklearn.base import BaseEstimator
from sklearn.utils import ClassifierTags

from brain_tumor_clf._validation import nearest_name

_PREFIXES = ("optimizer__", "fit__")
# Parameters of their own name instead.
_NOT_ROUTED = ("optimizer__learning_rate", "optimizer__weight_decay")
# Arguments of Model.fit that parameters or the training loop set.
_FIT_DECIDED = {
    *("self", "x", "y", "sample_weight", "validation_data", "validation_split"),
    *("shuffle", "batch_size", "epochs", "initial_epoch", "verbose", "callbacks"),
    "class_weight",
}


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
            if name in _NOT_ROUTED:
                own = name.removeprefix("optimizer__")
                raise TypeError(
                    f"{type(self).__name__} takes {own!r}, not {name!r}: "
                    f"set {own}=… instead."
                )
            # Those of the optimizer are checked in `fit`, when it is known.
            is_for_optimizer = name.startswith("optimizer__") and name != "optimizer__"
            if is_for_optimizer or name in _routed_fit_names():
                continue
            near = nearest_name(name, [*self._signature_names(), *_routed_fit_names()])
            hint = f" Did you mean {near!r}?" if near else ""
            raise TypeError(
                f"{type(self).__name__} got an unexpected parameter {name!r}.{hint} "
                f"Known: {', '.join(self._signature_names())}, and optimizer__… or "
                "fit__… for what the Keras optimizer or Model.fit takes."
            )

    def _get_param_names(self):
        routed = (name for name in vars(self) if name.startswith(_PREFIXES))
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
        """
        routed = {k: v for k, v in params.items() if k.startswith(_PREFIXES)}
        self._init_routed(routed)
        own = {k: v for k, v in params.items() if k not in routed}
        return BaseEstimator.set_params(self, **own)

    @property
    def current_epoch(self):
        """Return the number of epochs in ``history_``; a stored network has none."""
        return len(getattr(self, "history_", {}).get("loss", ()))

    def _routed_to(self, destination):
        """Return parameters routed to "optimizer" or "fit", without their prefix."""
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


def _routed_fit_names():
    """Return the names ``fit__…`` of what may be given to ``Model.fit``."""
    names = set(inspect.signature(keras.Model.fit).parameters) - _FIT_DECIDED
    return sorted(f"fit__{name}" for name in names)
