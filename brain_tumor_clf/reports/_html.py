"""One self-contained HTML page: nothing is loaded from outside, light and dark.

Blocks are strings of HTML; every function here escapes the text that it is given.
"""

import base64
import html
import io
from numbers import Integral, Real

import numpy as np
import pandas as pd
from PIL import Image

from brain_tumor_clf.reports._html_style import STYLE
from brain_tumor_clf.reports._protocol import RESEARCH_ONLY

# Severity -> word and sign, so that color is never the only carrier.
SEVERITIES = {
    "severe": ("Severe", "&#9650;"),
    "warning": ("Warning", "&#9679;"),
    "note": ("Note", "&#8505;"),
    "good": ("Good", "&#10003;"),
}


def page(title, blocks, *, subtitle=""):
    """A whole page.

    Parameters
    ----------
    title : str
        Heading of the page.
    blocks : list of str
        HTML of the functions below, in order.
    subtitle : str, default=""
        A line under the heading.

    Returns
    -------
    str

    Examples
    --------
    >>> from brain_tumor_clf.reports import _html
    >>> text = _html.page("A < B", [_html.paragraph("One & all.")])
    >>> "<h1>A &lt; B</h1>" in text, "<p>One &amp; all.</p>" in text
    (True, True)
    """
    under = f'<p class="subtitle">{_escape(subtitle)}</p>' if subtitle else ""
    body = "\n".join(blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f'<body class="btc"><main>\n<header><h1>{_escape(title)}</h1>{under}'
        f'<p class="research">{RESEARCH_ONLY}</p></header>\n{body}\n</main></body>\n'
        "</html>\n"
    )


def fragment(title, blocks):
    """What a notebook shows: the same blocks without the page around them."""
    body = "\n".join(blocks)
    return (
        f'<div class="btc"><style>{STYLE}</style><h3>{_escape(title)}</h3>\n{body}\n'
        f'<p class="research">{RESEARCH_ONLY}</p></div>'
    )


def write_page(text, path):
    """Write a page to a file as UTF-8, or only return it if there is no path."""
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return text


def section(heading, *blocks, note=""):
    """A part of the page under a heading, with an explanation if wanted."""
    lead = f'<p class="lead">{_escape(note)}</p>' if note else ""
    body = "\n".join(blocks)
    return f"<section><h2>{_escape(heading)}</h2>{lead}\n{body}</section>"


def paragraph(text):
    """A paragraph of plain text."""
    return f"<p>{_escape(text)}</p>"


def code(text):
    """A block of code."""
    return f"<pre><code>{_escape(text)}</code></pre>"


def tiles(entries):
    """A row of figures.

    Parameters
    ----------
    entries : list of (str, str, str or None)
        Value, what it is, and a severity that colors it.
    """
    cells = []
    for value, label, severity in entries:
        tone = f" {severity}" if severity else ""
        cells.append(
            f'<div class="tile{tone}"><b>{_escape(value)}</b>'
            f"<span>{_escape(label)}</span></div>"
        )
    return f'<div class="tiles">{"".join(cells)}</div>'


def findings(entries):
    """Findings as cards.

    Parameters
    ----------
    entries : list of (str, str, str, str)
        Severity, title, what it means, and the call that mends it (or "").
    """
    cards = []
    for severity, title, detail, fix in entries:
        word, sign = SEVERITIES[severity]
        cards.append(
            f'<article class="finding {severity}"><h3><span class="badge">{sign} '
            f"{word}</span> {_escape(title)}</h3>{paragraph(detail) if detail else ''}"
            f"{code(fix) if fix else ''}</article>"
        )
    return "\n".join(cards)


def table(frame, *, percent=(), bars=(), index=False, caption=""):
    """A table that scrolls sideways on a narrow screen.

    Parameters
    ----------
    frame : DataFrame
        Its columns are the headings; underscores in them become spaces.
    percent : collection of str, default=()
        Columns of shares, shown as per cent.
    bars : collection of str, default=()
        Columns of shares in [0, 1] that get a bar.
    index : bool, default=False
        Show the index as the first column.
    caption : str, default=""
        Text above the table.

    Returns
    -------
    str
    """
    if index:
        frame = frame.reset_index()
    numeric = [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
    digits = {name: _n_decimals(frame[name]) for name in numeric}
    head = "".join(
        f"<th{' class=num' if name in numeric else ''}>{_heading(name)}</th>"
        for name in frame
    )
    rows = []
    for values in zip(*(frame[name] for name in frame), strict=True):
        cells = (
            _cell(value, digits.get(name), name in percent, name in bars)
            for name, value in zip(frame, values, strict=True)
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    above = f"<caption>{_escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{above}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def facts(rows):
    """Pairs of a heading and a text, as of `Protocol.rows`."""
    pairs = (f"<dt>{_escape(name)}</dt><dd>{_escape(text)}</dd>" for name, text in rows)
    return f'<dl class="facts">{"".join(pairs)}</dl>'


def picture_uri(picture):
    """A picture as a data URI of PNG.

    Parameters
    ----------
    picture : PIL.Image.Image, ndarray of uint8 or matplotlib Figure
    """
    buffer = io.BytesIO()
    if hasattr(picture, "savefig"):
        picture.savefig(buffer, format="png", dpi=120, bbox_inches="tight")
    else:
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def figure(picture, alt, *, caption=""):
    """A picture (PIL, array or matplotlib Figure) over the width of the page."""
    under = f"<figcaption>{_escape(caption)}</figcaption>" if caption else ""
    uri = picture_uri(picture)
    return f'<figure><img src="{uri}" alt="{_escape(alt)}">{under}</figure>'


def gallery(entries):
    """Cards of pictures that belong together, side by side.

    Parameters
    ----------
    entries : list of (str, str or None, list of (picture or None, str))
        Heading of the card, its severity, and its pictures with captions; None stands
        for a picture that can no longer be read.
    """
    cards = []
    for heading, severity, pictures in entries:
        shown = "".join(_thumb(picture, text) for picture, text in pictures)
        cards.append(
            f'<div class="pair {severity or ""}"><h3>{_escape(heading)}</h3>'
            f'<div class="sides">{shown}</div></div>'
        )
    return f'<div class="gallery">{"".join(cards)}</div>'


def _thumb(picture, text):
    if picture is None:
        image = '<div class="gone">can no longer be read</div>'
    else:
        image = f'<img src="{picture_uri(picture)}" alt="{_escape(text)}">'
    return f"<figure>{image}<figcaption>{_escape(text)}</figcaption></figure>"


def _heading(name):
    return _escape(str(name).replace("_", " "))


def _n_decimals(column):
    """As many decimals for all numbers of a column as its largest one asks for."""
    largest = np.nanmax(np.abs(column.dropna().to_numpy(float)), initial=0)
    return 3 if largest < 10 else 1 if largest < 1000 else 0


def _cell(value, n_decimals, is_percent, has_bar):
    """A cell of text (`n_decimals` is None) or of a number."""
    is_number = n_decimals is not None
    if pd.isna(value):
        return '<td class="num">&ndash;</td>' if is_number else "<td>&ndash;</td>"
    if is_percent:
        text = f"{100 * value:.1f} %"
    elif isinstance(value, Integral):
        text = f"{value:,}"
    elif isinstance(value, Real):
        text = f"{value:,.{n_decimals}f}" if is_number else f"{value:,.3g}"
    else:
        text = str(value)
    if has_bar:
        width = 100 * min(max(float(value), 0), 1)
        bar = f'<i style="width:{width:.1f}%"></i>'
        return f'<td class="num bar">{bar}<span>{_escape(text)}</span></td>'
    return f"<td{' class=num' if is_number else ''}>{_escape(text)}</td>"


def _escape(text):
    return html.escape(str(text))
