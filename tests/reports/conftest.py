"""Phantoms, and an audit of a data set that leaks."""

import numpy as np
import pytest

from brain_tumor_clf import audit_dataset, make_brain_mri
from tests.reports.audits import save


@pytest.fixture(scope="session")
def scans():
    return make_brain_mri(
        n_samples=32, image_size=(64, 64), slices_per_patient=1, random_state=0
    )


@pytest.fixture(scope="session")
def leaky(scans, tmp_path_factory):
    """Sixteen training images, and eight test images of which four are copies."""
    folder = tmp_path_factory.mktemp("leaky")
    X = scans.data
    X_test = [
        X[0],  # exact
        save(X[1], folder / "near.jpg", quality=40),
        X[2][:, ::-1],  # mirrored
        np.repeat(X[3][:, :, None], 3, axis=2),  # exact, though it is RGB
        *X[16:20],
    ]
    y_test = [*scans.target[:4], *scans.target[16:20]]
    return audit_dataset(X[:16], scans.target[:16], X_test, y_test)
