"""Benchmarks of copies, scores and calibration run and measure what they say."""

import json

import pandas as pd
import pytest
import sklearn
from sklearn.utils.fixes import parse_version

from brain_tumor_clf import write_brain_mri

pytestmark = pytest.mark.slow


def test_duplicates(run_program, kaggle_folder, tmp_path):
    out = run_program(
        "benchmarks/duplicates.py",
        *(kaggle_folder / "Training", "--json", "report.json"),
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["images"] == 24
    assert report["pairs"] >= 24 - report["groups"]
    assert out.startswith("24 images: ")


def test_label_issues(run_program, tmp_path):
    pytest.importorskip("cleanlab")
    write_brain_mri(tmp_path / "scans", 40, image_size=24, random_state=0)
    table = pd.read_csv(tmp_path / "scans/groups.csv").rename(columns={"file": "path"})
    logits = pd.get_dummies(table["label"], dtype=float) * 5
    logits.iloc[[0, 1]] = logits.iloc[[30, 31]].to_numpy()  # of another class
    table.join(logits).assign(other=0.0, source="drawn").to_csv(tmp_path / "l.csv")
    out = run_program(
        "benchmarks/label_issues.py",
        *("l.csv", "--source", "drawn", "--root", "scans", "--sheet", "sheet.png"),
    )
    assert out.startswith("2 of 40 images are suspect")
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


def test_honest_scores(run_program, kaggle_folder, tmp_path):
    out = run_program(
        "benchmarks/honest_scores.py",
        *(kaggle_folder / "Training", "--groups", kaggle_folder / "groups.csv"),
        *("--image-size", 16, "--epochs", 1, "--json", "report.json"),
    )
    scores = json.loads((tmp_path / "report.json").read_text())["scores"]
    models = {row["control"] for row in scores}
    assert len(models) == 4
    assert "SimpleCNNClassifier" in models
    assert len(scores) == 4 * 2 * 2
    assert out.count("| tumor or not |") == 4


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"),
    reason="temperature scaling needs scikit-learn 1.8",
)
def test_calibration(run_program, tmp_path):
    pytest.importorskip("mapie")
    write_brain_mri(tmp_path / "scans", 120, image_size=24, random_state=0)
    out = run_program(
        "benchmarks/calibration.py",
        *("scans", "--image-size", 16, "--epochs", 1, "--repeats", 1),
        *("--json", "report.json"),
    )
    rows = json.loads((tmp_path / "report.json").read_text())
    assert [row["split"] for row in rows] == ["by image", "by group"]
    for row in rows:
        sizes = [row[f"classes in {level} sets"] for level in ("80%", "90%", "95%")]
        assert sizes == sorted(sizes)
    assert "coverage of 90% sets" in out
