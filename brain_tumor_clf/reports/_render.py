"""A report as HTML, as Markdown and on a terminal, all from the same blocks."""

import base64
import io
from functools import cache
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from brain_tumor_clf._files import written_beside
from brain_tumor_clf.inspection import require_pyplot

RESEARCH_ONLY = "Research only; not a medical device."
# Severity -> word and sign, so that color is never the only carrier.
SEVERITIES = {
    "severe": ("Severe", "\N{BLACK UP-POINTING TRIANGLE}"),
    "warning": ("Warning", "\N{BLACK CIRCLE}"),
    "note": ("Note", "\N{INFORMATION SOURCE}"),
    "good": ("Good", "\N{CHECK MARK}"),
}
_STYLES = {"severe": "bold red", "warning": "yellow", "note": "blue", "good": "green"}
_MISSING = "\N{EN DASH}"
_MAX_LINES = 20  # of a list on a terminal


class Estimate(NamedTuple):
    """A cell of a table: a value and its interval."""

    value: float
    low: float
    high: float

    def text(self, decimals):
        """Return value and interval, without what is not defined."""
        value, low, high = (f"{x:.{decimals}f}" for x in self)
        if np.isnan(self.value):
            return _MISSING
        return value if np.isnan(self.low) else f"{value} ({low}-{high})"


def estimates(table, columns=("value", "low", "high")):
    """Return the estimates whose value and ends of the interval are in columns."""
    return [Estimate(*row) for row in table[list(columns)].to_numpy(float)]


class _Cell(NamedTuple):
    text: str
    is_number: bool
    share: float | None = None  # length of its bar


def table_cells(table, *, is_brief=False):
    """Return a `Table` as a row of heads and rows of cells, all of them text.

    A brief table leaves out detail columns, and has two decimals of several estimates.
    """
    frame = table.frame.reset_index() if table.frame.index.name else table.frame
    if is_brief:
        frame = frame.drop(columns=list(table.detail_columns))
    numeric = {name: pd.api.types.is_numeric_dtype(frame[name]) for name in frame}
    n_estimates = sum(_has_estimates(frame[name]) for name in frame)
    n_decimals = 2 if is_brief and n_estimates > 1 else 3
    heads, columns = [], []
    for name in frame:
        decimals = _n_decimals(frame[name]) if numeric[name] else n_decimals
        is_number = numeric[name] or _has_estimates(frame[name])
        heads.append(_Cell(str(name).replace("_", " "), is_number))
        texts = [_text(x, decimals, name in table.percent) for x in frame[name]]
        shares = [None] * len(frame)
        if name in table.bars:
            shares = frame[name].fillna(0).clip(0, 1)
        cells = zip(texts, shares, strict=True)
        columns.append([_Cell(text, is_number, share) for text, share in cells])
    return heads, list(zip(*columns, strict=True))


def _has_estimates(column):
    return any(isinstance(value, Estimate) for value in column)


def _n_decimals(column):
    largest = np.nanmax(np.abs(column.dropna().to_numpy(float)), initial=0)
    return 3 if largest < 10 else 1 if largest < 1000 else 0


def _text(value, decimals, is_percent):
    if isinstance(value, Estimate):
        return value.text(decimals)
    if pd.isna(value):
        return _MISSING
    if is_percent:
        return f"{100 * value:.1f} %"
    if isinstance(value, Integral) and not isinstance(value, (bool, np.bool_)):
        return f"{value:,}"
    return f"{value:,.{decimals}f}" if isinstance(value, Real) else str(value)


def to_html(report, path=None):
    """Return a report as one HTML page, written to a file if there is a path."""
    text = _rendered("html", report, report.blocks, is_page=True)
    if path is not None:
        with written_beside(path) as partial:
            # Names of files that are not valid UTF-8 are shown with a "?".
            partial.write_text(text, encoding="utf-8", errors="replace")
    return text


def to_fragment(report):
    """Return what a notebook shows: no page around it, no pictures, no details."""
    return _rendered("html", report, report.short())


def _rendered(form, report, blocks, **options):
    template = _templates().get_template(f"report.{form}")
    return template.render(report=report, blocks=blocks, **options).lstrip()


@cache
def _templates():
    environment = Environment(
        loader=PackageLoader("brain_tumor_clf.reports"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "picture_uri": picture_uri,
        "research_only": RESEARCH_ONLY,
        "severities": SEVERITIES,
        "table_cells": table_cells,
    }
    return environment


def picture_uri(picture):
    """Return a PIL image or a matplotlib Figure, which is closed, as a URI of PNG."""
    buffer = io.BytesIO()
    if hasattr(picture, "savefig"):
        picture.savefig(buffer, format="png", dpi=120, bbox_inches="tight")
        require_pyplot().close(picture)
    else:
        picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def to_markdown(report):
    """Return a report as Markdown."""
    return _rendered("md", report, report.blocks) + "\n"


def to_console(report, console=None, title=None):
    """Print a report on a terminal of 80 columns."""
    console = console or Console(highlight=False)
    stream = console.file
    is_strict = getattr(stream, "errors", None) == "strict"
    if is_strict:  # names of files may not be valid UTF-8
        stream.reconfigure(errors="surrogateescape")
    plain = {"markup": False, "soft_wrap": True}
    console.print(f"{title or report.title}\n", style="bold", **plain)
    for block in report.short():
        if block.title:
            console.print(block.title, style="italic", **plain)
        if block.note:
            console.print(block.note, style="dim", markup=False)
        _print_block(console, block)
    console.print(RESEARCH_ONLY, style="dim")
    if is_strict:
        stream.reconfigure(errors="strict")


def _print_block(console, block):
    match block.kind:
        case "text":
            _print_lines(console, block)
        case "findings":
            for finding in block.findings:
                _print_finding(console, finding)
        case "table":
            console.print(_console_table(block))


def _print_lines(console, block):
    shown = block.lines[:_MAX_LINES]
    if block.is_code or block.is_long:
        console.print("\n".join(shown), markup=False, soft_wrap=True)
    else:
        console.print(_pairs([("-", x) if isinstance(x, str) else x for x in shown]))
    n_more = len(block.lines) - len(shown)
    console.print(f"and {n_more:,} more\n" if n_more else "")


def _pairs(rows):
    """Return a grid of heads with texts beside them that stay in their column."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return grid


def _print_finding(console, finding):
    word = SEVERITIES[finding.severity][0].ljust(7)
    rows = [(Text(word, _STYLES[finding.severity]), Text(finding.title, "bold"))]
    rows += [("", finding.detail)] if finding.detail else []
    console.print(_pairs(rows))
    for line in finding.fix.splitlines():
        # Whole lines: they are there to be copied.
        console.print(Padding(Text(line, "dim"), (0, 0, 0, 4)), soft_wrap=True)
    console.print()


def _console_table(block):
    heads, rows = table_cells(block, is_brief=True)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for i, head in enumerate(heads):
        grid.add_column(
            Text(head.text),
            justify="right" if head.is_number else "left",
            no_wrap=i == 0,
            min_width=max(map(len, head.text.split()), default=0),
        )
    for row in rows:
        # Plain text: names of classes may hold brackets.
        grid.add_row(*(Text(cell.text) for cell in row))
    return grid
