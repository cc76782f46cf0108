"""Between an estimator and the members of its archive, through skops.

skops writes one zip of its own, with files named by memory addresses. Here its parts
get lasting names, and each network's config and weights a folder of their own.
"""

import hashlib
import io
import json
import zipfile

import numpy as np
import skops.io

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._archive import ESTIMATOR
from brain_tumor_clf.persistence._schema import (
    check_npy,
    check_schema,
    forget,
    is_network,
    iter_nodes,
    normalize,
    type_name,
)
from brain_tumor_clf.persistence._trusted import TRUSTED_TYPES

_SCHEMA = "schema.json"  # skops' name for its member


def estimator_to_members(estimator, half_precision=False):
    """The state of a fitted estimator as archive members: ``{name: bytes}``."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files.pop(_SCHEMA))
    normalize(schema)
    networks = _pack_networks(schema, files)
    if half_precision:
        networks = {name: _halved(name, each) for name, each in networks.items()}
    members = {**networks, **_pack_arrays(schema, files)}
    members[ESTIMATOR] = json.dumps(schema, separators=(",", ":")).encode()
    # What is not loaded is not saved either: the same checks on both ways.
    _check_types(schema, members)
    check_schema(schema)
    _check_arrays(members)
    return members


def members_to_estimator(members):
    """The estimator that archive members describe; builds allowed types only."""
    schema = json.loads(members[ESTIMATOR])
    check_schema(schema)
    forget(schema)
    _check_arrays(members)
    _check_networks(members)
    archive = _to_skops(schema, members)
    return skops.io.load(archive, trusted=list(TRUSTED_TYPES))


def _pack_networks(schema, files):
    """Move each network into ``networks/<k>/``; a network met twice is stored once."""
    members, folders = {}, {}
    for _, node in list(iter_nodes(schema)):
        if not is_network(node):
            continue
        config, weights = node["content"]["config"], node["content"]["weights"]
        text = json.loads(config.pop("content")).encode()
        arrays = [files[w["file"]] for w in weights["content"]]
        key = _digest(text, *arrays)
        folder = folders.setdefault(key, f"networks/{len(folders)}")
        config["member"] = f"{folder}/config.json"
        members[config["member"]] = text
        for i, (weight, array) in enumerate(
            zip(weights["content"], arrays, strict=True)
        ):
            weight["file"] = f"{folder}/weights/{i:03d}.npy"
            members[weight["file"]] = array
    return members


def _halved(name, content):
    """A float32 ``.npy`` as float16; anything else as it is.

    Keras makes them the network's own dtype again when it is given them.
    """
    if not name.endswith(".npy"):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype != np.float32:
        return content
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    if (np.isinf(half) & np.isfinite(array)).any():
        raise ModelFileError(
            f"its weight {name} holds {np.abs(array).max():.3g}, too large for "
            "half_precision=True"
        )
    buffer = io.BytesIO()
    np.save(buffer, half, allow_pickle=False)
    return buffer.getvalue()


def _pack_arrays(schema, files):
    """Name the other arrays ``arrays/<n>.npy``; equal ones are stored once."""
    members, names = {}, {}
    for _, node in iter_nodes(schema):
        if "file" in node and node["file"] in files:
            array = files[node["file"]]
            name = names.setdefault(_digest(array), f"arrays/{len(names):03d}.npy")
            node["file"] = name
            members[name] = array
    return members


def _to_skops(schema, members):
    """A skops archive in memory of a schema and of the members that it names."""
    used = set()
    for _, node in iter_nodes(schema):
        if "member" in node:
            name = node.pop("member")
            node["content"] = json.dumps(_member(members, name).decode())
            used.add(name)
        if "file" in node:
            _member(members, node["file"])
            used.add(node["file"])
    arrays = {name for name in used if name.endswith(".npy")}
    unused = sorted(set(members) - used - {ESTIMATOR})
    if unused:
        raise ModelFileError(f"nothing in it uses {unused[0]!r}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(_SCHEMA, json.dumps(schema))
        for name in sorted(arrays):
            archive.writestr(name, members[name])
    buffer.seek(0)
    return buffer


def _check_types(schema, members):
    """Raise a ModelFileError that names the first part of a type not allowed."""
    data = _to_skops(json.loads(members[ESTIMATOR]), members).getvalue()
    untrusted = set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED_TYPES)
    if untrusted:
        nodes = [(path, type_name(node)) for path, node in iter_nodes(schema)]
        found = [(path, name) for path, name in nodes if name in untrusted]
        place, name = found[0] if found else ("", min(untrusted))
        raise ModelFileError(
            f"{place or 'the estimator'} is a {name}, which is not in the list of "
            "types that this format may hold"
        )


def _member(members, name):
    if not isinstance(name, str) or name not in members or name == ESTIMATOR:
        raise ModelFileError(f"it names {name!r}, which is not among its members")
    return members[name]


def _check_arrays(members):
    for name, content in members.items():
        if name.endswith(".npy"):
            check_npy(name, content)


def _check_networks(members):
    """Refuse layers that other code of this process has registered, too."""
    # Not at the top: reading a manifest must not start Keras.
    from brain_tumor_clf.networks import check_config

    for name, content in members.items():
        if name.endswith("/config.json"):
            check_config(content.decode())


def _digest(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()
