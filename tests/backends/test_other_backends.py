"""What one Keras backend saves, another loads.

Tests marked `backend` (fit, predict, pickle, save, search) run under every backend; CI
runs them once more with ``KERAS_BACKEND=jax`` in an environment without TensorFlow.
"""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

from brain_tumor_clf import load
from brain_tumor_clf.exceptions import ModelVersionWarning
from tests.backends.data.make_tensorflow_file import digest, make_images

pytestmark = pytest.mark.backend

DATA = Path(__file__).parent / "data"


def test_the_backend_asked_for_is_the_one_that_runs():
    asked = os.environ.get("KERAS_BACKEND", "tensorflow")
    assert keras.backend.backend() == asked


def test_a_file_saved_under_tensorflow_loads():
    with warnings.catch_warnings():
        # The file stays while versions move on.
        warnings.simplefilter("ignore", ModelVersionWarning)
        pipe = load(DATA / "tensorflow.btc")
    saved = json.loads((DATA / "tensorflow.json").read_text())
    images = make_images()
    assert digest(images) == saved["images"]
    np.testing.assert_allclose(pipe.predict_proba(images), saved["proba"], atol=1e-5)
    assert np.ptp(saved["proba"]) > 0.01
    assert list(pipe.classes_) == ["glioma", "meningioma", "notumor", "pituitary"]


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="this is a run under TensorFlow"
)
def test_another_backend_never_starts_tensorflow():
    code = (
        "import sys, numpy as np\n"
        "from brain_tumor_clf import SimpleCNNClassifier\n"
        "X = np.zeros((4, 12, 12), dtype='uint8')\n"
        "clf = SimpleCNNClassifier((2,), dense_units=2, epochs=1)\n"
        "clf.fit(X, [0, 1, 0, 1]).predict(X)\n"
        "sys.exit('tensorflow' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
