"""adapt: a saved model, labeled scans of another source, and a new model file."""

import json

import pytest
from PIL import Image, ImageOps

from brain_tumor_clf import load, load_mri_folder, write_brain_mri

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


@pytest.fixture(scope="module")
def negatives(tmp_path_factory):
    """Phantoms: negatives of gliomas, and notumor under another name."""
    folder = tmp_path_factory.mktemp("negatives") / "scans"
    write_brain_mri(folder, 48, image_size=32, random_state=1)
    for path in (folder / "glioma").iterdir():
        with Image.open(path) as scan:
            ImageOps.invert(scan.convert("L")).save(path)
    (folder / "groups.csv").unlink()
    (folder / "notumor").rename(folder / "healthy")
    return folder


def test_adapted_model_is_saved(cli, trained, negatives, tmp_path):
    done = cli(
        *("adapt", trained[1], negatives, "-o", tmp_path / "adapted.btc"),
        *("--map", "healthy=notumor", "--json", tmp_path / "record.json"),
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "record.json").read_text())
    adapted, model = load(tmp_path / "adapted.btc"), load(trained[1])
    assert document["model_id"] == adapted.model_id_ != model.model_id_
    record = document["adaptation"]
    assert record == adapted.metadata_["adaptation"]
    assert record["adapted_from"] == model.model_id_
    assert sorted(record["cases"]) == sorted(model.classes_)
    assert adapted.metadata_["trained_on"] == model.metadata_["trained_on"]
    assert f"Adapted to {record['images']} scans" in done.stdout
    assert adapted.model_id_ in done.stdout
    assert "No groups were given" in done.stderr
    scans = load_mri_folder(negatives)
    labels = adapted.predict(list(scans.data))
    assert (labels[scans.target == "glioma"] == "glioma").mean() > 0.9


def test_what_it_cannot_use_is_said(cli, trained, negatives, scans_dir, tmp_path):
    output = tmp_path / "adapted.btc"
    done = cli("adapt", trained[1], negatives, "-o", output)
    assert done.returncode == 1
    assert "labels that the model does not know: healthy. It knows" in done.stderr
    done = cli("adapt", trained[1], scans_dir, "-o", output)
    assert "at least 5 cases (groups), got glioma" in done.stderr
    done = cli("adapt", trained[1], scans_dir, negatives, "-o", output)
    assert done.returncode == 2
    assert "one folder or table" in " ".join(done.stderr.split())
    assert not output.exists()
