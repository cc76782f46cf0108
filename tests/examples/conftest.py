"""Run a program of the repository as its user does."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from brain_tumor_clf import write_brain_mri

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_program(tmp_path):
    """Run ``folder/name.py`` in an empty folder; its standard output."""

    def run(program, *arguments):
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, ROOT / program, *map(str, arguments)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def kaggle_folder(tmp_path):
    """Phantoms laid out as the Kaggle set: Training and Testing, with groups.csv."""
    folder = tmp_path / "archive"
    tables = []
    for name, seed in [("Training", 0), ("Testing", 1)]:
        write_brain_mri(folder / name, 24, image_size=32, random_state=seed)
        table = pd.read_csv(folder / name / "groups.csv")
        (folder / name / "groups.csv").unlink()
        table["file"] = name + "/" + table["file"]
        table["group"] = name + "-" + table["group"].astype(str)
        tables.append(table)
    pd.concat(tables).to_csv(folder / "groups.csv", index=False)
    return folder
