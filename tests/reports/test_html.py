"""Pages are whole, escaped, and load nothing from outside."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brain_tumor_clf.reports import _html
from brain_tumor_clf.reports._protocol import Protocol

_VOID = {"meta", "img", "br"}
NASTY = '<script>alert("&")</script>'


class Outline(HTMLParser):
    """Fails on tags that do not close in order; collects text and links."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline(text):
    parser = Outline()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


def make_page():
    frame = pd.DataFrame(
        {NASTY: [NASTY, None], "share": [0.25, np.nan], "n": [1200, 3], "x": [0.5, 2e6]}
    )
    picture = np.zeros((4, 6), dtype=np.uint8)
    return _html.page(
        NASTY,
        [
            _html.tiles([(NASTY, NASTY, "good"), ("1", "one", None)]),
            _html.findings([("severe", NASTY, NASTY, NASTY), ("note", "a", "b", "")]),
            _html.section(
                NASTY, _html.table(frame, percent=["share"], bars=["share"]), note=NASTY
            ),
            _html.figure(picture, NASTY, caption=NASTY),
            _html.gallery([(NASTY, "warning", [(picture, NASTY), (None, NASTY)])]),
            _html.facts(Protocol(NASTY, 1, None, NASTY, NASTY, 0).rows()),
        ],
        subtitle=NASTY,
    )


def test_every_text_is_escaped_and_every_tag_closed():
    text = make_page()
    parser = outline(text)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 12
    assert 'alert("&")' in "".join(parser.text)


def test_nothing_is_loaded_from_outside():
    text = make_page()
    parser = outline(text)
    assert len(parser.links) == 2
    assert all(link.startswith("data:image/png;base64,") for link in parser.links)
    assert not re.search(r"url\(|@import|https?://", text)


def test_page_is_for_light_and_dark_and_for_phones():
    text = make_page()
    assert "prefers-color-scheme:dark" in text
    assert 'name="viewport"' in text
    assert "Research only; not a medical device." in text


def test_every_color_is_defined_in_both_schemes():
    from brain_tumor_clf.reports._html_style import STYLE

    light, dark = (
        set(re.findall(r"(--\w+):#", part)) for part in STYLE.split("@media")[:2]
    )
    used = set(re.findall(r"var\((--\w+)", STYLE)) - {"--tone"}
    assert used <= light == dark


def test_cells():
    text = "".join(outline(make_page()).text)
    assert "25.0 %" in text
    assert "1,200" in text
    assert "2,000,000" in text
    assert text.count("\N{EN DASH}") == 2  # the missing name and the missing share


def test_numbers_of_a_column_have_equal_decimals():
    frame = pd.DataFrame(
        {
            "score": [0.5, 0.637],
            "fit_time": [2.25, 16.4],
            "n": [3, 4],
            "big": [5.5, 2e6],
        }
    )
    text = _html.table(frame)
    for cell in ("0.500", "0.637", "2.2", "16.4", ">3<", ">4<", ">6<", "2,000,000"):
        assert cell in text
    assert "fit time" in text
    assert "3.0" not in text


def test_an_index_is_a_column_if_asked_for():
    frame = pd.DataFrame({"n": [1]}, index=pd.Index(["glioma"], name="class"))
    assert "glioma" in _html.table(frame, index=True)
    assert "glioma" not in _html.table(frame)


def test_pictures_come_back_as_they_were():
    picture = np.arange(24, dtype=np.uint8).reshape(4, 6)
    uri = _html.picture_uri(picture)
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), picture)


def test_a_matplotlib_figure_is_a_picture():
    figure = pytest.importorskip("matplotlib.figure").Figure(figsize=(1, 1))
    assert _html.figure(figure, "empty").startswith('<figure><img src="data:image/png')


def test_fragment_is_no_page():
    text = _html.fragment(NASTY, [_html.paragraph("one")])
    outline(text)
    assert "<html" not in text
    assert "Research only" in text


def test_protocol_is_plain_data():
    protocol = Protocol("4 images", 4, 2, "given", "as given", np.random.RandomState(0))
    assert protocol.to_dict()["seed"].startswith("RandomState")
    assert ("Groups", "2 (given)") in protocol.rows()
    assert "- Split: as given" in protocol.to_markdown()
