"""A small fitted network, saved once, and tools to tamper with its file."""

import hashlib
import json
import zipfile

import pytest

from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri, save
from brain_tumor_clf.persistence._archive import pack, unpack


@pytest.fixture(scope="session")
def scans():
    """Images as one array, and their labels."""
    phantoms = make_brain_mri(24, image_size=16, random_state=0)
    return phantoms.data[..., None], phantoms.target


@pytest.fixture(scope="session")
def network(scans):
    """A fitted network; not to be changed."""
    return SimpleCNNClassifier(filters=(4,), epochs=1, random_state=0).fit(*scans)


@pytest.fixture(scope="session")
def saved(network, tmp_path_factory):
    """The file of `network`; not to be changed."""
    path = tmp_path_factory.mktemp("saved") / "model.btc"
    save(network, path)
    return path


def tampered_copy(source, path, changes, manifest=None):
    """Write a copy with members changed and checksums that fit again.

    Members are those of the archive, or those of the estimator's own archive as
    ``estimator.skops/NAME``. A change is the new content, a function of the old one,
    or None to leave the member out.
    """
    members = unpack(source.read_bytes())
    fields = json.loads(members.pop("manifest.json"))
    inner = {
        f"estimator.skops/{name}": content
        for name, content in unpack(members.pop("estimator.skops")).items()
    }
    members |= inner
    for name, change in changes.items():
        content = change(members.get(name)) if callable(change) else change
        if content is None:
            del members[name]
        else:
            members[name] = content
    inner = [name for name in members if name.startswith("estimator.skops/")]
    inner = {name.partition("/")[2]: members.pop(name) for name in inner}
    if inner:
        members["estimator.skops"] = pack(inner)
    if "estimator.skops" in members:
        fields["sha256"] = hashlib.sha256(members["estimator.skops"]).hexdigest()
        fields["model_id"] = fields["sha256"][:16]
    fields.update(manifest or {})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(fields))
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def tamper(saved, tmp_path):
    """Write a copy of `saved` with changes."""

    def write(changes, manifest=None):
        return tampered_copy(saved, tmp_path / "tampered.btc", changes, manifest)

    return write
