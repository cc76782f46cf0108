"""Fitted classifiers as plain data: in model files, in pickles, and back."""

import copyreg
import threading
from functools import cached_property

import keras
import numpy as np
from sklearn.base import BaseEstimator

from brain_tumor_clf._validation import set_new_parameters
from brain_tumor_clf.classifiers._callbacks import picklable_callbacks
from brain_tumor_clf.classifiers._compilation import ready_optimizer
from brain_tumor_clf.networks import (
    check_network_state,
    network_from_state,
    network_to_state,
)

_NETWORK, _OPTIMIZER, _PICKLED = "_network_state", "_optimizer_state", "_pickled"
_IN_PARTS = "trained_in_parts_"  # by `partial_fit`, which may go on
_BUILDING = threading.RLock()


class PickledState(dict):
    """Mark the state of a classifier in a pickle, which may run code anyway.

    No model file can hold this type: `__setstate__` knows what it may build.
    """


class StoredNetwork:
    """Keep the network of a classifier as plain data until it is needed."""

    @cached_property
    def model_(self):
        """The fitted network, built from its data at the first access."""
        state = vars(self)
        with _BUILDING:
            if "model_" not in state:
                if _NETWORK not in state:
                    raise AttributeError(f"This {type(self).__name__} is not fitted.")
                state["model_"] = _build(state)
                for name in (_NETWORK, _OPTIMIZER, _PICKLED):
                    state.pop(name, None)
            return state["model_"]

    def __sklearn_is_fitted__(self):
        return "model_" in vars(self) or _NETWORK in vars(self)

    def __getstate__(self):
        """Return the state as plain data, without anything of the training."""
        state = _without(_without_network(self), _OPTIMIZER, _PICKLED, _IN_PARTS)
        if "callbacks_" in state:
            state["callbacks_"] = []
        if _NETWORK in state:
            check_network_state(state[_NETWORK])
        return state

    def __reduce_ex__(self, protocol):
        """Return what pickle keeps: the optimizer too if training may go on."""
        goes_on = self.warm_start or vars(self).get(_IN_PARTS, False)
        state = PickledState(_without_network(self, keep_optimizer=goes_on))
        if "callbacks_" in state:
            state["callbacks_"] = picklable_callbacks(state["callbacks_"])
        return copyreg.__newobj__, (type(self),), state

    def __setstate__(self, state):
        if isinstance(state, PickledState):
            state = {**state, _PICKLED: True}
        else:
            state = _without(state, "model_", _OPTIMIZER, _PICKLED)
            if _NETWORK in state:
                check_network_state(state[_NETWORK])
        BaseEstimator.__setstate__(self, state)
        set_new_parameters(self)


def _without(state, *names):
    return {name: value for name, value in state.items() if name not in names}


def _without_network(classifier, keep_optimizer=False):
    """Return the attributes of a classifier, its network as plain data."""
    # scikeras' own `__getstate__` is left out.
    state = dict(BaseEstimator.__getstate__(classifier))
    network = state.pop("model_", None)
    if network is not None:
        state = _without(state, _OPTIMIZER, _PICKLED)  # of an earlier network
        state[_NETWORK] = network_to_state(network, allow_registered=True)
        if keep_optimizer and network.compiled:
            compiled = keras.saving.serialize_keras_object(network.get_compile_config())
            variables = [np.array(np.asarray(v)) for v in network.optimizer.variables]
            state[_OPTIMIZER] = {"compile": compiled, "variables": variables}
    return state


def _build(state):
    """Return the network of a state, with its optimizer where a pickle kept it."""
    network = network_from_state(state[_NETWORK], allow_registered=_PICKLED in state)
    optimizer_state = state.get(_OPTIMIZER)
    if optimizer_state is not None:
        network.compile_from_config(optimizer_state["compile"])
        ready_optimizer(network)
        values = optimizer_state["variables"]
        for variable, value in zip(network.optimizer.variables, values, strict=True):
            variable.assign(value)
    return network
