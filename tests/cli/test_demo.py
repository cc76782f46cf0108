"""The demo, made small: everything it promises is there."""

import json

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


def test_demo_says_what_is_not_installed(monkeypatch, tmp_path):
    from brain_tumor_clf.cli import _console, _demo

    monkeypatch.setitem(_console.PLOTS, "no_such_module", "no-such-package")
    with pytest.raises(ModuleNotFoundError, match=r"no-such-package.*\[demo\]"):
        _demo.demo(tmp_path / "demo", 24, 2, 1, 0)
    assert not (tmp_path / "demo").exists()
