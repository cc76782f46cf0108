"""Results as HTML: headline, bars and warnings. All text from outside is escaped."""

import html

from brain_tumor_clf._answers import (
    CLASSIFIED,
    NOT_A_SCAN,
    NOT_SURE,
    UNREADABLE,
)
from brain_tumor_clf.app._plain import escaped
from brain_tumor_clf.app._remarks import percent

# State -> tone and sign; the words say it too, so that color is never alone.
_LOOK = {
    CLASSIFIED: ("good", ""),
    NOT_SURE: ("doubt", "?"),
    NOT_A_SCAN: ("bad", "&#10005;"),
    UNREADABLE: ("bad", "&#9888;"),
}


def headline(result, *, anyway=False):
    """What came of a file, at a glance.

    Parameters
    ----------
    result : Result
    anyway : bool, default=False
        Whether to show the answer to an image that is no scan, too.
    """
    tone, sign = _LOOK[result.state]
    what, sure = f"{result.state[:1].upper()}{result.state[1:]}", None
    kind = "No class"
    if result.state == CLASSIFIED or (result.state == NOT_A_SCAN and anyway):
        kind = "Class" if result.state == CLASSIFIED else f"{what}; all the same"
        what, sure = result.answer.label, result.answer.probability
    beside = "" if sure is None else f' <span class="sure">{_percent(sure)}</span>'
    mark = f'<span aria-hidden="true">{sign}</span> ' if sign else ""
    return (
        f'<div class="btc" role="status"><div class="btc-head tone-{tone}">'
        f'<div class="kind">{mark}{html.escape(kind)}</div>'
        f'<div class="what">{html.escape(what)}{beside}</div></div></div>'
    )


def bars(answer, threshold=None):
    """The probabilities as a bar chart; a mark stands at the least for an answer."""
    rows = []
    for label, value in answer.probabilities.items():
        first = " first" if label == answer.label else ""
        mark = ""
        if threshold is not None and first:
            mark = f'<span class="limit" style="left:{100 * threshold:.1f}%"></span>'
        rows.append(
            f'<span class="name{first}">{html.escape(label)}</span>'
            f'<span class="track" aria-hidden="true"><span class="fill{first}" '
            f'style="width:{100 * value:.1f}%"></span>{mark}</span>'
            f'<span class="value{first}">{_percent(value)}</span>'
        )
    chart = f'<div class="btc-bars">{"".join(rows)}</div>'
    if threshold is not None:
        least = f"{100 * threshold:.0f} %"
        chart += (
            f'<p class="soft">The mark: least probability of an answer, {least}</p>'
        )
    return f'<div class="btc">{chart}</div>'


def subtitle(text):
    """What stands under the title of a page."""
    return f'<div class="btc soft btc-sub">{html.escape(text)}</div>'


def line(text):
    """A sentence."""
    return f'<div class="btc"><p>{html.escape(text)}</p></div>'


def soft(text):
    """A remark in a small, quiet letter."""
    return f'<div class="btc soft">{html.escape(text)}</div>'


def warning(text):
    """A warning."""
    return (
        '<div class="btc"><div class="btc-warn"><b aria-hidden="true">!</b>'
        f"<span>{html.escape(text)}</span></div></div>"
    )


def file_line(name, size=None):
    """A file's name and size in pixels."""
    pixels = "" if size is None else f", {size[1]}x{size[0]} pixels"
    return f'<div class="btc soft">{escaped(name)}{pixels}</div>'


def _percent(share):
    return html.escape(percent(share))


def facts(rows):
    """Pairs of a heading and a text."""
    pairs = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>"
        for name, text in rows
    )
    return f'<div class="btc"><dl class="btc-facts">{pairs}</dl></div>'
