"""Walk, rewrite and check the tree of nodes by which skops describes an estimator.

Each node is a dict with a ``__loader__``. Rewriting makes it the same for the same
estimator wherever it was saved; checking holds it to the nodes that are plain data.
"""

import io
import json
import math

import numpy as np

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._trusted import (
    FORGOTTEN,
    FROM_FILE,
    TRUSTED_LOADERS,
    public_module,
)

# Nodes whose identity matters: two parts that share one are to share one again.
_SHARED = {"ObjectNode", "DictNode", "ListNode", "NdArrayNode", "RandomStateNode"}
# skops 0.11 to this day. Older protocols had weaker checks, and a file may claim any.
_OLDEST_PROTOCOL = 2
_MT19937_WORDS = 624


def iter_nodes(value, path=""):
    """Each node of a schema with its place in the estimator: ``steps[1][1].C``."""
    if isinstance(value, dict):
        is_node = "__loader__" in value
        if is_node:
            yield path.removeprefix("."), value
        for key, child in value.items():
            yield from iter_nodes(child, path if is_node else f"{path}.{key}")
    elif isinstance(value, list):
        for i, child in enumerate(value):
            yield from iter_nodes(child, f"{path}[{i}]")


def type_name(node):
    """Module and name of the type that a node stands for."""
    return f"{node.get('__module__')}.{node.get('__class__')}"


def is_network(node):
    """Whether a node is a network's state: its config and its list of weights."""
    content = node.get("content")
    if node["__loader__"] != "DictNode" or set(content) != {"config", "weights"}:
        return False
    config, weights = content["config"], content["weights"]
    return (
        config["__loader__"] == "JsonNode"
        and weights["__loader__"] == "ListNode"
        and all(w.get("type") == "numpy" for w in weights["content"])
    )


def normalize(schema):
    """Rewrite a schema in place so that it tells of the estimator and nothing else."""
    for _, node in iter_nodes(schema):
        if node["__loader__"] == "ObjectNode":
            for name in FROM_FILE:
                _drop_entry(node.get("content", {}), name)
        node["__module__"] = public_module(node["__module__"], node["__class__"])
    forget(schema)
    numbers = {}
    for _, node in iter_nodes(schema):
        # Memory addresses become running numbers, or go where they mean nothing.
        address = node.pop("__id__", None)
        if address is not None and node["__loader__"] in _SHARED:
            node["__id__"] = numbers.setdefault(address, len(numbers) + 1)


def forget(schema):
    """Leave out what belongs to one machine or one training, not to the model."""
    for path, node in iter_nodes(schema):
        stand_ins = FORGOTTEN.get(type_name(node))
        if stand_ins is None or node["__loader__"] != "ObjectNode":
            continue
        state = node["content"]
        if state["__loader__"] != "DictNode":
            raise ModelFileError(f"{path or 'the estimator'} has no dict as its state")
        # Or the state could be another dict's, elsewhere in the file.
        state.pop("__id__", None)
        for name, json_text in stand_ins.items():
            if json_text is None:
                _drop_entry(state, name)
            elif name in state["content"]:
                state["content"][name] = _json_node(json_text)


def check_schema(schema):
    """Raise a ModelFileError unless a schema holds nodes of plain data alone."""
    if not isinstance(schema, dict) or schema.get("protocol", 0) < _OLDEST_PROTOCOL:
        raise ModelFileError("its description of the estimator is of an unknown kind")
    for path, node in iter_nodes(schema):
        loader = node["__loader__"]
        if not isinstance(loader, str) or loader not in TRUSTED_LOADERS:
            raise ModelFileError(
                f"{path or 'the estimator'} is a {type_name(node)}, which is not plain "
                "data"
            )
        if loader in ("RandomStateNode", "RandomGeneratorNode"):
            _check_generator(path, node)


def check_npy(name, content):
    """Raise a ModelFileError unless `content` is a whole ``.npy`` of plain numbers."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read_header(stream)
    except (ValueError, KeyError, EOFError, SyntaxError, TypeError) as error:
        raise ModelFileError(f"{name} is no array") from error
    # The header alone would make NumPy allocate whatever it claims.
    claimed = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or dtype.kind == "V" or min(shape, default=0) < 0:
        raise ModelFileError(f"{name} is an array of {dtype}, not of plain values")
    if claimed != len(content) - stream.tell():
        raise ModelFileError(f"{name} claims {claimed} bytes of data, but has others")


def _drop_entry(dict_node, key):
    if key in (dict_node.get("content") or {}):
        at = list(dict_node["content"]).index(key)
        del dict_node["content"][key]
        del dict_node["key_types"]["content"][at]


def _json_node(text):
    return {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": text,
        "is_json": True,
    }


def _check_generator(path, node):
    """A position beyond the generator's words would make NumPy read stray memory."""
    for place, part in iter_nodes(node):
        if place.endswith("pos") or place == "pos":
            try:
                inside = 0 <= json.loads(part["content"]) <= _MT19937_WORDS
            except (TypeError, ValueError, KeyError):
                inside = False
            if not inside:
                raise ModelFileError(f"{path} is no state of a random generator")
