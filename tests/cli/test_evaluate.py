"""evaluate: the report of a saved model on other scans."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf import load, load_mri_folder, load_mri_table
from brain_tumor_clf.cli import _evaluate
from tests.cli.conftest import RESEARCH_ONLY

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


def values(table):
    return {row["score"]: row["value"] for row in table}


@pytest.fixture(scope="module")
def evaluated(cli, trained, archive_dir, tmp_path_factory):
    """The model trained on scans of which 8 have a copy in Testing."""
    folder = tmp_path_factory.mktemp("evaluated")
    done = cli(
        *("evaluate", trained[1], archive_dir, "--subset", "test"),
        *("--train", archive_dir, "--json", folder / "scores.json"),
        *("--html", folder / "report.html"),
    )
    assert done.returncode == 0, done.stderr
    return done, json.loads((folder / "scores.json").read_text()), folder


def test_scores_are_those_of_the_pipeline(trained, archive_dir, evaluated):
    done, document, _ = evaluated
    pipeline = load(trained[1])
    scans = load_mri_folder(archive_dir, subset="test")
    right = pipeline.predict(scans.data) == scans.target
    scores = values(document["scores"])
    assert scores["accuracy"] == np.mean(right)
    assert np.trace(document["confusion_matrix"]["counts"]) == right.sum()
    assert f"{scores['balanced_accuracy']:.3f}" in done.stdout
    truth = np.eye(4)[np.unique(scans.target, return_inverse=True)[1]]
    brier = ((pipeline.predict_proba(scans.data) - truth) ** 2).sum(axis=1).mean()
    assert scores["brier_score"] == pytest.approx(brier, rel=1e-5)


def test_the_report_says_of_what_it_is(trained, evaluated, archive_dir):
    done, document, folder = evaluated
    model_id = load(trained[1]).model_id_
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert document["model_id"] == model_id
    data = f"24 images of {archive_dir}, subset test: 6 glioma, 6 meningioma"
    assert document["protocol"]["data"].startswith(data)
    for text in (done.stdout, page):
        assert model_id in text
        assert RESEARCH_ONLY in text
    assert document["notice"] == RESEARCH_ONLY
    lines = [line for line in done.stdout.splitlines() if str(folder) not in line]
    lines = [line for line in lines if str(archive_dir) not in line]
    assert max(map(len, lines)) <= 80


def test_images_with_a_copy_in_training_stand_apart(trained, archive_dir, evaluated):
    done, document, _ = evaluated
    assert any("8 of 24 images (33%)" in note for note in document["notes"])
    scans = load_mri_folder(archive_dir, subset="test")
    unseen = np.array(["copy-" not in path for path in scans.data])
    right = load(trained[1]).predict(scans.data[unseen]) == scans.target[unseen]
    assert values(document["unseen_scores"])["accuracy"] == np.mean(right)
    assert "without a copy or mirror in training" in done.stdout
    names = {row["control"] for row in document["controls"]}
    assert "one nearest neighbor on thumbnails" in names
    assert "one nearest neighbor on thumbnails" in done.stdout


def test_known_groups_are_drawn_whole_and_vote(cli, trained, scans_dir):
    done = cli("evaluate", trained[1], scans_dir, "--json", "-")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["protocol"]["n_groups"] == 8
    assert all(row["interval"].endswith("over groups") for row in document["scores"])
    assert document["unseen_scores"] is document["controls"] is None
    assert "--train DIR tells which" in done.stderr
    scans = load_mri_folder(scans_dir)
    pipeline = load(trained[1])
    proba = pipeline.predict_proba(scans.data)
    right = [
        pipeline.classes_[proba[scans.groups == g].mean(axis=0).argmax()]
        == scans.target[scans.groups == g][0]
        for g in np.unique(scans.groups)
    ]
    assert values(document["group_scores"])["accuracy"] == np.mean(right)


def test_scores_by_source_and_plane(cli, trained, sources_csv, scans_dir):
    args = ("evaluate", trained[1], sources_csv, "--root", scans_dir, "--json", "-")
    done = cli(*args, "--by", "source, plane")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rows = {
        row["subgroup"]: row["value"]
        for row in document["subgroups"]
        if row["column"] == "source" and row["score"] == "accuracy"
    }
    scans = load_mri_table(sources_csv, scans_dir)
    right = load(trained[1]).predict(scans.data) == scans.target
    for source in ("north", "south"):
        assert rows[source] == np.mean(right[scans.frame["source"] == source])
    assert document["protocol"]["n_groups"] == 8
    assert "source x plane" in {row["column"] for row in document["subgroups"]}
    done = cli(*args, "--by", "source,sex")
    assert done.returncode == 2
    assert "no column sex; it has group, plane, source." in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--subset", "test"], "Error: Invalid value for --subset: is for a folder"),
        (["--groups", "CSV"], "Error: Invalid value for --groups: is for a folder"),
        ([], "names files that do not exist in 16 rows"),
    ],
)
def test_a_table_is_used_as_a_table(args, said, cli, trained, sources_csv):
    args = [sources_csv if arg == "CSV" else arg for arg in args]
    done = cli("evaluate", trained[1], sources_csv, *args)
    assert done.returncode == (2 if args else 1)
    assert said in done.stderr


def test_suspect_labels_are_listed_with_pictures(
    cli, trained, scans_dir, tmp_path, monkeypatch
):
    pytest.importorskip("cleanlab", reason="the extra 'labels' is not installed")
    scans = load_mri_folder(scans_dir)
    proba = np.full((16, 4), 0.01)
    codes = np.searchsorted(scans.target_names, scans.target)
    codes[5] = (codes[5] + 1) % 4  # one label is contradicted
    proba[np.arange(16), codes] = 0.97
    labels = np.asarray(scans.target_names)[codes]
    monkeypatch.setattr(_evaluate, "_predict", lambda model, files: (labels, proba))
    page = tmp_path / "page.html"
    done = cli(
        *("evaluate", trained[1], scans_dir, "--label-issues", "--json", "-"),
        *("--html", page),
    )
    assert done.returncode == 0, done.stderr
    (issue,) = json.loads(done.stdout)["label_issues"]
    assert issue["image"] == scans.data[5]
    assert (issue["label"], issue["suggested"]) == (scans.target[5], labels[5])
    assert issue["group"] == scans.groups[5]
    text = page.read_text(encoding="utf-8")
    assert "1 of 16 labels are suspect" in text
    assert f"{labels[5].capitalize()} 0.970" in text
    assert f"labeled {scans.target[5]}: {Path(scans.data[5]).name}" in text
    assert Path(scans.data[5]).name in done.stderr


def test_evaluate_refuses_classes_that_the_model_does_not_know(
    cli, trained, scans_dir, tmp_path
):
    folder = tmp_path / "scans"
    shutil.copytree(scans_dir, folder)
    (folder / "glioma").rename(folder / "astrocytoma")
    (folder / "groups.csv").unlink()
    done = cli("evaluate", trained[1], folder)
    assert done.returncode == 1
    assert "astrocytoma" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    args = ("--map", "astrocytoma=glioma", "--json", "-")
    done = cli("evaluate", trained[1], folder, *args)
    assert done.returncode == 0, done.stderr
    expected = cli("evaluate", trained[1], scans_dir, "--json", "-")
    matrices = [
        json.loads(each.stdout)["confusion_matrix"] for each in (done, expected)
    ]
    assert matrices[0] == matrices[1]


@pytest.mark.filterwarnings(
    "ignore::brain_tumor_clf.exceptions.BlankImageWarning",
    "ignore::brain_tumor_clf.exceptions.HeadNotFoundWarning",
)
def test_a_blank_image_is_scored_like_any_other(cli, trained, scans_dir, tmp_path):
    folder = shutil.copytree(scans_dir, tmp_path / "scans")
    (folder / "groups.csv").unlink()
    Image.new("L", (40, 40)).save(folder / "notumor" / "blank.png")
    done = cli("evaluate", trained[1], folder, "--json", "-")
    assert done.returncode == 0, done.stderr
    scans = load_mri_folder(folder)
    right = load(trained[1]).predict(scans.data) == scans.target
    assert values(json.loads(done.stdout)["scores"])["accuracy"] == np.mean(right)
