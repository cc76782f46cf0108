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
from datetime import timedelta
from importlib.util import find_spec
from math import isfinite
from time import monotonic

import typer

from brain_tumor_clf._files import written_beside

RESEARCH_ONLY = "Research only; not a medical device."
_DEBUG = "BRAIN_TUMOR_CLF_DEBUG"
_LINE_SECONDS = 60  # between lines that stand for a progress bar
_shown_warnings = set()
# Of rows by their state; a state that is not here is a doubt.
_STYLES = {"classified": "", "unreadable": "red", "details": "dim"}


def console(document=None):
    """Return the console of results: stderr if a document goes to stdout ("-")."""
    from rich.console import Console

    return Console(stderr=str(document) == "-", highlight=False)


def error_console():
    """Return the console of progress, notes, warnings and errors."""
    return console("-")


def say(text, out=None, style=None):
    """Print a line that may hold paths, to stdout or the given console."""
    (out or console()).print(text, style=style, markup=False, soft_wrap=True)


def note(text):
    """Print what is going on, to stderr."""
    say(text, error_console(), "dim")


def print_table(columns, rows, summary):
    """Print a table, its summary and the last line of every report.

    Each row is its cells and its state; probabilities stand on the right.
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
    for *cells, state in rows:  # plain text: names of files may hold brackets
        style = _STYLES.get(state, "yellow")
        table.add_row(*(Text(str(cell)) for cell in cells), style=style)
    console().print(table)
    say(summary)
    say(RESEARCH_ONLY, style="dim")


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


def count(n, noun, plural=None):
    """Return a number with its noun: "1 scan", "2,000 scans"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


class InterruptionError(Exception):
    """Ctrl-C was pressed; the message says what is kept and how to go on."""


@contextmanager
def kept_if_interrupted(text):
    """Raise `InterruptionError` with a text when Ctrl-C is pressed inside."""
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptionError(text) from None


@contextmanager
def progress(description, total):
    """Show a progress bar; yield a function to call after each step.

    Where there is no terminal, a line a minute stands for it.
    """
    from rich import progress as bars

    columns = (
        *("{task.description}", bars.BarColumn(bar_width=24)),
        *(bars.MofNCompleteColumn(), "elapsed", bars.TimeElapsedColumn()),
        *("remaining", bars.TimeRemainingColumn()),
    )
    out = error_console()
    options = {"transient": True, "disable": not out.is_terminal}
    with bars.Progress(*columns, console=out, **options) as bar:
        task = bar.add_task(description, total=total)
        start = last = monotonic()
        done = 0

        def advance(n=1, description=None):
            nonlocal done, last
            done += n
            bar.update(task, advance=n, description=description)
            if bar.disable and monotonic() - last >= _LINE_SECONDS:
                last = monotonic()
                elapsed = timedelta(seconds=round(last - start))
                remaining = elapsed * (total - done) // done
                remaining -= timedelta(microseconds=remaining.microseconds)
                note(f"{done:,} of {total:,}, elapsed {elapsed}, remaining {remaining}")

        yield advance


def write_text(text, path, out=None):
    """Write text to a file and say so on `out`, or to stdout where the path is "-".

    Names of files that are not valid UTF-8 are written as the bytes that they are.
    """
    if str(path) == "-":
        sys.stdout.write(text)
        return
    with written_beside(path) as partial:
        partial.write_bytes(text.encode("utf-8", "surrogateescape"))
    say(f"Wrote {path}", out)


def write_json(document, path, out=None):
    """Write a document as JSON to a file, or to stdout where the path is "-"."""
    document = _without_nan({**document, "notice": RESEARCH_ONLY})
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    # What is not valid UTF-8 in names of files becomes escapes, which JSON has.
    text = text.encode("utf-8", "backslashreplace").decode()
    write_text(text + "\n", path, out)


def _without_nan(value):
    """Return plain data with None for NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def check_writable(path):
    """Return an output path if it can be written; else refuse it before the work.

    A callback of options.
    """
    if path is None or str(path) == "-":
        return path
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
        raise typer.BadParameter(problem)
    return path


def show_report(out, report, html_file, json_file=None, title=None):
    """Print a report; write it as HTML and JSON, where files are named for them."""
    report.print(out, title=title)
    if json_file is not None:
        write_json(report.to_dict(), json_file, out)
    if html_file is not None:
        report.to_html(html_file)
        say(f"Wrote {html_file}", out)


def require_extra(extra, *packages):
    """Raise a ModuleNotFoundError that says how to install what is missing."""
    missing = [name for name in packages if find_spec(name) is None]
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
