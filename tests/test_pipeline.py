"""make_mri_pipeline: its steps, its parameters, its cache, its pickle."""

import subprocess
import sys

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import Pipeline

from brain_tumor_clf import (
    HeadCropper,
    ImagePipeline,
    ImageReader,
    ImageResizer,
    IntensityNormalizer,
    SimpleCNNClassifier,
    make_mri_pipeline,
    write_brain_mri,
)
from brain_tumor_clf.pipeline import first_member, unwrap

LOAD = """
import sys, joblib, numpy as np
model, paths, out = sys.argv[1:]
np.save(out, joblib.load(model).predict_proba(open(paths).read().splitlines()))
"""


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans") / "phantoms"
    return write_brain_mri(folder, 24, image_size=40, random_state=0)


@pytest.fixture
def count_reads(monkeypatch):
    """The list of files that Pillow opens."""
    opened, original = [], Image.open

    def open_and_count(file, *args, **kwargs):
        opened.append(file)
        return original(file, *args, **kwargs)

    monkeypatch.setattr(Image, "open", open_and_count)
    return opened


def test_it_is_a_plain_pipeline_of_named_steps():
    classifier = SimpleCNNClassifier()
    pipe = make_mri_pipeline(classifier, image_size=(48, 32))
    assert type(pipe) is Pipeline
    assert list(pipe.named_steps) == ["preprocess", "classifier"]
    assert pipe["classifier"] is classifier
    preprocess = pipe["preprocess"]
    assert type(preprocess) is ImagePipeline
    assert {name: type(step) for name, step in preprocess.steps} == {
        "read": ImageReader,
        "crop": HeadCropper,
        "normalize": IntensityNormalizer,
        "resize": ImageResizer,
    }
    assert preprocess["resize"].image_size == (48, 32)


def test_every_parameter_is_reachable_and_reaches_its_step():
    pipe = make_mri_pipeline(SimpleCNNClassifier())
    values = {
        "preprocess__read__color_mode": "rgb",
        "preprocess__crop__margin": 0.2,
        "preprocess__normalize__method": "clahe",
        "preprocess__resize__image_size": (10, 12),
        "preprocess__cache": "folder",
        "preprocess__n_jobs": 2,
        "classifier__epochs": 7,
    }
    assert set(values) <= set(pipe.get_params())
    pipe.set_params(**values)
    assert {name: pipe.get_params()[name] for name in values} == values
    assert pipe["preprocess"]["crop"].margin == 0.2
    assert pipe["classifier"].epochs == 7


def test_arguments_reach_the_steps(scans):
    pipe = make_mri_pipeline(
        DummyClassifier(),
        (20, 16),
        crop=False,
        normalize=None,
        color_mode="rgb",
        n_jobs=2,
    )
    left_out = [pipe["preprocess"][name] for name in ("crop", "normalize")]
    assert left_out == ["passthrough", "passthrough"]
    images = pipe.fit(scans.data, scans.target)[:-1].transform(scans.data)
    assert images.shape == (24, 20, 16, 3)
    assert images.dtype == np.uint8
    clahe = make_mri_pipeline(DummyClassifier(), normalize="clahe")
    assert clahe["preprocess"]["normalize"].method == "clahe"


def test_a_size_that_is_none_is_refused_at_once():
    with pytest.raises(ValueError, match="image_size must be"):
        make_mri_pipeline(DummyClassifier(), image_size="large")


def test_with_a_cache_a_search_reads_each_image_once(scans, tmp_path, count_reads):
    pipe = make_mri_pipeline(DummyClassifier(), 16)
    grid = {"classifier__strategy": ["prior", "uniform", "stratified"]}

    def search(cache):
        count_reads.clear()
        GridSearchCV(
            pipe.set_params(preprocess__cache=cache), grid, cv=2, refit=False
        ).fit(scans.data, scans.target)
        return len(count_reads)

    # Each candidate reads an image once to train and once to score.
    assert search(None) == 3 * 2 * 24
    assert search(tmp_path / "cache") == 24
    assert search(tmp_path / "cache") == 0


def test_a_fresh_process_predicts_bit_for_bit(scans, tmp_path):
    clf = SimpleCNNClassifier(
        (16, 64),
        dense_units=512,
        dropout=0.2,
        augmentation="light",
        epochs=2,
        random_state=0,
    )
    pipe = make_mri_pipeline(clf, 24, normalize="clahe").fit(scans.data, scans.target)
    model, paths, out = (tmp_path / name for name in ("m.joblib", "paths.txt", "p.npy"))
    joblib.dump(pipe, model)
    paths.write_text("\n".join(scans.data))
    subprocess.run([sys.executable, "-c", LOAD, model, paths, out], check=True)
    assert np.load(out).tobytes() == pipe.predict_proba(scans.data).tobytes()
    n_bytes = sum(np.asarray(weights).nbytes for weights in clf.model_.weights)
    assert n_bytes > 1e6
    assert model.stat().st_size <= 1.2 * n_bytes


def test_wrappers_that_change_no_image_are_looked_into():
    X, y = np.zeros((8, 1)), np.repeat([0, 1], 4)
    dummy = DummyClassifier().fit(X, y)
    frozen = FrozenEstimator(dummy)
    assert unwrap(frozen) is dummy
    search = GridSearchCV(DummyClassifier(), {}, cv=2).fit(X, y)
    assert unwrap(search) is search.best_estimator_
    meta = FixedThresholdClassifier(frozen).fit(X, y)
    assert unwrap(meta) is meta.estimator_
    calibrated = CalibratedClassifierCV(frozen, cv=2).fit(X, y)
    assert unwrap(calibrated) is frozen
    for other in (dummy, FixedThresholdClassifier(dummy), "passthrough"):
        assert unwrap(other) is None


def test_of_ensembles_the_first_member_is_taken():
    X, y = np.zeros((8, 1)), np.repeat([0, 1], 4)
    vote = VotingClassifier([("a", DummyClassifier()), ("b", DummyClassifier())])
    assert first_member(vote.fit(X, y)) is vote.estimators_[0]
    folds = CalibratedClassifierCV(DummyClassifier(), cv=2, ensemble=True).fit(X, y)
    assert unwrap(folds) is None
    assert first_member(folds) is folds.calibrated_classifiers_[0].estimator
    # Its `estimator_` is an unfitted template.
    assert unwrap(BaggingClassifier(DummyClassifier()).fit(X, y)) is None
