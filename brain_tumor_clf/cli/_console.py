"""What goes to the terminal: results to stdout, everything else to stderr."""

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import typer

_shown = set()


def console():
    """The console of results."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def error_console():
    """The console of progress, notes, warnings and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def note(text):
    """Say what is going on, on stderr."""
    error_console().print(text, style="dim", markup=False, soft_wrap=True)


def print_warning(text):
    """A warning in one line on stderr."""
    _print_labelled("Warning", "yellow", text)


def print_error(text):
    """An error in one line on stderr."""
    _print_labelled("Error", "bold red", text)


def show_warning(message, category, filename, lineno, file=None, line=None):
    """Show a Python warning once, as a line without the place in the code."""
    text = str(message).strip()
    if text not in _shown:
        _shown.add(text)
        print_warning(text)


@contextmanager
def progress(description, total):
    """A progress bar on the terminal: yields a function to call after each step."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    out = error_console()
    shown = {"transient": True, "disable": not out.is_terminal}
    with Progress(*columns, console=out, **shown) as bar:
        task = bar.add_task(description, total=total)

        def advance(n=1, description=None):
            bar.update(task, advance=n, description=description)

        yield advance


def write_text(text, path):
    """Write text to a file, or to stdout where the path is ``-``."""
    if str(path) == "-":
        sys.stdout.write(text)
        return
    Path(path).write_text(text, encoding="utf-8")


def write_json(document, path):
    """Write a document as JSON to a file, or to stdout where the path is ``-``."""
    write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", path)


def check_writable(path, option):
    """Refuse a path for output before an hour of training, not after it."""
    if path is None or str(path) == "-":
        return
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file.", param_hint=option)
    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(
            f"the folder {path.absolute().parent} does not exist.", param_hint=option
        )


def _print_labelled(label, style, text):
    from rich.text import Text

    line = Text.assemble((f"{label}: ", style), text)
    error_console().print(line, soft_wrap=True)
