"""What goes to the terminal: results to stdout, everything else to stderr."""

from contextlib import contextmanager

RESEARCH_ONLY = "Research only; not a medical device."
_shown = set()


def console(*documents):
    """The console of results: stdout, or stderr where a document goes to stdout.

    Parameters
    ----------
    *documents : path or None
        Where documents are written; ``-`` is stdout.
    """
    from rich.console import Console

    if any(str(path) == "-" for path in documents):
        return error_console()
    return Console(highlight=False, soft_wrap=False)


def error_console():
    """The console of progress, notes, warnings and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def note(text):
    """Say what is going on, on stderr."""
    error_console().print(text, style="dim", markup=False, soft_wrap=True)


def print_research_only(out):
    """The last line of every report."""
    out.print(RESEARCH_ONLY, style="dim")


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


def _print_labelled(label, style, text):
    from rich.text import Text

    line = Text.assemble((f"{label}: ", style), text)
    error_console().print(line, soft_wrap=True)
