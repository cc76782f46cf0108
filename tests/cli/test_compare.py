"""compare, and the cross-validation of `train` and `demo`."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.utils import Bunch

from brain_tumor_clf import load_mri_folder, make_mri_pipeline
from brain_tumor_clf.cli._cross_validation import (
    _choose_threshold,
    choose_folds,
    cross_validate,
)
from tests.cli.conftest import RESEARCH_ONLY

# Old and new scikit-learn both leave every class in training with it.
_SEED = 21


@pytest.mark.slow
def test_compare(cli, scans_dir, tmp_path):
    done = cli(
        *("compare", scans_dir, "--architectures", "simple,mobilenetv3small"),
        *("--weights", "none", "--image-size", 32, "--epochs", 1, "--cv", 2),
        *("--json", tmp_path / "c.json", "--html", tmp_path / "c.html"),
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "c.json").read_text())
    assert [row["estimator"] for row in document["table"]] == [
        "SimpleCNN", "MobileNetV3Small",
    ]  # fmt: skip
    assert len(document["folds"]) == 2 * 2
    assert document["protocol"]["n_groups"] == 8
    assert "no group on both sides" in document["protocol"]["split"]
    assert any("image_size=32" in note for note in document["protocol"]["notes"])
    first, second = document["table"]
    assert f"{first['mean']:.3f} ±" in done.stdout
    assert f"{second['difference']:+.3f}" in done.stdout
    for text in (done.stdout, (tmp_path / "c.html").read_text(encoding="utf-8")):
        assert RESEARCH_ONLY in text
    assert document["notice"] == RESEARCH_ONLY


def test_seeds_repeat_every_fold(cli, copied_dir):
    done = cli(
        *("compare", copied_dir, "--architectures", "simple", "--seeds", "0, 4"),
        *("--image-size", 16, "--epochs", 1, "--cv", 2, "--json", "-"),
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["folds"]) == 2 * 2
    assert document["protocol"]["seed"] == [0, 4]
    assert document["protocol"]["groups"].startswith("near duplicates")
    assert f"± {document['table'][0]['seed_std']:.3f}" in done.stderr


def test_a_source_is_left_out_in_turn(cli, sources_csv, scans_dir):
    done = cli(
        *("compare", sources_csv, "--root", scans_dir, "--leave-out", "source"),
        *("--architectures", "simple", "--image-size", 16, "--epochs", 1, "--json"),
        "-",
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [fold["n_test"] for fold in document["folds"]] == [8, 8]
    split = document["protocol"]["split"]
    assert split.startswith(
        "each source left out in turn: north, south; 16 of 16 images are tested on;"
    )
    assert document["protocol"]["n_groups"] == 8
    assert {row["source"] for row in document["sources"]} == {"north", "south"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "Missing option '--architectures'"),
        (["--architectures", "simple,xceptoin"], "Did you mean 'Xception'"),
        (["--architectures", "simple", "--seeds", "0,b"], "whole numbers"),
        (["--architectures", "simple", "--seeds", ""], "whole numbers"),
        (["--architectures", "simple", "--cv", "1"], "--cv"),
        (["--architectures", "simple", "--learning-rate", "0"], "above 0"),
        (
            ["--architectures", "simple", "--leave-out", "hospital"],
            "has no column hospital; it has group, plane",
        ),
        (
            ["--architectures", "simple", "--leave-out", "plane", "--no-groups"],
            "choose --leave-out or --no-groups",
        ),
        (["--architectures", "simple", "--root", "."], "is for a table; "),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else None,
)
def test_wrong_use(args, said, cli, scans_dir):
    done = cli("compare", scans_dir, *args)
    assert done.returncode == 2
    assert done.stdout == ""
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert said in error


def test_more_folds_than_groups_fail_before_training(cli, scans_dir):
    done = cli("compare", scans_dir, "--architectures", "simple", "--cv", 9)
    assert done.returncode == 1
    assert "need as many groups, got 8" in done.stderr.splitlines()[-1]


def as_rows(images):
    return images.reshape(len(images), -1) / 255.0


@pytest.fixture(scope="module")
def scans(scans_dir):
    scans = load_mri_folder(scans_dir)
    scans.place = "phantoms"
    return scans


def run(classifier, scans):
    rows = make_pipeline(FunctionTransformer(as_rows), classifier)
    pipeline = make_mri_pipeline(rows, image_size=8)
    cv = choose_folds(scans, 2, _SEED)
    _, (result,) = cross_validate({"one": pipeline}, scans, cv, _SEED)
    folds = StratifiedGroupKFold(2, shuffle=True, random_state=_SEED)
    return result, pipeline, {"groups": scans.groups, "cv": folds}


def test_out_of_fold_predictions_are_those_of_scikit_learn(scans):
    result, pipeline, options = run(LogisticRegression(), scans)
    proba = cross_val_predict(
        pipeline, scans.data, scans.target, method="predict_proba", **options
    )
    truth = np.eye(4)[np.searchsorted(scans.target_names, scans.target)]
    brier = ((proba - truth) ** 2).sum(axis=1).mean()
    scores = result.report.scores["value"]
    assert scores["brier_score"] == pytest.approx(brier)
    right = np.asarray(scans.target_names)[proba.argmax(axis=1)] == scans.target
    assert scores["accuracy"] == pytest.approx(np.mean(right))
    assert result.report.protocol.data.startswith("16 images of phantoms: 4 glioma")


def test_a_classifier_without_probabilities_is_cross_validated(scans):
    result, pipeline, options = run(SVC(), scans)
    predicted = cross_val_predict(pipeline, scans.data, scans.target, **options)
    accuracy = result.report.scores.loc["accuracy", "value"]
    assert accuracy == pytest.approx(np.mean(predicted == scans.target))
    assert result.report.reliability is None


def test_the_threshold_keeps_to_its_error_rate():
    rng = np.random.default_rng(0)
    y = np.repeat(["glioma", "notumor"], 200)
    p = np.where(y == "glioma", 0.9, 0.1) + rng.normal(scale=0.3, size=400)
    p = np.clip(p, 0.01, 0.99)
    table = pd.DataFrame({"estimator": "one", "index": range(400)})
    table["p_glioma"], table["p_notumor"] = p, 1 - p
    found = _choose_threshold(Bunch(predictions=table), "one", y)
    answered = np.maximum(p, 1 - p) >= found["threshold"]
    is_wrong = np.where(p > 0.5, "glioma", "notumor") != y
    assert found["coverage"] == np.mean(answered)
    assert found["measured_error_rate"] == np.mean(is_wrong[answered]) <= 0.05
    assert np.mean(is_wrong) > 0.05
    few = table.iloc[:59]  # too few to hold any rate
    assert _choose_threshold(Bunch(predictions=few), "one", y) is None


def test_a_class_of_one_group_is_no_column_short(scans):
    groups = np.where(scans.target == "glioma", "all gliomas", scans.groups)
    result, *_ = run(LogisticRegression(), Bunch(**{**scans, "groups": groups}))
    # One fold trains without gliomas: they have probability 0 and are all missed.
    assert result.report.per_class.loc["glioma", "sensitivity"] == 0
