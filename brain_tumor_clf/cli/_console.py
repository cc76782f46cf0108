"""What all commands share: the terminal, the files they write, and Keras' start.

Results go to stdout, everything else to stderr.
"""

import json
import logging
import os
import re
import sys
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from math import isfinite

import typer

from brain_tumor_clf._files import written_beside

RESEARCH_ONLY = "Research only; not a medical device."
PLOTS = {"matplotlib": "matplotlib"}
_DEBUG = "BRAIN_TUMOR_CLF_DEBUG"
_shown_warnings = set()


def console(document=None):
    """Return the console of results: stderr if a document goes to stdout ("-")."""
    from rich.console import Console

    return Console(stderr=str(document) == "-", highlight=False)


def error_console():
    """Return the console of progress, notes, warnings and errors."""
    return console("-")


def note(text):
    """Print what is going on, to stderr."""
    error_console().print(text, style="dim", markup=False, soft_wrap=True)


def print_table(columns, rows, summary):
    """Print a table, its summary and the last line of every report.

    Each row is its cells and its style; probabilities stand on the right.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        number = name == "probability"
        table.add_column(
            name, justify="right" if number else "left", overflow="fold", no_wrap=number
        )
    for *cells, style in rows:  # plain text: names of files may hold brackets
        table.add_row(*(Text(str(cell)) for cell in cells), style=style)
    out = console()
    out.print(table)
    out.print(summary)
    out.print(RESEARCH_ONLY, style="dim")


def print_error(text, label="Error", style="bold red"):
    """Print an error, or what the label says, in one line to stderr."""
    from rich.text import Text

    line = Text.assemble((f"{label}: ", style), text)
    error_console().print(line, soft_wrap=True)


def print_warning(text):
    """Print a warning in one line to stderr."""
    print_error(text, "Warning", "yellow")


def show_warning(message, category, filename, lineno, file=None, line=None):
    """Show a Python warning once, in one line, without its place in the code."""
    text = str(message).strip()
    if text not in _shown_warnings:
        _shown_warnings.add(text)
        print_warning(text.replace("ImageReader(frame=…)", "predict --frame"))


def fit_advice(reason):
    """Replace advice for programs in a reason why a file cannot be read."""
    reason = reason.replace("ImageReader(frame=…)", "--frame")
    reason = reason.replace("got frame=", "got --frame ")
    return re.sub(r"[;:] (pass|if it is genuine|load_mri_folder|\w+\()\b.*", "", reason)


@contextmanager
def progress(description, total):
    """Show a progress bar; yield a function to call after each step."""
    from rich import progress as bars

    columns = (
        *("{task.description}", bars.BarColumn(bar_width=24)),
        *(bars.MofNCompleteColumn(), bars.TimeElapsedColumn()),
    )
    out = error_console()
    options = {"transient": True, "disable": not out.is_terminal}
    with bars.Progress(*columns, console=out, **options) as bar:
        task = bar.add_task(description, total=total)

        def advance(n=1, description=None):
            bar.update(task, advance=n, description=description)

        yield advance


def write_text(text, path):
    """Write text to a file, or to stdout where the path is "-".

    Names of files that are not valid UTF-8 are written as the bytes that they are.
    """
    if str(path) == "-":
        sys.stdout.write(text)
        return
    with written_beside(path) as partial:
        partial.write_bytes(text.encode("utf-8", "surrogateescape"))


def write_json(document, path):
    """Write a document as JSON to a file, or to stdout where the path is "-"."""
    document = _without_nan({**document, "notice": RESEARCH_ONLY})
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    # What is not valid UTF-8 in names of files becomes escapes, which JSON has.
    text = text.encode("utf-8", "backslashreplace").decode()
    write_text(text + "\n", path)


def _without_nan(value):
    """Return plain data with None for NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def check_writable(path, option):
    """Refuse an output path before the work starts, rather than at its end."""
    if path is None or str(path) == "-":
        return
    folder, problem = path.absolute().parent, None
    try:  # permissions do not tell: a disk may be read-only; nothing is changed
        if path.is_dir():
            problem = f"{path} is a folder; name a file."
        elif not folder.is_dir():
            problem = f"the folder {folder} does not exist."
        elif path.is_file():
            path.open("ab").close()
        elif not path.exists():  # a pipe would take the test for all there is
            tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}."
    if problem:
        raise typer.BadParameter(problem, param_hint=option)


def check_outputs(html_file, json_file, needs_plots=True):
    """Refuse what cannot be written of a report before the work starts."""
    if html_file is not None:
        if str(html_file) == "-":
            raise typer.BadParameter("name a file for the page.", param_hint="--html")
        if needs_plots:
            require_extra("plots", PLOTS)
    check_writable(html_file, "--html")
    check_writable(json_file, "--json")


def show_report(out, report, html_file, json_file=None, title=None):
    """Print a report; write it as HTML and JSON, where files are named for them."""
    report.print(out, title=title)
    if html_file is not None:
        report.to_html(html_file)
        out.print(f"Wrote {html_file}", soft_wrap=True, markup=False)
    if json_file is not None:
        write_json(report.to_dict(), json_file)


def require_extra(extra, packages):
    """Raise a ModuleNotFoundError that says how to install what is missing.

    `packages` maps names of modules to names of packages.
    """
    missing = [name for module, name in packages.items() if find_spec(module) is None]
    if missing:
        raise ModuleNotFoundError(
            f"this needs {' and '.join(missing)}: pip install "
            f"'brain-tumor-clf[{extra}]'"
        )


def silence_backends(debug):
    """Set the environment variables that libraries read once, when imported."""
    os.environ.setdefault("MPLBACKEND", "agg")  # pictures go to files
    if debug:
        os.environ[_DEBUG] = "1"
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


def start_backend():
    """Import Keras and its backend, which takes seconds, without their messages."""
    debug, terminal = _DEBUG in os.environ, os.dup(2)
    with open(os.devnull, "wb") as nothing:
        if not debug:
            # TensorFlow 2.21 prints two notes on rounding before it reads a setting.
            os.dup2(nothing.fileno(), 2)
        try:
            # skops searches all loaded modules when imported: few before Keras.
            import skops.io  # noqa: F401  # isort: skip

            import keras

            keras.config.backend()
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
    if not debug:
        # It warns of retracing, which cross-validation cannot avoid.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
