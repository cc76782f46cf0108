"""Benchmarks of reading, preprocessing and the cache measure what they say."""

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


def test_memory_in_one_go_does_not_grow_with_the_number_of_images(
    run_program, tmp_path
):
    run_program(
        "benchmarks/preprocessing.py",
        *("--n", 250, "--cores", 2, "--json", "report.json"),
    )
    few, many, apart = json.loads((tmp_path / "report.json").read_text())
    assert [row["n"] for row in (few, many, apart)] == [50, 250, 250]
    assert many["result_mib"] == pytest.approx(5 * few["result_mib"])
    assert many["extra_mib"] < few["extra_mib"] + 15
    # Step by step all images are held as they were read: 250 KiB each.
    assert apart["extra_mib"] > many["extra_mib"] + 60


def test_a_grid_search_with_the_cache_reads_each_image_once(run_program, tmp_path):
    run_program(
        "benchmarks/cache.py",
        *("--images", 16, "--file-size", 64, "--image-size", 16, "--folds", 2),
        *("--over", "ridge", "--json", "report.json"),
    )
    (row,) = json.loads((tmp_path / "report.json").read_text())
    assert row["without"]["reads"] == 6 * 2 * 16
    assert row["with"]["reads"] == 16
