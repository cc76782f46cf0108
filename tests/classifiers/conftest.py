"""Small phantoms and the smallest network that learns something from them."""

import pytest

from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri


@pytest.fixture(scope="session")
def phantoms():
    """48 phantoms of 24x24 pixels, four classes, several slices a patient."""
    return make_brain_mri(n_samples=48, image_size=(24, 24), random_state=0)


def make_tiny(**params):
    defaults = {"filters": (4, 8), "dense_units": 8, "epochs": 2, "random_state": 0}
    return SimpleCNNClassifier(**{**defaults, **params})


@pytest.fixture(scope="session")
def tiny():
    """A function that makes a tiny classifier."""
    return make_tiny


@pytest.fixture(scope="session")
def fitted(phantoms):
    """A tiny classifier after two epochs; tests must not change it."""
    return make_tiny().fit(phantoms.data, phantoms.target)


@pytest.fixture(scope="session")
def fitted_two(phantoms):
    """Likewise of two classes: whether there is a tumor."""
    return make_tiny().fit(phantoms.data, phantoms.target == "notumor")
