"""Reports of ``brain-tumor-clf audit`` that a visitor brings: checked, then shown.

An HTML file is a stranger's. It is shown only if it holds nothing but what
`brain_tumor_clf.reports` writes into such a page, and then within a frame in which
scripts can't run and nothing can be loaded.
"""

import html
import json
import re
from html.parser import HTMLParser
from typing import NamedTuple

from brain_tumor_clf.reports._html import SEVERITIES

_TITLE = "Audit of a data set"
_NOT_OURS = "This is no report of brain-tumor-clf audit: "
_TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "section",
    "article", "div", "span", "p", "h1", "h2", "h3", "b", "i", "pre", "code", "table",
    "caption", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "figure", "img",
    "figcaption",
}  # fmt: skip
_ATTRIBUTES = {"lang", "charset", "name", "content", "class", "style", "src", "alt"}
_BAR = re.compile(r"width:\d{1,3}\.\d%")
_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")
_LOADS = re.compile(r"@import|url\s*\(|\\|expression|image-set|src\s*:", re.IGNORECASE)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# Name in the file -> heading; each is a table: a list of dicts of plain values.
TABLES = {
    "leakage": "Test images that training has seen",
    "controls": "Controls",
    "copies": "Copies",
    "counts": "Classes",
    "appearance": "What files look like",
    "unreadable": "Images that cannot be read",
}


class ReportFileError(ValueError):
    """A file is no report of ``audit``."""


class Report(NamedTuple):
    """An audit's report.

    Attributes
    ----------
    document : dict or None
        What a JSON file holds.
    page : str or None
        What an HTML file holds.
    """

    document: dict | None = None
    page: str | None = None


def read_report(data):
    """Read the file that ``audit --json`` or ``audit --html`` wrote.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    Report

    Raises
    ------
    ReportFileError
        If it is no such file; the message says why.

    Examples
    --------
    >>> from brain_tumor_clf.app._report_file import read_report
    >>> read_report(b"{}")
    Traceback (most recent call last):
     ...
    brain_tumor_clf.app._report_file.ReportFileError: This is no report of ...
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReportFileError(f"{_NOT_OURS}it is no text.") from None
    if text.lstrip()[:1] == "<":
        return Report(page=_check_page(text))
    return Report(document=_check_document(text))


def framed(page):
    """A document whose only content is the page, in a frame that runs no script.

    Parameters
    ----------
    page : str
        HTML that `read_report` let pass.

    Returns
    -------
    str
    """
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    page = page.replace("<head>", f"<head>{policy}", 1)
    return (
        "<style>html,body{margin:0;height:100%}"
        "iframe{box-sizing:border-box;border:1px solid #8884;border-radius:10px;"
        "width:100%;height:100%;display:block}</style>"
        f'<iframe sandbox="" title="{_TITLE}" srcdoc="{html.escape(page)}"></iframe>'
    )


def _check_document(text):
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ReportFileError(f"{_NOT_OURS}it is neither JSON nor HTML.") from None
    if not isinstance(document, dict) or "findings" not in document:
        raise ReportFileError(f"{_NOT_OURS}it has no findings.")
    findings, protocol = document["findings"], document.get("protocol")
    if not isinstance(findings, list) or not all(map(_is_finding, findings)):
        raise ReportFileError(f"{_NOT_OURS}its findings are of another form.")
    if not isinstance(protocol, dict):
        raise ReportFileError(f"{_NOT_OURS}it does not say what it is of.")
    for name in TABLES:
        if not _is_table(document.get(name) or []):
            raise ReportFileError(f"{_NOT_OURS}its table {name} is of another form.")
    return document


def _is_finding(finding):
    names = ("severity", "title", "detail", "fix")
    return (
        isinstance(finding, dict)
        and all(isinstance(finding.get(name), str) for name in names)
        and finding["severity"] in SEVERITIES
    )


def _is_table(rows):
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return False
    values = [value for row in rows for value in row.values()]
    return all(v is None or isinstance(v, (bool, int, float, str)) for v in values)


def _check_page(text):
    checker = _Checker()
    checker.feed(text)
    checker.close()
    if checker.title != _TITLE:
        raise ReportFileError(f'{_NOT_OURS}its title is not "{_TITLE}".')
    if 'class="btc"' not in text or not text.startswith("<!DOCTYPE html>"):
        raise ReportFileError(f"{_NOT_OURS}its frame is another's.")
    return text


class _Checker(HTMLParser):
    """Raises on whatever `reports` does not write."""

    def __init__(self):
        super().__init__()
        self.title = ""
        self._open = None

    def handle_starttag(self, tag, attrs):
        if tag not in _TAGS:
            raise ReportFileError(f"{_NOT_OURS}it has a <{tag}>.")
        for name, value in attrs:
            if name not in _ATTRIBUTES:
                raise ReportFileError(f"{_NOT_OURS}its <{tag}> has {name!r}.")
            if name == "style" and not _BAR.fullmatch(value or ""):
                raise ReportFileError(f"{_NOT_OURS}it has styles of its own.")
            if name == "src" and not _PICTURE.fullmatch(value or ""):
                raise ReportFileError(f"{_NOT_OURS}it loads pictures.")
        self._open = tag

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open == "title":
            self.title += data
        if self._open == "style" and _LOADS.search(data):
            raise ReportFileError(f"{_NOT_OURS}its style sheet loads files.")

    def handle_comment(self, data):
        raise ReportFileError(f"{_NOT_OURS}it has comments.")

    def handle_pi(self, data):
        raise ReportFileError(f"{_NOT_OURS}it has instructions.")

    def unknown_decl(self, data):
        raise ReportFileError(f"{_NOT_OURS}it has declarations.")
