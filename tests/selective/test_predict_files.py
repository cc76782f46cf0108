"""predict_files: one row per file, whatever the file is."""

import csv
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator

from brain_tumor_clf.selective import (
    SelectiveClassifier,
    answers_to_csv,
    as_selective,
    image_readers,
    predict_files,
)

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)
CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]
P = [f"p_{name}" for name in CLASSES]


def test_one_row_per_file_in_the_order_given(model, files):
    answers = predict_files(model, files, threshold=None)
    assert list(answers) == ["file", "state", "label", "probability", *P, "reason"]
    assert answers["file"].tolist() == [str(path) for path in files]
    states = ["classified"] * 4 + ["not a scan", "unreadable", "unreadable"]
    assert answers["state"].tolist() == [*states, "classified"]
    readable = [0, 1, 2, 3, 7]
    proba = model.predict_proba([files[i] for i in readable])
    np.testing.assert_array_equal(answers.loc[readable, P], proba)
    np.testing.assert_array_equal(answers["probability"][readable], proba.max(axis=1))
    labels = model.classes_[proba.argmax(axis=1)]
    assert answers["label"][readable].tolist() == labels.tolist()
    others = answers.drop(readable)
    assert others[["probability", *P]].isna().all(axis=None)
    assert others["label"].tolist() == [None] * 3
    assert [reason is None for reason in answers["reason"]] == [
        i in readable for i in range(8)
    ]
    assert "not an image" in answers["reason"][5]
    assert "no such file" in answers["reason"][6]


def test_below_the_threshold_a_scan_is_uncertain(model, scans):
    paths = list(scans.data)
    answers = predict_files(model, paths, guard=False)
    proba = model.predict_proba(paths)
    unsure = proba.max(axis=1) < model.threshold_
    assert answers["state"].tolist() == [
        "uncertain" if each else "classified" for each in unsure
    ]
    assert 0 < unsure.sum() < len(paths)
    assert answers["label"].isna().tolist() == unsure.tolist()
    np.testing.assert_array_equal(answers[P], proba)
    assert answers["reason"][unsure].str.contains("below the threshold").all()
    stricter = predict_files(model, paths, guard=False, threshold=1.0)
    assert (stricter["state"] == "uncertain").all()


def test_without_the_guard_everything_readable_is_classified(model, files):
    answers = predict_files(model, files, guard=False, threshold=None)
    assert answers["state"][4] == "classified"


@pytest.mark.parametrize("chunk_size", [1, 3, 100])
def test_chunks_change_nothing(chunk_size, model, files):
    steps = []
    answers = predict_files(model, files, chunk_size=chunk_size, progress=steps.append)
    expected = predict_files(model, files)
    assert answers[["file", "state", "label", "reason"]].equals(
        expected[["file", "state", "label", "reason"]]
    )
    np.testing.assert_allclose(answers[P], expected[P], atol=1e-6)
    assert sum(steps) == len(files)
    assert max(steps) <= chunk_size


def test_files_as_bytes_have_positions_for_names(model, files):
    data = [Path(path).read_bytes() for path in files if Path(path).exists()]
    answers = predict_files(model, [*data, b""], chunk_size=2)
    assert answers["file"].tolist() == [f"X[{i}]" for i in range(8)]
    expected = predict_files(model, files)["state"].tolist()
    assert answers["state"].tolist() == [*expected[:6], expected[7], "unreadable"]


def test_a_file_given_twice_is_two_rows(model, files):
    broken = str(files[5])
    answers = predict_files(model, [broken, files[0], broken, files[0]])
    assert answers["file"].tolist() == [broken, files[0], broken, files[0]]
    assert answers["state"][[0, 2]].tolist() == ["unreadable"] * 2
    assert answers["state"][1] == answers["state"][3] != "unreadable"


def test_no_files_give_an_empty_table(model):
    answers = predict_files(model, [])
    assert (len(answers), list(answers)[-1]) == (0, "reason")


def test_any_classifier_of_files_works():
    plain = DummyClassifier(strategy="prior").fit([["a"], ["b"]], [3, 5])
    answers = predict_files(plain, ["a.png", "b.png"], chunk_size=1)
    assert answers["state"].tolist() == ["classified"] * 2
    assert answers["label"].tolist() == [3, 3]
    assert answers["p_5"].tolist() == [0.5, 0.5]


class NoProbabilities(ClassifierMixin, BaseEstimator):
    """Knows the class and nothing else."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


def test_a_classifier_without_probabilities():
    plain = NoProbabilities().fit(None, CLASSES)
    answers = predict_files(plain, ["a.png", "b.png"])
    assert answers["label"].tolist() == ["glioma"] * 2
    assert answers[["probability", *P]].isna().all(axis=None)
    with pytest.raises(ValueError, match="no probabilities"):
        predict_files(plain, ["a.png"], threshold=0.5)


class NotFinite(NoProbabilities):
    """Diverged in training."""

    def predict_proba(self, X):
        return np.full((len(X), 4), [np.nan, 1.0, 0.0, np.inf])


def test_probabilities_that_are_not_finite_are_no_answer():
    answers = predict_files(NotFinite().fit(None, CLASSES), ["a.png"])
    assert answers["state"].tolist() == ["uncertain"]
    assert "not finite" in answers["reason"][0]
    assert answers[["label", "probability", *P]].isna().all(axis=None)


@pytest.mark.parametrize("guard", [True, False])
def test_a_blank_image_is_uncertain(guard, model, files, tmp_path):
    blank = []
    for level in (0, 90, 255):
        Image.new("L", (50, 40), level).save(tmp_path / f"{level}.png")
        Image.new("RGB", (500, 400), (level,) * 3).save(tmp_path / f"{level}.jpg")
        blank += [tmp_path / f"{level}.png", tmp_path / f"{level}.jpg"]
    sources = [*blank, files[0], np.full((40, 40), 7, np.uint8)]
    answers = predict_files(model, sources, guard=guard, threshold=None, chunk_size=4)
    assert answers["state"].tolist() == [*["uncertain"] * 6, "classified", "uncertain"]
    unsure = answers[answers["state"] == "uncertain"]
    assert unsure["reason"].str.contains("blank").all()
    assert unsure[["label", "probability", *P]].isna().all(axis=None)


def test_names_that_are_not_utf8(model, files, tmp_path):
    name = tmp_path / os.fsdecode(b"sc\xe9n.jpg")
    try:
        shutil.copy(files[0], name)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    answers = predict_files(model, [str(name), name])
    assert answers["file"].tolist() == [str(name)] * 2
    assert (answers["state"] != "unreadable").all()


def test_readers_inside_frozen_and_stacked_models(model):
    (reader,) = image_readers(clone(model.estimator))
    assert reader.frame is None
    assert image_readers(FrozenEstimator(model.estimator_)) == [model[0].steps[0][1]]
    assert image_readers(DummyClassifier()) == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"threshold": 2}, "threshold must be"),
        ({"threshold": "high"}, "threshold must be"),
        ({"threshold": float("nan")}, "threshold must be"),
        ({"chunk_size": 0}, "chunk_size must be"),
    ],
)
def test_wrong_options(options, match, model, files):
    with pytest.raises(ValueError, match=match):
        predict_files(model, files, **options)


def test_a_lone_path_is_refused(model, files):
    with pytest.raises(TypeError, match="lone path"):
        predict_files(model, files[0])


def test_the_table_as_csv(model, files):
    answers = predict_files(model, files, threshold=None)
    rows = list(csv.DictReader(io.StringIO(answers_to_csv(answers, "abc"))))
    assert list(rows[0]) == [
        *("path", "label", "probability", *P),
        *("error", "model_id", "state"),
    ]
    assert [row["state"] for row in rows] == answers["state"].tolist()
    assert {row["model_id"] for row in rows} == {"abc"}
    assert rows[5]["error"] == answers["reason"][5]
    assert (rows[4]["label"], rows[4]["p_glioma"], rows[4]["error"]) == ("", "", "")
    assert float(rows[0]["p_glioma"]) == answers["p_glioma"][0]


def test_a_plain_classifier_has_no_threshold(model, scans):
    plain = as_selective(model.estimator_)
    assert plain.threshold_ is None
    states = predict_files(plain, list(scans.data))["state"]
    assert (states == "classified").all()


def test_what_is_none_of_the_classes_is_said_to_be(model, scans):
    rejecting = SelectiveClassifier(FrozenEstimator(model.estimator_), reject="glioma")
    rejecting.fit(None, None)
    paths = list(scans.data)
    answers = predict_files(rejecting, paths)
    of_all = model.predict_proba(paths)
    rejected = of_all.argmax(axis=1) == 0
    assert rejected.any()
    assert not rejected.all()
    assert (answers["state"] == "none of these").tolist() == rejected.tolist()
    assert (answers["label"].isna() == rejected).all()
    assert "glioma" in answers["reason"][np.flatnonzero(rejected)[0]]
    assert list(answers.filter(like="p_")) == P[1:]
    np.testing.assert_allclose(answers[P[1:]].sum(axis=1), 1, atol=1e-6)


class EveryOther(BaseEstimator):
    """A novelty detector that finds files of even position unfamiliar."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.where(np.arange(len(X)) % 2, 1, -1)


def test_scans_unlike_those_of_training_are_unfamiliar(model, scans):
    unfamiliar = SelectiveClassifier(
        FrozenEstimator(model.estimator_),
        familiarity=FrozenEstimator(EveryOther().fit(None)),
    ).fit(None, None)
    answers = predict_files(unfamiliar, list(scans.data[:4]))
    states = ["unfamiliar scan", "classified"] * 2
    assert answers["state"].tolist() == states
    assert answers["probability"].isna().tolist() == [True, False] * 2
    assert "unlike the scans" in answers["reason"][0]
    answers = predict_files(unfamiliar, list(scans.data[:4]), guard=False)
    assert set(answers["state"]) == {"classified"}
