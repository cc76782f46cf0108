"""The benchmark of reading measures what it says."""

import json

import pytest

pytestmark = pytest.mark.slow


def test_reading(run_program, tmp_path):
    out = run_program(
        "benchmarks/reading.py",
        *("--n", 8, "--rounds", 2, "--cores", 1, "--json", "report.json"),
    )
    rows = json.loads((tmp_path / "report.json").read_text())["1"]["rows"]
    assert {"ours", "Pillow", "Pillow with draft"} <= set(rows)
    assert rows["Pillow"]["ratio"] == 1
    for row in rows.values():
        assert 0 < row["ratio_min"] <= row["ratio"] <= row["ratio_max"]
    assert out.count("1 core, 8 images") == 1
