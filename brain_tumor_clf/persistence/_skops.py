"""Between an estimator and its skops file.

skops checks types. What else a stranger's file must not hold is checked here, on the
tree of nodes (dicts with a ``__loader__``) by which skops describes an estimator.

scikit-learn keeps metadata requests (``set_fit_request`` and its kin) in objects that
point back to their estimator, a circle that skops cannot write: in a file they are
plain dicts.
"""

import copy
import hashlib
import io
import json
import math
import zipfile

import numpy as np
import sklearn
import skops.io

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._archive import SCHEMA, pack, unpack
from brain_tumor_clf.persistence._trusted import PACKAGE, TRUSTED_LOADERS, TRUSTED_TYPES

# Nodes whose identity matters: two parts that share one are to share one again.
_SHARED = {"ObjectNode", "DictNode", "ListNode", "NdArrayNode", "RandomStateNode"}
# skops 0.11 to this day. Older protocols had weaker checks, and a file may claim any.
_OLDEST_PROTOCOL = 2
_MT19937_WORDS = 624
_LIVE, _PLAIN = "_metadata_request", "_requests_by_method"
_OWN = ("sklearn.", f"{PACKAGE}.")
_FOLDERS = ("cache", "memory")
_FROM_FILE = ("model_id_", "metadata_")


def to_skops(estimator, half_precision=False):
    """Return a fitted estimator as a skops file, if `from_skops` will take it."""
    dumped = io.BytesIO(skops.io.dumps(_portable_copy(estimator, half_precision)))
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
    """Return the estimator in a skops file; builds allowed types only."""
    check_skops(content)
    estimator = skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    _settle(estimator)
    return estimator


def check_skops(content):
    """Raise a ModelFileError unless a skops file holds nothing but plain data."""
    members = unpack(content, [SCHEMA])
    schema = json.loads(members.pop(SCHEMA))
    if not isinstance(schema, dict) or schema.get("protocol", 0) < _OLDEST_PROTOCOL:
        raise ModelFileError("its description of the estimator is of an unknown kind")
    used = set()
    for path, node in iter_nodes(schema):
        _check_node(path or "the estimator", node)
        used |= {node["file"]} if "file" in node else set()
    for name, array in members.items():
        _check_npy(name, array)
    if used != set(members):
        wrong = sorted(used ^ set(members))[0]
        problem = "nothing in it uses" if wrong in members else "it lacks"
        raise ModelFileError(f"{problem} {wrong!r}")


def iter_nodes(value, path=""):
    """Yield each node of a schema with its place, such as ``steps[1][1].C``."""
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
    """Return module and name of the type that a node stands for."""
    return f"{node.get('__module__')}.{node.get('__class__')}"


def _numbered(schema, files):
    """Return the members of a skops file, the same for the same estimator.

    Addresses become running numbers; what is met again is not written again.
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
    """Raise a ModelFileError unless a node is plain data."""
    loader = node["__loader__"]
    if not isinstance(loader, str) or loader not in TRUSTED_LOADERS:
        raise ModelFileError(f"{path} is a {type_name(node)}, which is not plain data")
    if loader in ("RandomStateNode", "RandomGeneratorNode"):
        for place, part in iter_nodes(node):
            # Beyond the generator's words NumPy would read stray memory.
            position = place.endswith("pos") and json.loads(part["content"])
            if position is not False and position not in range(_MT19937_WORDS + 1):
                raise ModelFileError(f"{path} is no state of a random generator")


def _check_npy(name, content):
    """Raise a ModelFileError unless `content` is a whole ``.npy`` of plain numbers."""
    stream = io.BytesIO(content)
    try:
        np.lib.format.read_magic(stream)
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    except (ValueError, EOFError, SyntaxError, TypeError) as error:
        raise ModelFileError(f"{name} is no array") from error
    # The header alone would make NumPy allocate whatever it claims.
    claimed = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or dtype.kind == "V" or min(shape, default=0) < 0:
        raise ModelFileError(f"{name} is an array of {dtype}, not of plain values")
    if claimed != len(content) - stream.tell():
        raise ModelFileError(f"{name} claims {claimed} bytes of data, but has others")


def _portable_copy(estimator, half_precision):
    """Return a copy of an estimator for a file, its networks as plain data."""
    copied = copy.deepcopy(estimator)
    for part in _iter_parts(copied):
        _forget(part)
        if _LIVE in vars(part):
            setattr(part, _PLAIN, _plain_requests(vars(part).pop(_LIVE)))
        network = vars(part).get("_network_state")
        if half_precision and network is not None:
            network["weights"] = [
                _halved(i, array) for i, array in enumerate(network["weights"])
            ]
    return copied


def _plain_requests(live):
    """Return the metadata that are requested, by method; those left open are none."""
    by_method = {
        method: {name: alias for name, alias in requests.items() if alias is not None}
        for method, requests in live._serialize().items()
    }
    return {method: requests for method, requests in by_method.items() if requests}


def _settle(estimator):
    """Restore metadata requests of a loaded estimator, and leave out folders again."""
    with sklearn.config_context(enable_metadata_routing=True):
        for part in _iter_parts(estimator):
            _forget(part)
            for method, requests in vars(part).pop(_PLAIN, {}).items():
                getattr(part, f"set_{method}_request")(**requests)


def _forget(part):
    """Leave out folders of this machine and what another file said."""
    for name in _FOLDERS:
        if name in vars(part):
            setattr(part, name, None)
    for name in _FROM_FILE:
        vars(part).pop(name, None)


def _halved(i, array):
    """Return a float32 array as float16; a network makes it float32 again."""
    if array.dtype != np.float32:
        return array
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    if (np.isinf(half) & np.isfinite(array)).any():
        raise ModelFileError(
            f"weight {i} of its network holds {np.abs(array).max():.3g}, too large for "
            "half_precision=True"
        )
    return half


def _iter_parts(estimator):
    """Yield every object of scikit-learn or this package inside another, once."""
    seen, waiting = set(), [estimator]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, (list, tuple, set)):
            waiting += value
        elif isinstance(value, np.ndarray) and value.dtype == object:
            waiting += value.flat
        elif hasattr(value, "__dict__") and type(value).__module__.startswith(_OWN):
            waiting += vars(value).values()
            yield value
