"""A folder of phantoms and the cheapest pipeline over its paths."""

import pytest

from brain_tumor_clf import (
    SimpleCNNClassifier,
    load_mri_folder,
    make_mri_pipeline,
    write_brain_mri,
)


@pytest.fixture(scope="session")
def scans(tmp_path_factory):
    """48 files in four class folders: sorted by class, two slices a patient."""
    folder = tmp_path_factory.mktemp("phantoms")
    write_brain_mri(folder, n_samples=48, image_size=48, random_state=0)
    return load_mri_folder(folder)


@pytest.fixture(scope="session")
def make_pipe():
    """A function that makes a pipeline of paths around a tiny classifier."""

    def make(**params):
        defaults = {
            "filters": (4, 8),
            "dense_units": 8,
            "epochs": 1,
            "random_state": 0,
        }
        classifier = SimpleCNNClassifier(**{**defaults, **params})
        return make_mri_pipeline(classifier, image_size=24)

    return make


@pytest.fixture(scope="session")
def four(scans, make_pipe):
    """A pipeline fitted on the four classes."""
    return make_pipe(epochs=3).fit(scans.data, scans.target)


@pytest.fixture(scope="session")
def two(scans, make_pipe):
    """A pipeline fitted on tumor or not."""
    return make_pipe(epochs=3).fit(scans.data, scans.target != "notumor")
