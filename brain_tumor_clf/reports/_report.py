"""The model of a report, which each report fills once, and what all reports share."""

import importlib.metadata
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from brain_tumor_clf import __version__
from brain_tumor_clf.reports import _render

_PACKAGES = ("keras", "numpy", "pandas", "pillow", "scikit-learn", "scipy")
_BACKENDS = ("tensorflow", "jax", "torch")


class Finding(NamedTuple):
    """One thing that an audit found, what it means, and the call that corrects it.

    The severity is "severe", "warning", "note" or "good"; `fix` may be empty.
    """

    severity: str
    title: str
    detail: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A titled part of a report; terminals and notebooks leave out details."""

    title: str = ""
    note: str = ""
    is_detail: bool = False


@dataclass(frozen=True, kw_only=True)
class Text(Block):
    """Lines of text, not to be broken if code or long, or pairs of head and text."""

    kind = "text"
    lines: Sequence
    is_code: bool = False
    is_long: bool = False


@dataclass(frozen=True, kw_only=True)
class Table(Block):
    """A DataFrame; its index is shown if it has a name.

    `percent` are columns of shares; terminals leave out `detail_columns`.
    """

    kind = "table"
    frame: pd.DataFrame
    percent: Sequence[str] = ()
    bars: Sequence[str] = ()
    detail_columns: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Figure(Block):
    """Cards of pictures, made only when a page shows them.

    A card is a heading, a severity or None, and pairs of picture (or None) and caption.
    """

    kind = "figure"
    make_cards: Callable


@dataclass(frozen=True, kw_only=True)
class Findings(Block):
    """Findings, worst first."""

    kind = "findings"
    findings: Sequence[Finding]


@dataclass(frozen=True)
class Report:
    """A report: what every format is made from.

    Tiles at the top of a page are a figure, what it is, and a severity or None.
    """

    title: str
    blocks: Sequence[Block]
    subtitle: str = ""
    tiles: Sequence[tuple] = ()

    def short(self):
        """Return the blocks of terminals and notebooks: no details, no pictures."""
        return [b for b in self.blocks if not b.is_detail and b.kind != "figure"]


class BaseReport:
    """Base class of the three reports: every format is made from one `Report`.

    A subclass has a `protocol`, a method `_report`, which fills that, and a method
    `_draw`, which draws its figure on axes that are given or new, and returns them.
    """

    def plot(self, ax=None):
        """Draw the figure of the report. Needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            One for each panel; those of a new figure by default.

        Returns
        -------
        self
            With the attributes `axes_`, an array of the panels, and `figure_`.
        """
        self.axes_ = self._draw(ax)
        self.figure_ = self.axes_[0].figure
        return self

    def to_markdown(self):
        """Return the report as Markdown, a str."""
        return _render.to_markdown(self._report())

    def to_html(self, path=None):
        """Return the report as one HTML page that loads nothing from outside.

        Parameters
        ----------
        path : path-like, default=None
            File to write the page to.

        Returns
        -------
        str
            The page.
        """
        return _render.to_html(self._report(), path)

    def print(self, console=None, *, title=None):
        """Print the report, without pictures and details, in 80 columns or more.

        Parameters
        ----------
        console : rich.console.Console, default=None
            Where to print; standard output by default.
        title : str, default=None
            Title to print instead of the report's own.
        """
        _render.to_console(self._report(), console, title)

    def _repr_html_(self):
        return _render.to_fragment(self._report())

    def _computed_on(self):
        return Text(title="Computed on", lines=self.protocol.rows())

    def _figure(self, caption):
        """Return a block of the figure that `plot` draws."""
        return Figure(
            make_cards=lambda: [("", None, [(self._draw(None)[0].figure, caption)])]
        )


@dataclass(frozen=True)
class Protocol:
    """What a report was computed on, in words and numbers.

    `n` is the number of images scored, of `n_groups` groups; `notes` hold what else a
    reader must know, `versions` those of the installed packages.

    Examples
    --------
    >>> from brain_tumor_clf.reports import Protocol
    >>> Protocol("80 images", 80, 20, "given", "test set as given", 0).rows()[1]
    ('Groups', '20 (given)')
    """

    data: str
    n: int
    n_groups: int | None
    groups: str
    split: str
    seed: object
    notes: tuple = ()
    versions: dict = field(default_factory=lambda: _package_versions())

    def to_dict(self):
        """Return the protocol as plain data, ready for JSON."""
        return plain(asdict(self))

    def rows(self):
        """Return pairs of a heading and a text."""
        known = f"{self.n_groups:,} ({self.groups})" if self.n_groups else self.groups
        return [
            ("Images", self.data),
            ("Groups", known),
            ("Split", self.split),
            ("Seed", str(self.seed)),
            *(("Note", note) for note in self.notes),
            ("Versions", ", ".join(f"{k} {v}" for k, v in self.versions.items())),
        ]


def describe(n, groups, split, seed, notes):
    """Return the `Protocol` of `n` images of groups that are given, or not known."""
    n_groups = None if groups is None else len(np.unique(groups))
    known = "not known" if groups is None else "given"
    return Protocol(f"{n:,} images", n, n_groups, known, split, seed, tuple(notes))


def _package_versions():
    """Return versions of what computes reports, and of the backends in use."""
    # A backend is asked itself: it may be installed under another name (-cpu, -macos).
    used = {name: sys.modules[name] for name in _BACKENDS if name in sys.modules}
    return {
        "brain-tumor-clf": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        **{name: module.__version__ for name, module in used.items()},
    }


def records(table):
    """Return the rows of a table as plain data for JSON; None if there is no table."""
    if table is None:
        return None
    if table.index.name:
        table = table.reset_index()
    return [plain(row) for row in table.to_dict("records")]


def plain(value):
    """Return a value as JSON has it; None for what is not defined."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return None if value is pd.NA else str(value)
