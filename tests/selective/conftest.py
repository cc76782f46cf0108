"""A small selective classifier, and files that it reads."""

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf import (
    ScanGuard,
    SelectiveClassifier,
    SimpleCNNClassifier,
    make_mri_pipeline,
    write_brain_mri,
)


@pytest.fixture(scope="session")
def scans(tmp_path_factory):
    """Phantoms in files; not to be changed."""
    folder = tmp_path_factory.mktemp("selective") / "scans"
    return write_brain_mri(folder, 24, image_size=48, random_state=0)


@pytest.fixture(scope="session")
def model(scans):
    """A fitted model with a guard and a threshold that half of the scans miss."""
    cnn = SimpleCNNClassifier(filters=(4, 8), epochs=2, random_state=0)
    pipe = make_mri_pipeline(cnn, image_size=24)
    model = SelectiveClassifier(pipe, guard=ScanGuard(pipe))
    model.fit(list(scans.data), scans.target)
    threshold = np.median(model.predict_proba(list(scans.data)).max(axis=1))
    model.threshold = model.threshold_ = float(threshold)
    return model


@pytest.fixture(scope="session")
def files(scans, tmp_path_factory):
    """Four scans, noise, a broken file, one that is missing, and a scan again."""
    folder = tmp_path_factory.mktemp("files")
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    (folder / "broken.png").write_text("no image")
    paths = [*map(str, scans.data[:4]), str(folder / "noise.png")]
    return [*paths, folder / "broken.png", str(folder / "no.png"), str(scans.data[0])]
