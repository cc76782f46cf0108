"""Fixtures that every room's tests share."""

import gc
import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _fast_collections():
    """Leave imported modules out of garbage collections, of which each fit runs one."""
    if "keras" in sys.modules:
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def _no_open_figures():
    """Close the figures that a test left open, before another counts them."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def real_mri_dir():
    """The folder of real scans, `BRAIN_TUMOR_MRI_DIR`; tests skip without it."""
    path = os.environ.get("BRAIN_TUMOR_MRI_DIR")
    if not path:
        pytest.skip("BRAIN_TUMOR_MRI_DIR names no folder of real scans")
    return Path(path)
