"""What the README and the guides show runs, and what they list is what there is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from brain_tumor_clf import write_brain_mri
from brain_tumor_clf.networks import BACKBONES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Settings of the pages, made small: names and structure are what is tested.
SMALLER = [
    (r"\bepochs=\d+", "epochs=1"),
    (r"image_size=(\d+|\(\d+, \d+\))", "image_size=32"),
    (r"n_samples=\d+", "n_samples=24"),
    (r"StratifiedGroupKFold\(\d+", "StratifiedGroupKFold(2"),
    (r"n_jobs=2", "n_jobs=1"),
]
# Tracing a backbone costs several times what a step or two of training does.
UNTRACED = """\
import keras
if keras.backend.backend() == "tensorflow":
    import tensorflow
    tensorflow.config.run_functions_eagerly(True)
"""
BLOCK = re.compile(r"(<!-- not run[^>]*-->\n)?```python\n(.*?)```", re.DOTALL)


def python_of(page):
    blocks = [code for skip, code in BLOCK.findall(page.read_text()) if not skip]
    code = "\n".join(blocks)
    for pattern, small in SMALLER:
        code = re.sub(pattern, small, code)
    return code


def with_python():
    return [page for page in PAGES if python_of(page)]


@pytest.mark.slow
@pytest.mark.parametrize("page", with_python(), ids=lambda page: page.stem)
def test_python_of_page_runs(page, kaggle_folder, tmp_path):
    write_brain_mri(tmp_path / "scans", 48, image_size=32, random_state=0)
    done = subprocess.run(
        [sys.executable, "-c", UNTRACED + python_of(page)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def anchors_of(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def test_links_lead_somewhere():
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            if "://" in target:
                continue
            if not file.exists() or (anchor and anchor not in anchors_of(file)):
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_table_of_backbones_is_the_table():
    text = (ROOT / "docs" / "classifiers.md").read_text()
    for name, row in BACKBONES.items():
        source = "download" if row.url else "in the package"
        expected = (
            f"| {name} | {row.default_size} | {row.min_size} | {row.learning_rate:g} "
            f"| {row.n_blocks} | `{row.last_conv}` | {source} |"
        )
        assert expected in text
    listed = text.split("compares this table with BACKBONES -->\n")[1].split("\n\n")[0]
    assert len(listed.splitlines()) == 2 + len(BACKBONES)


def commands():
    """Each ``brain-tumor-clf`` command of the pages, as words."""
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        for line in re.findall(r"^(?:.*&& )?brain-tumor-clf (.*)$", text, re.MULTILINE):
            yield line.split("#")[0].split()


def test_command_lines_use_options_that_exist():
    by_command = {}
    for command, *words in commands():
        options = {word for word in words if word.startswith("-")}
        by_command.setdefault(command, set()).update(options)
    assert {"demo", "train", "evaluate", "predict", "info"} <= set(by_command)
    for command, options in by_command.items():
        if command.isupper():
            continue
        done = subprocess.run(
            [sys.executable, "-m", "brain_tumor_clf.cli", command, "--help"],
            env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        missing = {
            o for o in options if o not in re.findall(r"-{1,2}[\w-]+", done.stdout)
        }
        assert not missing, (command, missing)
