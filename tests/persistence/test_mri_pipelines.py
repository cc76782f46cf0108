"""Whole pipelines of paths: preprocessing, networks and scikit-learn in one file."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from brain_tumor_clf import (
    CNNFeatures,
    SimpleCNNClassifier,
    load,
    make_mri_pipeline,
    save,
    write_brain_mri,
)

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files") / "scans"
    return write_brain_mri(folder, 16, image_size=40, random_state=0)


@pytest.mark.parametrize("normalize", ["percentile", "clahe", None])
def test_every_preprocessing(normalize, files, tmp_path):
    classifier = SimpleCNNClassifier(filters=(4,), epochs=1, random_state=0)
    pipeline = make_mri_pipeline(
        classifier, image_size=24, normalize=normalize, cache=tmp_path / "cache"
    )
    pipeline.fit(files.data, files.target)
    save(pipeline, tmp_path / "model.btc")
    assert b"cache/" not in (tmp_path / "model.btc").read_bytes()
    loaded = load(tmp_path / "model.btc")
    assert loaded.get_params()["preprocess__cache"] is None
    np.testing.assert_array_equal(
        loaded.predict_proba(files.data), pipeline.predict_proba(files.data)
    )


def test_frozen_features_bring_their_network(files, tmp_path):
    features = CNNFeatures(
        "MobileNetV3Small", weights=None, cache=tmp_path / "cache", random_state=0
    )
    pipeline = make_mri_pipeline(
        make_pipeline(features, StandardScaler(), SVC()), image_size=32
    )
    pipeline.fit(files.data, files.target)
    manifest = save(pipeline, tmp_path / "model.btc")
    loaded = load(tmp_path / "model.btc")
    assert loaded.get_params()["classifier__cnnfeatures__cache"] is None
    np.testing.assert_array_equal(
        loaded.decision_function(files.data), pipeline.decision_function(files.data)
    )
    assert save(loaded, tmp_path / "again.btc").model_id == manifest.model_id
