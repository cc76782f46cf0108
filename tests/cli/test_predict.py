"""predict and info on one tiny model."""

import csv
import io
import json
import shutil

import pytest
from PIL import Image

from brain_tumor_clf import load
from brain_tumor_clf.persistence import read_manifest
from tests.cli.conftest import RESEARCH_ONLY

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)

CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]


def test_predict_json_equals_the_pipeline(cli, trained, scans_dir):
    _, model, _ = trained
    single = next(scans_dir.glob("glioma/*"))
    done = cli("predict", model, scans_dir / "pituitary", single, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rows = document["predictions"]
    assert document["n"] == len(rows) == 5
    assert document["n_failed"] == 0
    pipeline = load(model)
    assert document["model_id"] == pipeline.model_id_
    assert document["notice"] == RESEARCH_ONLY
    paths = [row["path"] for row in rows]
    assert [row["label"] for row in rows] == pipeline.predict(paths).tolist()
    expected = pipeline.predict_proba(paths)
    for row, values in zip(rows, expected, strict=True):
        assert list(row["probabilities"]) == CLASSES
        assert list(row["probabilities"].values()) == values.tolist()
        assert row["probability"] == max(values)
        assert row["error"] is None


@pytest.fixture
def mixed_folder(scans_dir, tmp_path):
    """Good scans, a broken one and an empty one, in folders of folders."""
    folder = tmp_path / "mixed"
    (folder / "deep" / "deeper").mkdir(parents=True)
    for i, path in enumerate(sorted(scans_dir.glob("*/*.jpg"))[:2]):
        shutil.copy(path, folder / "deep" / f"scan{i}.jpg")
    Image.new("L", (20, 20), 90).save(folder / "deep" / "deeper" / "ü, x.png")
    (folder / "broken.png").write_text("no image")
    (folder / "empty.jpg").write_bytes(b"")
    return folder


def test_predict_names_what_it_cannot_read_and_predicts_the_rest(
    cli, trained, mixed_folder, tmp_path
):
    target = tmp_path / "out.csv"
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    done = cli("predict", trained[1], nothing, mixed_folder, "--csv", "-o", target)
    assert done.returncode == 1
    assert done.stdout == ""
    rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    by_name = {row["path"].split("/")[-1]: row for row in rows}
    failed = {name for name, row in by_name.items() if row["error"]}
    assert failed == {"broken.png", "empty.jpg", "nothing"}
    for name in failed:
        assert by_name[name]["label"] == ""
        assert by_name[name]["error"] in done.stderr
    for name in ("scan0.jpg", "scan1.jpg", "ü, x.png"):
        assert by_name[name]["label"] in CLASSES
        assert sum(float(by_name[name][f"p_{c}"]) for c in CLASSES) == pytest.approx(1)
        assert by_name[name]["model_id"] == read_manifest(trained[1]).model_id
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 3


def test_predict_prints_a_table(cli, trained, mixed_folder):
    done = cli("predict", trained[1], mixed_folder)
    assert done.returncode == 1
    assert "3 scans, 2 unreadable" in done.stdout
    assert read_manifest(trained[1]).model_id in done.stdout
    assert RESEARCH_ONLY in done.stdout


def test_info_of_a_model(cli, trained):
    _, model, _ = trained
    done = cli("info", model)
    assert done.returncode == 0
    assert read_manifest(model).model_id in done.stdout
    assert "16 images" in done.stdout


def test_predictions_in_chunks_equal_those_at_once(trained, scans_dir, monkeypatch):
    from brain_tumor_clf.cli import _prediction

    pipeline = load(trained[1])
    paths = sorted(map(str, scans_dir.glob("*/*.*")))
    at_once = _prediction.predict_in_chunks(pipeline, paths)
    monkeypatch.setattr(_prediction, "_CHUNK", 5)
    seen = []
    in_chunks = _prediction.predict_in_chunks(pipeline, paths, seen.append)
    assert in_chunks.paths == at_once.paths == paths
    assert in_chunks.labels == at_once.labels
    assert seen == [5, 5, 5, 1]
