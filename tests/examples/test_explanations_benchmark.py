"""The benchmark of heat maps runs on phantoms, and on a saved model and boxes."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf import (
    SimpleCNNClassifier,
    make_brain_mri,
    make_mri_pipeline,
    save,
)

pytestmark = pytest.mark.slow


def test_phantoms(run_program, tmp_path):
    out = run_program(
        "benchmarks/explanations.py",
        *("--phantoms", 96, "--test-phantoms", 12, "--image-size", 32),
        *("--json", "report.json"),
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["n_tumors"] == 9
    assert 0 < report["area"] < 0.1
    assert len(report["share"]) == 9
    assert all(0 <= share <= 1 for share in report["share"].values())
    assert report["share"]["the brightest point, smoothed"] > 0.5
    assert out.count("%") == 10


def test_boxes(run_program, tmp_path):
    scans = make_brain_mri(64, 48, return_masks=True, random_state=0)
    clf = SimpleCNNClassifier((8, 16), epochs=10, random_state=0)
    pipe = make_mri_pipeline(clf, 32).fit(scans.data, scans.target)
    save(pipe, tmp_path / "model.btc")
    with open(tmp_path / "boxes.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "left", "top", "right", "bottom"])
        for i in np.flatnonzero(scans.target != "notumor")[:8]:
            Image.fromarray(scans.data[i]).save(tmp_path / f"{i}.png")
            rows, columns = np.nonzero(scans.masks[i])
            box = columns.min(), rows.min(), columns.max(), rows.max()
            writer.writerow([f"{i}.png", scans.target[i], *box])
    out = run_program(
        "benchmarks/explanations.py",
        *("--model", "model.btc", "--boxes", "boxes.csv", "--no-occlusion"),
        *("--json", "report.json"),
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["n_tumors"] == 8
    assert "occlusion" not in report["share"]
    assert f"{report['n']} of 8 tumors are classified correctly" in out
