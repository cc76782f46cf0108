"""The packaged model: loads anywhere, knows its classes, says what it is."""

import json
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline

from brain_tumor_clf import (
    ScanGuard,
    SelectiveClassifier,
    TransferCNNClassifier,
    grad_cam,
    load_pretrained,
    make_brain_mri,
    save,
    write_brain_mri,
)
from brain_tumor_clf.exceptions import ModelFileError, WeightsError
from brain_tumor_clf.networks import PACKAGED_MODELS, packaged_model_file
from brain_tumor_clf.persistence import load, read_manifest
from brain_tumor_clf.reports import evaluate
from brain_tumor_clf.selective import predict_files

NAME = "brain-mri-lite0"
ROOT = Path(__file__).parents[2]
CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]
MAX_BYTES = 10_000_000
MAX_PARAMETERS = 5_000_000


@pytest.fixture(scope="module")
def pipe():
    return load_pretrained()


def native_scans(real_mri_dir):
    paths = sorted((real_mri_dir / "native-size-sample").rglob("*.jpg"))
    assert len(paths) == 33
    return [str(path) for path in paths], [path.parent.name for path in paths]


def test_is_a_selective_classifier_of_an_ordinary_pipeline(pipe):
    assert type(pipe) is SelectiveClassifier
    assert type(pipe.estimator_) is Pipeline
    assert list(pipe.named_steps) == ["classifier"]
    assert isinstance(pipe.guard_, ScanGuard)
    assert pipe.threshold_ == pipe.metadata_["abstention"]["threshold"]
    assert pipe.model_id_ == read_manifest(packaged_model_file(NAME)).model_id
    members = pipe["classifier"].named_estimators_
    assert list(members) == ["fine_tuned", "linear"]
    fine_tuned, linear = (member.estimator for member in members.values())
    assert isinstance(fine_tuned[-1], TransferCNNClassifier)
    assert pipe.classes_.tolist() == CLASSES
    networks = fine_tuned[-1].model_, linear["features"].network_
    assert sum(each.count_params() for each in networks) <= MAX_PARAMETERS
    assert packaged_model_file(NAME).stat().st_size <= MAX_BYTES


def test_scans_of_any_size_get_sensible_answers(pipe, real_mri_dir):
    # These were among the training images or their neighbors: it must know them.
    paths, truth = native_scans(real_mri_dir)
    proba = pipe.predict_proba(paths)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    assert (pipe.classes_[proba.argmax(axis=1)] == truth).mean() > 0.9
    assert (pipe.predict(paths) == pipe.classes_[proba.argmax(axis=1)]).all()


def test_loads_in_a_fresh_process_and_predicts_the_same(pipe, tmp_path):
    scans = write_brain_mri(tmp_path, n_samples=4, image_size=96, random_state=0)
    paths = list(map(str, scans.data))
    script = (
        "import json, sys; from brain_tumor_clf import load_pretrained; "
        "print(json.dumps(load_pretrained().predict_proba(sys.argv[1:]).tolist()))"
    )
    command = [sys.executable, "-c", script, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    there = json.loads(done.stdout.strip().splitlines()[-1])
    np.testing.assert_allclose(there, pipe.predict_proba(paths), atol=1e-6)


def test_pickles_with_its_guard(pipe, tmp_path):
    joblib.dump(pipe, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    images = make_brain_mri(2, 64, random_state=0).data
    np.testing.assert_array_equal(
        again.predict_proba(images), pipe.predict_proba(images)
    )
    np.testing.assert_allclose(
        again.guard_.score_samples(images), pipe.guard_.score_samples(images)
    )


def test_saves_with_its_guard_and_threshold(pipe, tmp_path):
    save(pipe, tmp_path / "model.btc", metadata=pipe.metadata_)
    again = load(tmp_path / "model.btc")
    assert (again.threshold_, again.metadata_) == (pipe.threshold_, pipe.metadata_)
    images = make_brain_mri(2, 64, random_state=0).data
    np.testing.assert_array_equal(
        again.predict_proba(images), pipe.predict_proba(images)
    )
    np.testing.assert_allclose(
        again.guard_.score_samples(images), pipe.guard_.score_samples(images)
    )


def test_files_get_answers_in_words(pipe, real_mri_dir, tmp_path):
    paths, truth = native_scans(real_mri_dir)
    phantoms = write_brain_mri(tmp_path, n_samples=4, image_size=96, random_state=0)
    answers = predict_files(pipe, [*paths, *phantoms.data], chunk_size=16)
    assert set(answers["state"][-4:]) == {"not a scan"}
    classified = answers[answers["state"] == "classified"]
    assert len(classified) > 25
    assert (classified["label"] == np.array(truth)[classified.index]).all()


def test_scores_are_those_of_the_model_as_it_is(pipe, real_mri_dir):
    paths, truth = native_scans(real_mri_dir)
    accuracy = pipe.score(paths, truth)
    scores = cross_val_score(pipe, np.array(paths), truth, cv=3)
    assert scores.mean() == pytest.approx(accuracy)
    report = evaluate(pipe, paths, truth, healthy="notumor")
    assert report.scores.loc["accuracy", "value"] == pytest.approx(accuracy)
    assert report.model_id == pipe.model_id_
    shown = ConfusionMatrixDisplay.from_estimator(pipe, paths, truth)
    assert np.trace(shown.confusion_matrix) == round(accuracy * len(paths))


def test_carries_its_card_and_what_was_measured(pipe):
    card = pipe.metadata_["model_card"]
    assert card == (ROOT / "docs" / "model_card.md").read_text(encoding="utf-8")
    assert "not a medical device" in card
    chosen = pipe.metadata_["abstention"]
    assert 0.25 < chosen["threshold"] < 1
    assert 0 < chosen["coverage"] <= 1
    bins = pipe.metadata_["reliability"]
    assert len(bins["edges"]) == len(bins["n"]) + 1 == len(bins["accuracy"]) + 1


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="brain-mri-lite0"):
        load_pretrained("brain-mri-lite")


def test_its_fine_tuned_network_is_explained(pipe):
    images = make_brain_mri(2, 64, random_state=0).data
    maps = grad_cam(pipe, images, target="glioma")
    assert maps.shape == (2, 64, 64)
    fine_tuned = pipe["classifier"].named_estimators_["fine_tuned"]
    np.testing.assert_array_equal(maps, grad_cam(fine_tuned, images, target="glioma"))


def test_a_damaged_file_is_refused(monkeypatch, tmp_path):
    from brain_tumor_clf.networks import _packaged

    content = bytearray(packaged_model_file(NAME).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "brain-mri-lite0.btc").write_bytes(content)
    monkeypatch.setattr(_packaged, "_FOLDER", tmp_path)
    with pytest.raises(ModelFileError, match="damaged"):
        load_pretrained()
    (tmp_path / "brain-mri-lite0.btc").unlink()
    with pytest.raises(ModelFileError, match="missing"):
        load_pretrained()


@pytest.mark.backend
def test_its_weights_are_a_starting_point(pipe):
    X = np.zeros((4, 96, 96, 1), np.uint8)
    clf = TransferCNNClassifier(weights="brain-mri", pooling="avg", dense_units=0)
    clf.initialize(X, CLASSES)
    network = pipe["classifier"].named_estimators_["fine_tuned"].estimator[-1].model_
    theirs = {layer.name: layer.get_weights() for layer in network.layers}
    n_same = 0
    for layer in clf.model_.layers:
        if layer.weights and layer.name in theirs and "dense" not in layer.name:
            for ours, packaged in zip(
                layer.get_weights(), theirs[layer.name], strict=True
            ):
                if ours.shape == packaged.shape and ours.shape[-1:] != (4,):
                    np.testing.assert_array_equal(ours, packaged)
                    n_same += 1
    assert n_same > 200


def test_its_weights_are_refused_for_another_backbone():
    clf = TransferCNNClassifier("MobileNetV2", weights="brain-mri")
    with pytest.raises(WeightsError, match="EfficientNetLite0"):
        clf.initialize(np.zeros((4, 96, 96, 1), np.uint8), CLASSES)


def test_every_packaged_model_has_its_file():
    for name in PACKAGED_MODELS:
        assert packaged_model_file(name).is_file()
