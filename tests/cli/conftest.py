"""Phantom folders, a trained model, and the installed script run as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from brain_tumor_clf import write_brain_mri

SCRIPT = Path(sys.executable).with_name("brain-tumor-clf")


def run_script(*args, cwd=None):
    """Run the installed console script in a terminal of 80 columns."""
    env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    env.pop("BRAIN_TUMOR_CLF_DEBUG", None)
    return subprocess.run(
        [SCRIPT, *map(str, args)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=env,
        check=False,
    )


@pytest.fixture(scope="session")
def cli():
    """The command line: a function of its arguments."""
    return run_script


@pytest.fixture(scope="session")
def scans_dir(tmp_path_factory):
    """A folder of phantoms with a groups.csv; not to be changed."""
    folder = tmp_path_factory.mktemp("data") / "scans"
    write_brain_mri(folder, 16, image_size=32, random_state=0)
    return folder


@pytest.fixture(scope="session")
def trained(scans_dir, tmp_path_factory):
    """What `train` with cross-validation printed and wrote."""
    folder = tmp_path_factory.mktemp("trained")
    done = run_script(
        *("train", scans_dir, "-o", folder / "model.btc", "--image-size", 16),
        *("--epochs", 1, "--cv", 2, "--json", folder / "metrics.json", "--seed", 3),
    )
    return done, folder / "model.btc", folder / "metrics.json"
