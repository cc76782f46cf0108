"""Write tensorflow.btc and tensorflow.npz, which test_other_backends.py reads.

To be run under TensorFlow, from the root of the repository, when the file format
changes::

    KERAS_BACKEND=tensorflow python tests/backends/data/make_tensorflow_file.py
"""

from pathlib import Path

import keras
import numpy as np

from brain_tumor_clf import SimpleCNNClassifier, make_mri_pipeline, save

HERE = Path(__file__).parent


def main():
    """Fit a tiny pipeline and save it beside its images and probabilities."""
    if keras.backend.backend() != "tensorflow":
        raise SystemExit("Run this with KERAS_BACKEND=tensorflow.")
    images = np.random.default_rng(0).integers(0, 256, (12, 16, 16), dtype="uint8")
    labels = np.array(["glioma", "meningioma", "notumor", "pituitary"] * 3)
    clf = SimpleCNNClassifier((2, 3), dense_units=4, epochs=2, random_state=0)
    pipe = make_mri_pipeline(clf, image_size=12, crop=False).fit(images, labels)
    save(pipe, HERE / "tensorflow.btc")
    np.savez_compressed(
        HERE / "tensorflow.npz", images=images, proba=pipe.predict_proba(images)
    )


if __name__ == "__main__":
    main()
