"""The demo, made small: everything it promises is there."""

import json
import shutil

import pytest
from PIL import Image

from brain_tumor_clf import load
from brain_tumor_clf.persistence import read_manifest
from tests.cli.conftest import RESEARCH_ONLY


@pytest.mark.slow
def test_demo(cli, tmp_path):
    args = ("--n-samples", 24, "--folds", 2, "--epochs", 1)
    done = cli("demo", "-o", "demo", *args, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "demo"
    scores = json.loads((folder / "scores.json").read_text())
    names = [row["estimator"] for row in scores["comparison"]["table"]]
    assert len(names) == 3
    for name in names:
        assert name in done.stdout
    assert "StratifiedGroupKFold" in scores["comparison"]["protocol"]["split"]
    report = scores["cross_validation"]["report"]
    assert scores["best"] in names
    assert report["protocol"]["n"] == 24
    assert report["protocol"]["split"] == scores["comparison"]["protocol"]["split"]
    assert read_manifest(folder / "model.btc").model_id == scores["model_id"]
    scan = next((folder / "scans" / "glioma").iterdir())
    assert load(folder / "model.btc").predict([str(scan)]).shape == (1,)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert scores["model_id"] in page
    with Image.open(folder / "confusion_matrix.png") as picture:
        assert min(picture.size) > 400
    assert "Classified" in done.stdout
    assert RESEARCH_ONLY in done.stdout
    lines = [line for line in done.stdout.splitlines() if "demo" not in line]
    assert max(map(len, lines)) <= 80


@pytest.fixture
def drawn(monkeypatch):
    """Have the demo draw scans alone; the list of folders it has drawn to."""
    from brain_tumor_clf import write_brain_mri
    from brain_tumor_clf.cli import _demo

    folders = []

    def run(output, n_samples, *args):
        folders.append(output)
        write_brain_mri(output / "scans", n_samples, image_size=32, random_state=0)
        if len(folders) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(_demo, "_run", run)
    return folders


def test_an_interrupted_demo_is_started_anew(cli, drawn, tmp_path):
    folder = tmp_path / "demo"
    args = ("demo", "-o", folder, "--n-samples")
    done = cli(*args, 30)
    assert done.returncode == 130
    assert f"is kept in {folder}; --overwrite starts it anew" in done.stderr
    assert "Traceback" not in done.stderr
    (folder / "mine.txt").write_text("keep me")
    done = cli(*args, 24)
    assert done.returncode == 2
    assert "exists already; name a new folder or give --overwrite" in done.stderr
    assert cli(*args, 24, "--overwrite").returncode == 0
    assert len(list(folder.glob("scans/*/*"))) == 24
    assert (folder / "mine.txt").read_text() == "keep me"


def test_only_a_folder_of_the_demo_is_overwritten(cli, drawn, scans_dir, tmp_path):
    shutil.copytree(scans_dir, tmp_path / "scans")
    done = cli("demo", "-o", tmp_path, "--overwrite")
    assert done.returncode == 2
    assert "exists already; name a new folder." in done.stderr
    assert len(list(tmp_path.glob("scans/*/*"))) == 16
    assert drawn == []


def test_demo_says_what_is_not_installed(monkeypatch, tmp_path):
    from brain_tumor_clf.cli import _console, _demo

    monkeypatch.setattr(_console, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"matplotlib.*\[demo\]"):
        _demo.demo(tmp_path / "demo", 24, 2, 1, 0)
    assert not (tmp_path / "demo").exists()
