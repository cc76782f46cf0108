"""Benchmarks of the recipes' speed and scores run and measure what they say."""

import json
import sys

import pandas as pd
import pytest

from brain_tumor_clf import (
    SimpleCNNClassifier,
    load_mri_folder,
    make_mri_pipeline,
    save,
)
from tests.app.browser import find_chromium

pytestmark = pytest.mark.slow
SECONDS = {"clock", "processor"}


@pytest.fixture
def model(kaggle_folder, tmp_path):
    scans = load_mri_folder(kaggle_folder / "Training")
    network = SimpleCNNClassifier(filters=(4,), epochs=1, random_state=0)
    pipe = make_mri_pipeline(network, image_size=24).fit(scans.data, scans.target)
    save(pipe, tmp_path / "model.btc")
    return tmp_path / "model.btc"


def test_latency(run_program, model, tmp_path):
    # A stand-in for the peer: what is tested is that its times are asked and divided.
    peer = tmp_path / "peer"
    peer.write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path / 'peer.py'}\n")
    peer.chmod(0o755)
    times = json.dumps({"clock": 9.0, "processor": 9.0})
    (tmp_path / "peer.py").write_text(f"print({times!r})\n")
    out = run_program(
        "benchmarks/latency.py",
        *("--model", model, "--peer-python", peer, "--images", 4, "--repeats", 2),
        *("--rounds", 1, "--json", "latency.json"),
    )
    found = json.loads((tmp_path / "latency.json").read_text())
    for part in ("load", "one", "many"):
        assert set(found[part]) == SECONDS
        assert all(seconds > 0 for seconds in found[part].values())
    expected = 9.0 / found["one"]["clock"]
    assert found["peer_ratio"]["clock"] == pytest.approx(expected)
    assert len(found["rounds"]) == 1
    assert "| 4 JPEG" in out


def test_app_latency(run_program, model, kaggle_folder, tmp_path):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    find_chromium()
    file = next((kaggle_folder / "Testing").rglob("*.png"))
    out = run_program(
        "benchmarks/app_latency.py", file, "--model", model, "--json", "found.json"
    )
    found = json.loads((tmp_path / "found.json").read_text())
    (upload,) = found["uploads"]
    assert upload["file"] == file.name
    assert 0 < upload["class"] <= upload["heat_map"]
    assert f"| {found['start']:.1f} s |" in out


def test_fast_recipe(run_program, kaggle_folder, tmp_path):
    out = run_program(
        "benchmarks/fast_recipe.py",
        *(kaggle_folder / "Training", "--groups", kaggle_folder / "groups.csv"),
        *("--image-size", 32, "--stages", -2, -1, "--pooling", "avg"),
        *("--json", "fast.json"),
    )
    found = json.loads((tmp_path / "fast.json").read_text())
    assert len(found["folds"]) == 5
    assert set(found["seconds"]) == SECONDS
    assert sum(map(sum, found["report"]["confusion_matrix"]["counts"])) == 24
    assert "| balanced accuracy |" in out


def test_leave_source_out(run_program, kaggle_folder, tmp_path):
    table = pd.read_csv(kaggle_folder / "groups.csv", dtype=str)
    table["patient"] = "P" + table["group"]
    # Half of the meningiomas are of a source that names no patients.
    meningiomas = table.index[
        table["file"].str.contains("Training/meningioma")
    ].to_numpy()
    table.loc[meningiomas[::2], "patient"] = None
    table.loc[table["file"].str.contains("notumor"), "patient"] = None
    table.to_csv(kaggle_folder / "groups.csv", index=False)
    out = run_program(
        "benchmarks/leave_source_out.py",
        *(kaggle_folder, "--groups", kaggle_folder / "groups.csv"),
        *("--image-size", 32, "--json", "found.json"),
    )
    rows = json.loads((tmp_path / "found.json").read_text())
    assert [row["training"] for row in rows] == ["all sources", "the others"]
    for row in rows:
        assert (row["class"], row["images"]) == ("meningioma", len(meningiomas[::2]))
        assert row["right"] + row["missed"] <= 1
        assert f"| {row['training']} | {row['right']:.1%} | " in out
