"""Files that commands write, and the check before an hour of work that they can."""

import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import typer

from brain_tumor_clf.cli._console import RESEARCH_ONLY

PLOTS = {"matplotlib": "matplotlib"}


def write_text(text, path):
    """Write text to a file, or to stdout where the path is ``-``."""
    if str(path) == "-":
        sys.stdout.write(text)
        return
    Path(path).write_text(text, encoding="utf-8")


def write_json(document, path):
    """Write a document as JSON to a file, or to stdout where the path is ``-``."""
    document = {**document, "notice": RESEARCH_ONLY}
    write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", path)


def check_writable(path, option):
    """Refuse a path for output before an hour of training, not after it."""
    if path is None or str(path) == "-":
        return
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file.", param_hint=option)
    folder = path.absolute().parent
    if not folder.is_dir():
        raise typer.BadParameter(
            f"the folder {folder} does not exist.", param_hint=option
        )
    try:
        # Permissions do not tell: a disk may be read-only. Nothing is changed.
        if path.exists():
            path.open("ab").close()
        else:
            tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise typer.BadParameter(
            f"{path} cannot be written: {error.strerror}.", param_hint=option
        ) from error


def check_page(path, option="--html"):
    """As `check_writable`, for a page with pictures: a file, never stdout."""
    if path is None:
        return
    if str(path) == "-":
        raise typer.BadParameter("name a file for the page.", param_hint=option)
    check_writable(path, option)


def require_extra(extra, packages):
    """Raise an error that says how to install what is missing.

    Parameters
    ----------
    extra : str
        Extra of this package that installs them.
    packages : dict of str to str
        Name of the module -> name of the package.

    Raises
    ------
    ModuleNotFoundError
        If any is missing.
    """
    missing = [name for module, name in packages.items() if find_spec(module) is None]
    if missing:
        raise ModuleNotFoundError(
            f"this needs {' and '.join(missing)}: pip install "
            f"'brain-tumor-clf[{extra}]'"
        )
