"""Convert a model file of brain-tumor-clf 0.1 to the present format.

python convert_model_file.py OLD.btc NEW.btc

The old file is read with the checks of `brain_tumor_clf.load`: nothing in it is run.
Predictions stay the same; weights in half precision stay so. A pipeline with a guard
becomes a `SelectiveClassifier`.
"""

import argparse
import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from brain_tumor_clf import load, save
from brain_tumor_clf.persistence import FORMAT_VERSION
from brain_tumor_clf.selective import as_selective


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path, help="model file of version 0.1")
    parser.add_argument("new", type=Path, help="model file to write")
    return parser.parse_args(argv)


def nodes(value):
    """Each node (a dict with a loader) of the old description of an estimator."""
    if isinstance(value, dict):
        if "__loader__" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from nodes(child)


def rearrange(members):
    """The estimator's own archive, out of the members of an old file."""
    schema, files = json.loads(members["estimator.json"]), {}
    for node in nodes(schema):
        if "member" in node:  # the architecture of a network
            node["content"] = json.dumps(members[node.pop("member")].decode())
        if "file" in node:
            name = files.setdefault(node["file"], f"{len(files):04d}.npy")
            node["file"] = name
    arrays = {name: members[old] for old, name in files.items()}
    return {"schema.json": json.dumps(schema).encode(), **arrays}


def write_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def convert(old, new):
    """Write the model of the file `old` to the file `new`."""
    with zipfile.ZipFile(old) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    fields = json.loads(members["manifest.json"])
    if fields.get("format_version") != 1:
        raise SystemExit(f"{old} is not of version 0.1; it needs no conversion.")
    half = any(
        name.startswith("networks/") and b"'<f2'" in content[:128]
        for name, content in members.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        write_zip(Path(folder) / "estimator.skops", rearrange(members))
        content = (Path(folder) / "estimator.skops").read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        del fields["members"]
        fields |= {
            "format_version": FORMAT_VERSION,
            "model_id": digest[:16],
            "sha256": digest,
        }
        manifest = json.dumps(fields).encode()
        rearranged = Path(folder) / "rearranged.btc"
        write_zip(rearranged, {"manifest.json": manifest, "estimator.skops": content})
        estimator = load(rearranged)
    if hasattr(estimator, "guard_"):
        estimator, pipeline = as_selective(estimator), estimator
        del pipeline.guard_
    return save(estimator, new, metadata=fields.get("metadata"), half_precision=half)


def main(argv=None):
    args = parse_arguments(argv)
    print(f"{args.new}: model {convert(args.old, args.new).model_id}")


if __name__ == "__main__":
    main()
