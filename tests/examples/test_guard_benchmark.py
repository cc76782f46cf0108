"""The benchmark of the guard runs on phantoms that play the scans."""

import json

import pytest

from brain_tumor_clf import (
    SimpleCNNClassifier,
    make_mri_pipeline,
    save,
    write_brain_mri,
)

pytestmark = pytest.mark.slow


def test_guard(run_program, tmp_path):
    scans = write_brain_mri(tmp_path / "scans", 80, image_size=48, random_state=0)
    clf = SimpleCNNClassifier((4, 8), epochs=1, random_state=0)
    pipe = make_mri_pipeline(clf, 32).fit(scans.data, scans.target)
    save(pipe, tmp_path / "model.btc")
    out = run_program(
        *("benchmarks/guard.py", "model.btc", "scans", "--groups", "scans/groups.csv"),
        *("--n-fit", 40, "--n-test", 12, "--native", "scans", "--per-kind", 3),
        *("--json", "report.json"),
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["n_fit"] == 40
    assert 0 < report["bytes"] < 2**20
    rows = {row["images"]: row for row in report["rows"]}
    assert len(rows) == 6 + 12
    assert rows["scans of held-out groups"]["n"] == 12
    assert rows["scans of held-out groups, inverted"]["wanted"] == "refused"
    for kind in ("black", "white", "noise", "text pages"):
        assert rows[kind]["share"] == 1
    assert out.count("| refused |") == 14
