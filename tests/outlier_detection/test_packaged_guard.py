"""The guard of the packaged model on real scans and on what is none."""

import numpy as np
import pytest

from brain_tumor_clf import (
    ImageReader,
    load_pretrained,
    make_brain_mri,
    write_brain_mri,
)

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept:DeprecationWarning"
    ),
]


@pytest.fixture(scope="module")
def guard():
    return load_pretrained().guard_


@pytest.fixture(scope="module")
def native(real_mri_dir):
    paths = sorted((real_mri_dir / "native-size-sample").glob("*/*.jpg"))
    if not paths:
        pytest.skip("there is no native-size-sample")
    return list(ImageReader().transform([str(path) for path in paths]))


def test_real_scans_pass_upright_and_turned(guard, native):
    turned = [np.ascontiguousarray(np.rot90(image)) for image in native]
    assert (guard.predict(native) == 1).mean() >= 0.98
    assert (guard.predict(turned) == 1).mean() >= 0.98


def test_inverted_scans_are_refused(guard, native):
    assert (guard.predict([255 - image for image in native]) == -1).mean() >= 0.95


def test_what_is_no_scan_is_refused(guard):
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(0, 255, 224).astype(np.uint8), (224, 1))
    blank = [np.full((224, 224), level, np.uint8) for level in (0, 90, 255)]
    noise = [rng.integers(0, 256, (224, 200), dtype=np.uint8) for _ in range(5)]
    phantoms = list(make_brain_mri(40, 224, random_state=7).data)
    others = [*blank, *noise, ramp, ramp.T.copy(), *phantoms]
    assert (guard.predict(others) == -1).all()


def test_phantoms_in_files_are_refused(guard, tmp_path):
    files = write_brain_mri(tmp_path / "phantoms", 60, random_state=3)
    assert (guard.predict(files.data) == -1).mean() >= 0.99
