"""Between an estimator and its skops file.

skops checks types; what else a stranger's file must not hold is checked here, on the
tree of nodes (dicts with a ``__loader__``) by which skops describes an estimator.
"""

import hashlib
import io
import json
import math
import zipfile

import numpy as np
import skops.io

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._archive import SCHEMA, pack, unpack
from brain_tumor_clf.persistence._portable import portable_copy, settle
from brain_tumor_clf.persistence._trusted import TRUSTED_LOADERS, TRUSTED_TYPES

# Nodes whose identity matters: two parts that share one are to share one again.
_SHARED = {"ObjectNode", "DictNode", "ListNode", "NdArrayNode", "RandomStateNode"}
# skops 0.11 to this day. Older protocols had weaker checks, and a file may claim any.
_OLDEST_PROTOCOL = 2
_MT19937_WORDS = 624


def to_skops(estimator, half_precision=False):
    """A fitted estimator as the content of a skops file.

    Raises a ModelFileError if it has a part that `from_skops` would refuse.
    """
    dumped = io.BytesIO(skops.io.dumps(portable_copy(estimator, half_precision)))
    with zipfile.ZipFile(dumped) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files.pop(SCHEMA))
    content = pack(_numbered(schema, files))
    untrusted = set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
    for path, node in iter_nodes(schema):
        if type_name(node) in untrusted:
            raise ModelFileError(
                f"{path or 'the estimator'} is a {type_name(node)}, which is not in "
                "the list of types that this format may hold"
            )
    check_skops(content)
    return content


def from_skops(content):
    """The estimator in the content of a skops file; builds allowed types only."""
    check_skops(content)
    estimator = skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    settle(estimator)
    return estimator


def check_skops(content):
    """Raise a ModelFileError unless a skops file holds nothing but plain data."""
    members = unpack(content)
    if SCHEMA not in members:
        raise ModelFileError(f"it has no {SCHEMA}")
    schema = json.loads(members.pop(SCHEMA))
    if not isinstance(schema, dict) or schema.get("protocol", 0) < _OLDEST_PROTOCOL:
        raise ModelFileError("its description of the estimator is of an unknown kind")
    used = set()
    for path, node in iter_nodes(schema):
        _check_node(path or "the estimator", node)
        if "file" in node:
            if node["file"] not in members:
                raise ModelFileError(
                    f"it names {node['file']!r}, which is not among its members"
                )
            used.add(node["file"])
    for name, array in members.items():
        if name not in used:
            raise ModelFileError(f"nothing in it uses {name!r}")
        _check_npy(name, array)


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


def _numbered(schema, files):
    """The members of a skops file that is the same for the same estimator.

    Memory addresses become running numbers, in nodes and in the names of files. Equal
    arrays are one file, and an object met again is described once.
    """
    numbers, names, members = {}, {}, {}
    for _, node in iter_nodes(schema):
        address = node.pop("__id__", None)
        if node["__loader__"] in _SHARED:
            if address in numbers and node["__loader__"] == "ObjectNode":
                node["content"] = None
            node["__id__"] = numbers.setdefault(address, len(numbers) + 1)
        if "file" in node:
            content = files[node["file"]]
            digest = hashlib.sha256(content).digest()
            node["file"] = names.setdefault(digest, f"{len(names):04d}.npy")
            members[node["file"]] = content
    text = json.dumps(schema, separators=(",", ":"))
    return {SCHEMA: text.encode(), **members}


def _check_node(path, node):
    loader = node["__loader__"]
    if not isinstance(loader, str) or loader not in TRUSTED_LOADERS:
        raise ModelFileError(f"{path} is a {type_name(node)}, which is not plain data")
    if loader in ("RandomStateNode", "RandomGeneratorNode"):
        _check_generator(path, node)


def _check_generator(path, node):
    """A position beyond the generator's words would make NumPy read stray memory."""
    for place, part in iter_nodes(node):
        if place.endswith("pos"):
            try:
                inside = 0 <= json.loads(part["content"]) <= _MT19937_WORDS
            except (TypeError, ValueError, KeyError):
                inside = False
            if not inside:
                raise ModelFileError(f"{path} is no state of a random generator")


def _check_npy(name, content):
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
