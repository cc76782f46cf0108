"""The packaged model: loads anywhere, knows its classes, says what it is."""

import json
import subprocess
import sys
import warnings
from importlib.metadata import metadata
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
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
from brain_tumor_clf.exceptions import ModelFileError, ModelVersionWarning, WeightsError
from brain_tumor_clf.networks import PACKAGED_MODELS, packaged_model_file
from brain_tumor_clf.outlier_detection import FamiliarityGuard
from brain_tumor_clf.persistence import load, read_manifest
from brain_tumor_clf.reports import evaluate
from brain_tumor_clf.selective import predict_files

NAME = "brain-mri-multisource"
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
    assert list(pipe.named_steps) == ["preprocess", "classifier"]
    assert isinstance(pipe.guard_, ScanGuard)
    assert isinstance(pipe.familiarity_, FamiliarityGuard)
    assert pipe.threshold_ == pipe.metadata_["abstention"]["threshold"]
    assert pipe.model_id_ == read_manifest(packaged_model_file(NAME)).model_id
    assert isinstance(pipe["classifier"], TransferCNNClassifier)
    assert pipe.classes_.tolist() == CLASSES
    assert pipe.reject == "other"
    assert pipe["classifier"].classes_.tolist() == [*CLASSES[:3], "other", CLASSES[3]]
    # One network serves the classifier and both guards.
    for guard in (pipe.guard_, pipe.familiarity_):
        assert guard.estimator_["classifier"] is pipe["classifier"]
    assert pipe["classifier"].model_.count_params() <= MAX_PARAMETERS
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


def test_its_terms_are_declared(pipe):
    assert "non-commercial" in pipe.metadata_["license"]
    folder = packaged_model_file(NAME).parent
    assert "non-commercial" in (folder / f"LICENSE-{NAME}.txt").read_text()
    expression = metadata("brain-tumor-clf")["License-Expression"]
    assert f"LicenseRef-{NAME}" in expression


def test_other_diseases_are_none_of_these(pipe, real_mri_dir):
    folder = real_mri_dir / "other-sources"
    table = pd.read_csv(folder / "index.csv")
    lesions = table[table["source"] == "open-ms"]["file"][:12]
    answers = predict_files(pipe, [str(folder / file) for file in lesions])
    # They were among the training images: it must know them.
    assert (answers["state"] == "none of these").mean() > 0.8
    assert answers["label"].isna().all()


def test_notebooks_show_and_complete_it(pipe):
    assert "SelectiveClassifier" in pipe._repr_html_()
    assert {"predict", "guard_", "metadata_"} <= set(dir(pipe))
    assert "history_" in dir(pipe["classifier"])


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=NAME):
        load_pretrained("brain-mri-multisources")


def test_the_model_of_before_loads_from_its_file(pipe, real_mri_dir):
    with pytest.raises(ValueError, match="benchmarks/packaged_model"):
        load_pretrained("brain-mri-lite0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelVersionWarning)
        before = load(ROOT / "benchmarks" / "packaged_model" / "brain-mri-lite0.btc")
    paths, truth = native_scans(real_mri_dir)
    assert (before.predict(paths) == truth).mean() > 0.9
    assert (before.reject, before.familiarity_) == (None, None)
    stack = before["classifier"]
    maps = grad_cam(before, paths[:1], target="glioma")  # the fine-tuned network
    fine_tuned = stack.named_estimators_["fine_tuned"]
    np.testing.assert_array_equal(
        maps, grad_cam(fine_tuned, paths[:1], target="glioma")
    )


def test_it_is_explained(pipe):
    images = make_brain_mri(2, 64, random_state=0).data
    assert grad_cam(pipe, images, target="glioma").shape == (2, 64, 64)


def test_a_damaged_file_is_refused(monkeypatch, tmp_path):
    from brain_tumor_clf.networks import _packaged

    content = bytearray(packaged_model_file(NAME).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / f"{NAME}.btc").write_bytes(content)
    monkeypatch.setattr(_packaged, "_FOLDER", tmp_path)
    with pytest.raises(ModelFileError, match="damaged"):
        load_pretrained()
    (tmp_path / f"{NAME}.btc").unlink()
    with pytest.raises(ModelFileError, match="missing"):
        load_pretrained()


@pytest.mark.backend
def test_its_weights_are_a_starting_point(pipe):
    X = np.zeros((4, 96, 96, 1), np.uint8)
    clf = TransferCNNClassifier(
        weights="brain-mri-multisource", pooling="avg", dense_units=0
    )
    clf.initialize(X, CLASSES)
    network = pipe["classifier"].model_
    theirs = {layer.name: layer.get_weights() for layer in network.layers}
    n_same = 0
    for layer in clf.model_.layers:
        if layer.weights and layer.name in theirs and "dense" not in layer.name:
            for ours, packaged in zip(
                layer.get_weights(), theirs[layer.name], strict=True
            ):
                if ours.shape == packaged.shape and ours.shape[-1:] != (5,):
                    np.testing.assert_array_equal(ours, packaged)
                    n_same += 1
    assert n_same > 200


def test_its_weights_are_refused_for_another_backbone():
    clf = TransferCNNClassifier("MobileNetV2", weights="brain-mri-multisource")
    with pytest.raises(WeightsError, match="EfficientNetLite0"):
        clf.initialize(np.zeros((4, 96, 96, 1), np.uint8), CLASSES)


def test_every_packaged_model_has_its_file():
    for name in PACKAGED_MODELS:
        assert packaged_model_file(name).is_file()
