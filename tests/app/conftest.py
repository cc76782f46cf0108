"""A small trained model, with all that a model file may say about itself."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.frozen import FrozenEstimator

pytest.importorskip("streamlit", reason="the extra 'app' is not installed")

from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri, make_mri_pipeline
from brain_tumor_clf.app._results import Upload
from brain_tumor_clf.app._served import ServedModel
from brain_tumor_clf.selective import SelectiveClassifier

CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]
METADATA = {
    "model_card": "## What it is\n\nA network for tests.",
    "abstention": {"threshold": 0.0, "error_rate": 0.05, "coverage": 0.9},
    "reliability": {
        "edges": [0, 0.25, 0.5, 1],
        "accuracy": [None, 0.4, 0.9],
        "n": [0, 20, 60],
    },
    "confusion_matrix": {"classes": CLASSES, "counts": np.eye(4, dtype=int).tolist()},
    "risk_coverage": {"coverage": [0.5, 1.0], "risk": [0.02, 0.1]},
}


class DarkCornerGuard(OutlierMixin, BaseEstimator):
    """A guard that accepts images with a dark corner."""

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        corners = [np.asarray(Image.open(io.BytesIO(file)))[:4, :4] for file in X]
        return np.array([1 if corner.mean() < 40 else -1 for corner in corners])


class CountingModel(ServedModel):
    """Counts how often the model is called."""

    n_passes = 0

    def predict_files(self, files, *, guard=True):
        self.n_passes += 1
        return super().predict_files(files, guard=guard)


@pytest.fixture(scope="session")
def scans():
    """Phantoms; not to be changed."""
    return make_brain_mri(16, image_size=64, random_state=0)


@pytest.fixture(scope="session")
def fitted(scans):
    """A pipeline without guard and metadata; not to be changed."""
    clf = SimpleCNNClassifier(filters=(4, 8), epochs=2, random_state=0)
    return make_mri_pipeline(clf, image_size=32).fit(scans.data, scans.target)


@pytest.fixture
def make_model(fitted):
    """Serve the fitted pipeline with metadata, and with a guard if given."""

    def make(metadata=METADATA, guard=None, **changes):
        metadata = {**metadata, **changes}
        abstention = metadata.get("abstention")
        model = SelectiveClassifier(
            FrozenEstimator(fitted),
            None if guard is None else FrozenEstimator(guard),
            abstention and abstention["threshold"],
        ).fit(None, None)  # all of it is frozen
        model.metadata_ = metadata
        return CountingModel(model, "model.btc")

    return make


@pytest.fixture(scope="session")
def make_upload():
    """An upload of an array or of bytes."""
    count = iter(range(10**6))

    def make(content, name="scan.png", format="PNG"):
        if not isinstance(content, bytes):
            file = io.BytesIO()
            Image.fromarray(content).save(file, format=format)
            content = file.getvalue()
        return Upload(f"key-{next(count)}", name, content)

    return make
