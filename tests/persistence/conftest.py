"""A small fitted network, saved once, and tools to tamper with its file."""

import hashlib
import json
import zipfile

import pytest

from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri, save


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


@pytest.fixture
def tamper(saved, tmp_path):
    """Write a copy with members changed and checksums that fit again."""

    def write(changes, manifest=None):
        with zipfile.ZipFile(saved) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        fields = json.loads(members.pop("manifest.json"))
        for name, change in changes.items():
            content = change(members.get(name)) if callable(change) else change
            if content is None:
                del members[name]
            else:
                members[name] = content
        fields["members"] = {
            name: {"sha256": hashlib.sha256(c).hexdigest(), "bytes": len(c)}
            for name, c in members.items()
        }
        text = "".join(
            f"{name} {fields['members'][name]['sha256']}\n" for name in sorted(members)
        )
        fields["model_id"] = hashlib.sha256(text.encode()).hexdigest()[:16]
        fields.update(manifest or {})
        path = tmp_path / "tampered.btc"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", json.dumps(fields))
            for name, content in members.items():
                archive.writestr(name, content)
        return path

    return write
