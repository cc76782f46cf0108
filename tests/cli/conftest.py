"""Phantom folders, a trained model, and the command line as a user runs it."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image, ImageOps

from brain_tumor_clf import write_brain_mri

SCRIPT = Path(sys.executable).with_name("brain-tumor-clf")
RESEARCH_ONLY = "Research only; not a medical device."


def run_script(*args, cwd=None):
    """Run the installed console script in a terminal of 80 columns."""
    env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    env.pop("BRAIN_TUMOR_CLF_DEBUG", None)
    return subprocess.run(
        [SCRIPT, *map(str, args)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        cwd=cwd,
        env=env,
        check=False,
    )


def run_here(*args, cwd="."):
    """Run the command line in this process, which has imported Keras already."""
    from brain_tumor_clf.cli import _console, main

    out, err, status = io.StringIO(), io.StringIO(), None
    _console._shown_warnings.clear()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(cwd or "."),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        patch.setenv("COLUMNS", "80")
        patch.setenv("NO_COLOR", "1")
        warnings.simplefilter("default")
        try:
            main([*map(str, args)])
        except SystemExit as done:
            status = done.code
    os.environ.pop("BRAIN_TUMOR_CLF_DEBUG", None)
    return subprocess.CompletedProcess(args, status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def cli():
    """The command line in this process: a function of its arguments."""
    return run_here


@pytest.fixture(scope="session")
def script():
    """The installed script: as `cli`, some seconds slower."""
    return run_script


@pytest.fixture(scope="session")
def scans_dir(tmp_path_factory):
    """A folder of phantoms with a groups.csv; not to be changed."""
    folder = tmp_path_factory.mktemp("data") / "scans"
    write_brain_mri(folder, 16, image_size=32, random_state=0)
    return folder


@pytest.fixture(scope="session")
def sources_csv(scans_dir, tmp_path_factory):
    """A table of the phantoms in which each class has a patient of two sources."""
    table = pd.read_csv(scans_dir / "groups.csv").rename(columns={"file": "path"})
    numbers = table.groupby("label")["group"].rank(method="dense").astype(int)
    table["source"] = numbers.map({1: "north", 2: "south"})
    path = tmp_path_factory.mktemp("table") / "scans.csv"
    table.to_csv(path, index=False)
    return path


def add_copies(source, target, n_mirrored, n_exact=0):
    """Copy scans of each class of one folder to another, some of them mirrored.

    Returns the paths of the copies.
    """
    copies = []
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        scans = sorted(folder.iterdir())
        (target / folder.name).mkdir(parents=True, exist_ok=True)
        for i, path in enumerate(scans[: n_mirrored + n_exact]):
            copy = target / folder.name / f"copy-{path.stem}.png"
            with Image.open(path) as scan:
                (ImageOps.mirror(scan) if i < n_mirrored else scan).save(copy)
            copies.append(copy)
    return copies


@pytest.fixture(scope="session")
def archive_dir(scans_dir, tmp_path_factory):
    """Training and Testing without groups.

    8 of 24 test images have a copy in training: of each class one is mirrored, one
    equal in every pixel.
    """
    folder = tmp_path_factory.mktemp("archive")
    shutil.copytree(scans_dir, folder / "Training")
    write_brain_mri(folder / "Testing", 16, image_size=32, random_state=1)
    for split in ("Training", "Testing"):
        (folder / split / "groups.csv").unlink()
    add_copies(folder / "Training", folder / "Testing", 1, 1)
    return folder


@pytest.fixture(scope="session")
def copied_dir(scans_dir, tmp_path_factory):
    """16 phantoms and the mirror images of all of them; groups are not known."""
    folder = tmp_path_factory.mktemp("copied") / "scans"
    shutil.copytree(scans_dir, folder)
    (folder / "groups.csv").unlink()
    add_copies(scans_dir, folder, 4)
    return folder


@pytest.fixture(scope="session")
def trained(scans_dir, tmp_path_factory):
    """What `train` with cross-validation printed and wrote."""
    folder = tmp_path_factory.mktemp("trained")
    done = run_script(
        *("train", scans_dir, "-o", folder / "model.btc", "--image-size", 16),
        *("--epochs", 1, "--cv", 2, "--json", folder / "metrics.json", "--seed", 3),
        *("--html", folder / "report.html"),
    )
    return done, folder / "model.btc", folder / "metrics.json"
