"""train: the model file, the report of its cross-validation, and the groups."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from brain_tumor_clf import NearDuplicateGrouper, load, load_mri_folder
from brain_tumor_clf.persistence import read_manifest
from tests.cli.conftest import RESEARCH_ONLY

CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]


def test_train_writes_a_model_and_its_metrics(trained):
    done, model, metrics = trained
    assert done.returncode == 0, done.stderr
    document = json.loads(metrics.read_text())
    manifest = read_manifest(model)
    assert document["model_id"] == manifest.model_id
    assert manifest.model_id in done.stdout
    assert document["classes"] == CLASSES
    assert document["seed"] == 3
    assert document["trained_on"] == {
        "n": 16,
        "images_per_class": dict.fromkeys(CLASSES, 4),
        "n_groups": 8,
    }
    assert "scikit-learn" in document["versions"]
    assert document["notice"] == RESEARCH_ONLY


def test_train_reports_on_every_image_out_of_fold(trained):
    done, model, metrics = trained
    manifest = read_manifest(model)
    result = json.loads(metrics.read_text())["cross_validation"]
    assert "StratifiedGroupKFold, no group on both sides" in result["protocol"]
    accuracies = [fold["accuracy"] for fold in result["folds"]]
    assert len(accuracies) == 2
    assert result["mean"]["accuracy"] == pytest.approx(np.mean(accuracies))
    assert result["std"]["accuracy"] == pytest.approx(np.std(accuracies, ddof=1))
    assert f"accuracy {result['mean']['accuracy']:.3f} ±" in done.stdout
    report = result["report"]
    assert report["model_id"] == manifest.model_id
    assert np.sum(report["confusion_matrix"]["counts"]) == 16
    scores = {row["score"]: row["value"] for row in report["scores"]}
    sizes = [fold["n_test"] for fold in result["folds"]]
    assert scores["accuracy"] == pytest.approx(np.average(accuracies, weights=sizes))
    assert {"roc_auc", "tumor_miss_rate", "brier_score"} <= set(scores)
    assert report["group_scores"] is not None
    assert report["protocol"]["n_groups"] == 8
    assert report["protocol"]["split"] == result["protocol"]
    stored = manifest.metadata["cross_validation"]
    assert {**stored["report"], "model_id": manifest.model_id} == report
    assert stored["folds"] == result["folds"]


def test_train_writes_a_page(trained):
    done, model, _ = trained
    page = model.with_name("report.html")
    assert f"Wrote {page}" in done.stdout
    text = page.read_text(encoding="utf-8")
    assert read_manifest(model).model_id in text
    assert "no group on both sides" in text
    assert RESEARCH_ONLY in text


def test_the_terminal_is_plain(trained):
    done, *_ = trained
    for text in (done.stdout, done.stderr):
        assert "\x1b" not in text
        assert "InitializeLog" not in text
        assert "Traceback" not in text
    # Lines with a path are as long as the path.
    lines = done.stdout.splitlines()
    lines = [line for line in lines if not line.startswith(("Saved", "Wrote"))]
    assert max(map(len, lines)) <= 80


def test_sources_left_out_are_the_folds_of_training(
    cli, sources_csv, scans_dir, tmp_path
):
    pytest.importorskip("cleanlab", reason="the extra 'labels' is not installed")
    args = ("--image-size", 16, "--epochs", 1, "--leave-out", "source", "--json", "-")
    args += ("--label-issues", "--balance", "source")
    model = tmp_path / "model.btc"
    done = cli("train", sources_csv, "--root", scans_dir, "-o", model, *args)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["balanced_by"] == "source"
    result = document["cross_validation"]
    assert [fold["held_out"] for fold in result["folds"]] == ["north", "south"]
    assert [fold["n_test"] for fold in result["folds"]] == [8, 8]
    for issue in result["report"]["label_issues"]:  # those of other folds' models
        assert Path(issue["image"]).parent.name == issue["label"]
    rows = result["report"]["subgroups"]
    assert {(row["column"], row["subgroup"]) for row in rows} == {
        ("source", "north"),
        ("source", "south"),
    }
    assert load(model).predict(load_mri_folder(scans_dir).data).shape == (16,)


def test_without_groups_near_duplicates_are_kept_whole(cli, copied_dir, tmp_path):
    args = ("--image-size", 16, "--epochs", 1, "--cv", 2, "--json", "-")
    done = cli("train", copied_dir, "-o", tmp_path / "model.btc", *args)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    expected = NearDuplicateGrouper().fit(load_mri_folder(copied_dir).data).n_groups_
    assert expected <= 16  # every phantom and its mirror image
    protocol = document["cross_validation"]["report"]["protocol"]
    assert protocol["n_groups"] == document["trained_on"]["n_groups"] == expected
    assert protocol["groups"].startswith("near duplicates")
    assert "no group on both sides" in protocol["split"]
    # Copies are no patients: they have no votes.
    assert document["cross_validation"]["report"]["group_scores"] is None
    assert f"No groups were given: {expected} groups of near dupl" in done.stderr
    assert "Warning" not in done.stderr


def test_no_groups_is_warned_of_with_the_copies_shared(cli, copied_dir, tmp_path):
    args = ("--image-size", 16, "--epochs", 1, "--cv", 2, "--no-groups", "--json", "-")
    done = cli("train", copied_dir, "-o", tmp_path / "model.btc", *args)
    assert done.returncode == 0, done.stderr
    scans = load_mri_folder(copied_dir)
    labels = NearDuplicateGrouper().fit_predict(scans.data)
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    n_shared = sum(
        np.isin(labels[test], labels[train]).sum()
        for train, test in folds.split(scans.data, scans.target)
    )
    assert n_shared > 0
    said = f"--no-groups: {n_shared} of 32 images ({n_shared / 32:.0%}) have a copy"
    assert f"Warning: {said}" in done.stderr
    protocol = json.loads(done.stdout)["cross_validation"]["report"]["protocol"]
    assert protocol["n_groups"] is None
    assert "image by image" in protocol["split"]
    assert any(note.startswith(said) for note in protocol["notes"])


def test_without_cross_validation_no_score_is_claimed(cli, scans_dir, tmp_path):
    args = ("--image-size", 16, "--epochs", 1, "--json", "-")
    done = cli("train", scans_dir, "-o", tmp_path / "model.btc", *args)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cross_validation"] is None
    assert "No score was measured" in done.stderr


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        ("fast", ("--cv", 2)),
        pytest.param(
            "best",
            ("--epochs", 1, "--batch-size", 16, "--weights", "none"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_recipes(recipe, options, cli, scans_dir, tmp_path):
    model = tmp_path / "model.btc"
    args = ("--recipe", recipe, "--image-size", 32, "--json", "-", "--seed", 4)
    done = cli("train", scans_dir, "-o", model, *args, *options)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)  # nothing else goes to stdout
    assert document["recipe"] == read_manifest(model).metadata["recipe"] == recipe
    pipe = load(model)
    assert pipe["preprocess"]["resize"].image_size == (32, 32)
    assert pipe.predict(load_mri_folder(scans_dir).data).shape == (16,)
    if recipe == "fast":
        assert document["cross_validation"]["report"]["protocol"]["n_groups"] == 8
        assert "Cross-validation of recipe fast" in done.stderr
        assert pipe["features"].cache is None
    else:
        networks = pipe["classifier"].estimators_
        assert [network.random_state for network in networks] == [4, 5, 6]
        assert {network.batch_size for network in networks} == {16}
        assert {network.n_iter_ for network in networks} == {1}
