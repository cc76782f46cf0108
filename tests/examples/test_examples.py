"""Each example, made small, runs and shows what it promises."""

import json

import pytest

pytestmark = pytest.mark.slow


def test_quickstart(run_program):
    out = run_program(
        "examples/quickstart.py", "--n-samples", 24, "--image-size", 24, "--epochs", 1
    )
    assert "24 images in 12 groups" in out
    assert "grouped cross-validation" in out
    assert "macro avg" in out
    assert ", truly " in out


def test_compare_architectures_on_phantoms(run_program, tmp_path):
    out = run_program(
        "examples/compare_architectures.py",
        *("--n-images", 24, "--image-size", 32, "--epochs", 1, "--folds", 2),
        *("--architectures", "SimpleCNN", "VGG16"),  # quickest to trace
        *("--json", "report.json", "--markdown", "report.md"),
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["images"] == 24
    assert report["groups"] == 12
    tried = [(row["architecture"], row["parameters"]) for row in report["search"]]
    assert tried == [
        ("SimpleCNN", {"dense_units": 64}),
        ("SimpleCNN", {"dense_units": 128}),
        ("VGG16", {"pooling": "max"}),
        ("VGG16", {"pooling": "avg"}),
    ]
    baseline, *compared = report["comparison"]
    assert baseline["scores"] == [0.25, 0.25]
    assert [row["architecture"] for row in compared] == ["SimpleCNN", "VGG16"]
    assert all(len(row["scores"]) == 2 for row in compared)
    assert (tmp_path / "report.md").read_text().strip() == out.strip()


def test_compare_architectures_draws_whole_groups(run_program, kaggle_folder, tmp_path):
    run_program(
        "examples/compare_architectures.py",
        *(kaggle_folder, "--subset", "train", "--n-images", 10, "--folds", 2),
        *("--image-size", 16, "--epochs", 1, "--architectures", "SimpleCNN"),
        *("--json", "report.json"),
    )
    report = json.loads((tmp_path / "report.json").read_text())
    # Three images of each class make at least ten; groups are of two.
    assert report["images"] == 16
    assert report["groups"] == 8


def test_reproduce_notebooks(run_program, kaggle_folder, tmp_path):
    out = run_program(
        "examples/reproduce_notebooks.py",
        *(kaggle_folder, "--subset", "all", "--networks", "simple", "vgg16"),
        *("--image-size", 32, "--epochs", 1, "--json", "report.json"),
    )
    rows = json.loads((tmp_path / "report.json").read_text())
    found = {(row["network"], row["settings"], row["split"]) for row in rows}
    assert found == {
        (network, settings, split)
        for network in ("simple", "vgg16")
        for settings in ("notebook", "ours")
        for split in ("ungrouped", "grouped")
    }
    assert out.count("| vgg16 |") == 4


def test_fit_overhead(run_program, tmp_path):
    out = run_program(
        "benchmarks/fit_overhead.py",
        *("--images", 16, "--file-size", 32, "--image-size", 16, "--epochs", 1),
        *("--repeats", 1, "--predictions", 2, "--fits", 11, "--json", "report.json"),
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["ratios"]) == 4
    assert report["memory"]["processor_last_over_third"] > 0
    assert all(row["clock"] > 0 for row in report["ratios"].values())
    assert "Model.fit" in out
