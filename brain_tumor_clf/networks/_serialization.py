"""A network as plain data, and back, without running anything the data names."""

import contextlib
import json
import math

import keras
import numpy as np

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.networks._config_check import check_config
from brain_tumor_clf.networks._seeding import seeded_initialization

# Layer -> arguments that came after Keras 3.12, with their defaults.
_QUANTIZATION = {"quantization_config": None}
_RENORM = {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}
_ATTENTION = {"sliding_window": None, "use_gate": False}
_NEWER_ARGUMENTS = {
    "BatchNormalization": _RENORM,
    "Dense": _QUANTIZATION,
    "EinsumDense": _QUANTIZATION,
    "Embedding": _QUANTIZATION,
    "GroupQueryAttention": _ATTENTION,
    "MultiHeadAttention": _ATTENTION,
}

_PLACEHOLDER = "Placeholder"
_SPARE = 2**20  # numbers that a network may hold beyond those that are stored
_LAYERS_PER_WEIGHT, _MAX_BARE_LAYERS = 4, 200


def network_to_state(model, *, allow_registered=False):
    """Return a network's architecture (JSON text) and weights (arrays) as a dict.

    The optimizer, the loss and the state of random layers are left out. Layers that
    `network_from_state` would refuse are a ModelFileError.
    """
    is_sequential = isinstance(model, keras.Sequential)
    config = {
        "module": "keras" if is_sequential else "keras.src.models.functional",
        "class_name": "Sequential" if is_sequential else "Functional",
        "config": _portable(model.get_config()),
        "registered_name": None if is_sequential else "Functional",
    }
    try:
        text = json.dumps(config, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelFileError(
            f"The network's architecture cannot be written as JSON ({error}). Use "
            "layers whose get_config() returns plain values."
        ) from error
    check_config(text, allow_registered)
    return {"config": text, "weights": [_to_numpy(w) for w in model.weights]}


def network_from_state(state, *, allow_registered=False):
    """Rebuild a network from the data of `network_to_state`, uncompiled.

    Layers that `check_config` refuses are a ModelFileError; `allow_registered` is for a
    pickle, which may run code anyway. Seeds and dtype policy are left as they were.
    """
    config, weights = _checked(state, allow_registered)
    try:
        # A seed of its own: the random weights are replaced at once, and the caller's
        # generator must not be drawn from.
        with seeded_initialization(0), _placeholders(weights):
            model = keras.saving.deserialize_keras_object(
                _portable(config, _PLACEHOLDER), safe_mode=True
            )
    except ModelFileError:
        raise
    except Exception as error:  # Keras raises almost any class on a damaged config
        reason = str(error).strip().partition("\n")[0]
        raise ModelFileError(
            "The network's architecture is damaged or of another version of Keras "
            f"({type(error).__name__}: {reason[:200]})."
        ) from error
    _set_weights(model, weights)
    for layer in model._flatten_layers():
        for name, value in vars(layer).items():
            if type(value).__name__ == _PLACEHOLDER:
                setattr(layer, name, keras.initializers.Zeros())
    return model


def check_network_state(state):
    """Raise a ModelFileError if a network's data must not be built, or is not finite.

    Weights that do not fit the architecture show only when it is built.
    """
    _, weights = _checked(state)
    for i, value in enumerate(weights):
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ModelFileError(
                f"Weight {i} of the network holds NaN or infinity. Train it again with "
                "a lower learning rate"
            )


def _checked(state, allow_registered=False):
    """Return config and weights, of allowed layers and of numbers."""
    try:
        text, weights = state["config"], list(state["weights"])
    except (KeyError, TypeError) as error:
        raise ModelFileError(
            "A network's data must be a dict with 'config' and 'weights', got "
            f"{type(state).__name__}."
        ) from error
    config = check_config(text, allow_registered)
    for i, value in enumerate(weights):
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
            raise ModelFileError(
                f"Weight {i} of the network must be a numeric array, got "
                f"{getattr(value, 'dtype', type(value).__name__)}."
            )
    # Each layer takes time to build, whatever the file weighs.
    n_layers = text.count('"inbound_nodes"')
    if n_layers > _LAYERS_PER_WEIGHT * len(weights) + _MAX_BARE_LAYERS:
        raise ModelFileError(
            f"The network has {n_layers} layers and {len(weights)} weights only."
        )
    return config, weights


@contextlib.contextmanager
def _placeholders(weights):
    """Build networks of zeros in this block, of no more memory than `weights` take.

    An architecture may ask for weights of any size; the stored ones are known.
    """
    left = _SPARE + sum(value.size for value in weights)

    class Placeholder(keras.initializers.Zeros):
        def __call__(self, shape, dtype=None):
            nonlocal left
            left -= math.prod(shape)
            if left < 0:
                raise ModelFileError(
                    "The weights do not fit the network's architecture: it has more."
                )
            return super().__call__(shape, dtype)

    with keras.saving.custom_object_scope({_PLACEHOLDER: Placeholder}):
        yield


def _portable(config, initializer="zeros"):
    """Return a config that every supported version of Keras reads.

    Initial weights, replaced at once, are not drawn. Arguments that older versions do
    not know are left out where they have their default.
    """
    if isinstance(config, list | tuple):
        return [_portable(value, initializer) for value in config]
    if not isinstance(config, dict):
        return config
    newer = _NEWER_ARGUMENTS.get(config.get("class_name"), {})
    portable = {}
    for key, value in config.items():
        if key.endswith("_initializer") and value is not None:
            portable[key] = initializer
        elif key == "config" and isinstance(value, dict):
            known = {k: v for k, v in value.items() if k not in newer or v != newer[k]}
            portable[key] = _portable(known, initializer)
        else:
            portable[key] = _portable(value, initializer)
    return portable


def _to_numpy(variable):
    # Not `get_weights`, whose way to an array NumPy 2 deprecates under JAX.
    value = np.asarray(variable)
    # bfloat16 is not NumPy's own; float32 holds its values exactly.
    return value if value.dtype.kind in "fiub" else value.astype(np.float32)


def _set_weights(model, weights):
    try:
        model.set_weights(weights)
    except ValueError as error:
        raise ModelFileError(
            f"The weights do not fit the network's architecture: {error}"
        ) from error
    for layer in model.layers:
        # set_weights alone leaves the constants that this layer computes with stale.
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.finalize_state()
