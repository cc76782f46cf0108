"""Which architectures may be rebuilt: everything else is refused before Keras sees it.

Keras' own safe mode stops marshalled functions. It does not stop layers that load
another file, read a vocabulary from a path or wrap another framework's module, nor
names that somebody else registered.
"""

import json

import keras

from brain_tumor_clf.exceptions import ModelFileError

PACKAGE = "brain_tumor_clf"
_MAX_CHARACTERS = 4 * 2**20  # the largest of keras.applications have 0.8 million
_MAX_DEPTH = 64
_MAX_INTEGER = 2**31
_LARGE = ("seed", "shared_object_id")  # numbers that size nothing

# They run code, load files, or hold text or tables that no image network needs.
_REFUSED_LAYERS = (
    *("FlaxLayer", "HashedCrossing", "Hashing", "IntegerLookup", "JaxLayer", "Lambda"),
    *("MelSpectrogram", "STFTSpectrogram", "StringLookup", "TFSMLayer"),
    *("TextVectorization", "TorchModuleWrapper"),
)
# What x + y, x * 2 and the like between layers become.
_OPERATIONS = (
    *("Absolute", "Add", "Divide", "Maximum", "Mean", "Minimum", "Multiply"),
    *("Negative", "Power", "Subtract", "TrueDivide"),
)
_TENSOR_FORMS = ("__keras_tensor__", "__numpy__", "__slice__", "__ellipsis__")
_NETWORKS = (
    ("keras", "Sequential"),
    ("keras", "Functional"),
    ("keras.src.models.functional", "Functional"),
    ("keras.src.models.sequential", "Sequential"),
)
_OTHER_CLASSES = (
    ("keras", "DTypePolicy"),
    ("keras.dtype_policies", "DTypePolicy"),
    ("keras.src.applications.convnext", "LayerScale"),
)
# Public modules of Keras, and what their classes must be.
_KINDS = {
    "keras.layers": (keras.layers, keras.Layer),
    "keras.initializers": (keras.initializers, keras.initializers.Initializer),
    "keras.regularizers": (keras.regularizers, keras.regularizers.Regularizer),
    "keras.constraints": (keras.constraints, keras.constraints.Constraint),
}


def check_config(text, allow_registered=False):
    """Parse a network's architecture; raise a ModelFileError if it must not be built.

    `allow_registered` allows layers that other code has registered with Keras.
    """
    if not isinstance(text, str) or len(text) > _MAX_CHARACTERS:
        raise ModelFileError(
            "A network's architecture must be JSON text of at most "
            f"{_MAX_CHARACTERS} characters."
        )
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            f"A network's architecture is not valid JSON ({error})."
        ) from error
    root = config if isinstance(config, dict) else {}
    named = root.get("module"), root.get("class_name")
    if named not in _NETWORKS:
        raise ModelFileError(
            f"A network must be Keras' Functional or Sequential, got {named!r}."
        )
    _check_node(config, allow_registered)
    return config


def _check_node(node, allow_registered, key="", depth=0):
    if depth > _MAX_DEPTH:
        raise ModelFileError("A network's architecture is nested too deeply.")
    if isinstance(node, dict):
        if "class_name" in node:
            _check_object(node, allow_registered)
        for name, value in node.items():
            _check_node(value, allow_registered, name, depth + 1)
    elif isinstance(node, list):
        for value in node:
            _check_node(value, allow_registered, key, depth + 1)
    elif isinstance(node, int) and abs(node) > _MAX_INTEGER and key not in _LARGE:
        raise ModelFileError(
            f"A network's architecture holds {key!r} of {node}; it is damaged."
        )


def _check_object(node, allow_registered):
    module, name = node.get("module"), node["class_name"]
    if not isinstance(name, str) or not isinstance(module, str | None):
        raise ModelFileError(f"Not a layer: module {module!r}, class {name!r}.")
    registered = node.get("registered_name")
    if not (
        name in _TENSOR_FORMS
        if module is None
        else _is_registered(registered, allow_registered)
        or (
            # Keras looks the registered name up first, whatever the class says.
            registered in (None, name) and _is_allowed(module, name, node)
        )
    ):
        raise ModelFileError(
            f"The network holds {str(registered or name)[:80]!r} of {module!r}, which "
            "is not among the layers that may be loaded: Keras' built-in ones, without "
            "those that run code or read files, and this package's own."
        )


def _is_registered(name, allow_registered):
    """Return whether a registered name is of this package, or of another if allowed."""
    if not isinstance(name, str) or ">" not in name:
        return False
    known = keras.saving.get_registered_object(name)
    if known is None:
        return False
    return allow_registered or known.__module__.startswith(f"{PACKAGE}.")


def _is_allowed(module, name, node):
    if (module, name) in _NETWORKS + _OTHER_CLASSES:
        return True
    if name == "function":
        function = node.get("config")
        return module in ("builtins", "keras.activations") and _is_activation(function)
    if module == "keras.src.ops.numpy":
        return name in _OPERATIONS
    if module not in _KINDS or name in _REFUSED_LAYERS:
        return False
    public, kind = _KINDS[module]
    found = getattr(public, name, None)
    return isinstance(found, type) and issubclass(found, kind)


def _is_activation(name):
    if not isinstance(name, str) or name in ("get", "serialize", "deserialize"):
        return False
    return callable(getattr(keras.activations, name, None))
