"""Fitted classifiers as plain data, for pickle, joblib and `brain_tumor_clf.save`."""

import keras
import numpy as np

from brain_tumor_clf.classifiers._training import ready_optimizer
from brain_tumor_clf.networks import network_from_state, network_to_state

_NETWORK, _OPTIMIZER = "_network_state", "_optimizer_state"


def detach_network(state, keep_optimizer):
    """Replace the live network of an estimator's state by its config and weights.

    The optimizer's slots, which are twice the weights, stay only where training is
    to go on.
    """
    state = dict(state)
    network = state.pop("model_", None)
    if network is not None:
        # A pickle may run code anyway, so a user's own registered layers may pass.
        state[_NETWORK] = network_to_state(network, allow_registered=True)
        if keep_optimizer and network.compiled:
            state[_OPTIMIZER] = {
                "compile": keras.saving.serialize_keras_object(
                    network.get_compile_config()
                ),
                "variables": [
                    np.array(np.asarray(variable))
                    for variable in network.optimizer.variables
                ],
            }
    return state


def attach_network(state):
    """Rebuild the network that `detach_network` took out."""
    state = dict(state)
    network_state = state.pop(_NETWORK, None)
    optimizer_state = state.pop(_OPTIMIZER, None)
    if network_state is not None:
        network = network_from_state(network_state, allow_registered=True)
        if optimizer_state is not None:
            network.compile_from_config(optimizer_state["compile"])
            ready_optimizer(network)
            for variable, value in zip(
                network.optimizer.variables, optimizer_state["variables"], strict=True
            ):
                variable.assign(value)
        state["model_"] = network
    return state
