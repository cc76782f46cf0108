"""Write tensorflow.btc and tensorflow.json, which test_other_backends.py reads.

To be run under TensorFlow and the oldest Keras that the package admits, so that every
later one must read it, from the root of the repository, when the file format
changes::

    KERAS_BACKEND=tensorflow python -m tests.backends.data.make_tensorflow_file
"""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np

from brain_tumor_clf import SimpleCNNClassifier, make_mri_pipeline, save

HERE = Path(__file__).parent


def make_images():
    """Twelve images of noise, 16x16, the same in every run."""
    return np.random.default_rng(0).integers(0, 256, (12, 16, 16), dtype="uint8")


def digest(images):
    """What says that two arrays of images are the same."""
    return hashlib.sha256(images.tobytes()).hexdigest()


def main():
    """Fit a tiny pipeline and save it beside its probabilities."""
    if keras.backend.backend() != "tensorflow":
        raise SystemExit("Run this with KERAS_BACKEND=tensorflow.")
    images = make_images()
    labels = np.array(["glioma", "meningioma", "notumor", "pituitary"] * 3)
    clf = SimpleCNNClassifier((2, 3), dense_units=4, epochs=2, random_state=0)
    pipe = make_mri_pipeline(clf, image_size=12, crop=False).fit(images, labels)
    save(pipe, HERE / "tensorflow.btc")
    expected = {"images": digest(images), "proba": pipe.predict_proba(images).tolist()}
    (HERE / "tensorflow.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
