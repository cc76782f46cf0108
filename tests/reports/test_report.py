"""Every format comes from one report: whole, escaped, and loading nothing."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from brain_tumor_clf import reports
from brain_tumor_clf.reports import Protocol
from brain_tumor_clf.reports import _render as render
from brain_tumor_clf.reports import _report as model

_VOID = {"meta", "img", "br"}
NASTY = '<script>alert("&")</script>'
PICTURE = Image.fromarray(np.zeros((4, 6), dtype=np.uint8))


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


def make_report():
    frame = pd.DataFrame(
        {NASTY: [NASTY, None], "share": [0.25, np.nan], "n": [1200, 3], "x": [0.5, 2e6]}
    )
    cards = [(NASTY, "warning", [(PICTURE, NASTY), (None, NASTY)])]
    findings = [
        model.Finding("severe", NASTY, NASTY, NASTY),
        model.Finding("note", "a", "b"),
    ]
    blocks = [
        model.Findings(title=NASTY, findings=findings),
        model.Text(title=NASTY, lines=[NASTY]),
        model.Text(title=NASTY, lines=[NASTY, NASTY], is_code=True, is_detail=True),
        model.Table(
            title=NASTY, note=NASTY, frame=frame, percent=["share"], bars=["share"]
        ),
        model.Figure(title=NASTY, make_cards=lambda: cards),
        model.Figure(make_cards=lambda: [("", None, [(PICTURE, NASTY)])]),
        model.Text(lines=Protocol(NASTY, 1, None, NASTY, NASTY, 0).rows()),
    ]
    tiles = [(NASTY, NASTY, "good"), ("1", "one", None)]
    return model.Report(NASTY, blocks, NASTY, tiles)


def make_page():
    return render.to_html(make_report())


def make_table(frame, **options):
    return model.Report("title", [model.Table(frame=frame, **options)])


def printed(report, **options):
    console = Console(file=io.StringIO(), width=80)
    render.to_console(report, console, **options)
    return console.file.getvalue()


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
    style = Path(reports.__file__).with_name("templates") / "style.css"
    style = style.read_text(encoding="utf-8")
    assert style.strip() in make_page()
    light, dark = (
        set(re.findall(r"(--\w+):#", part)) for part in style.split("@media")[:2]
    )
    used = set(re.findall(r"var\((--\w+)", style)) - {"--tone"}
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
    text = render.to_html(make_table(frame))
    for cell in ("0.500", "0.637", "2.2", "16.4", ">3<", ">4<", ">6<", "2,000,000"):
        assert cell in text
    assert "fit time" in text
    assert "3.0" not in text


def test_an_index_is_a_column_if_it_has_a_name():
    frame = pd.DataFrame({"n": [1]}, index=["glioma"])
    for make in (render.to_html, render.to_markdown, printed):
        assert "glioma" in make(make_table(frame.rename_axis("class")))
        assert "glioma" not in make(make_table(frame))


def test_estimates_are_rounded_where_there_is_little_room():
    frame = pd.DataFrame({"rate": [render.Estimate(0.5, 0.25, 0.75)]})
    assert "0.500 (0.250-0.750)" in printed(make_table(frame))
    frame["other"] = frame["rate"]
    assert "0.500 (0.250-0.750)" in render.to_html(make_table(frame))
    assert "0.50 (0.25-0.75)" in printed(make_table(frame))


def test_pictures_come_back_as_they_were():
    picture = np.arange(24, dtype=np.uint8).reshape(4, 6)
    uri = render.picture_uri(Image.fromarray(picture))
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), picture)


def test_a_matplotlib_figure_is_a_picture_and_is_closed():
    plt = pytest.importorskip("matplotlib.pyplot")
    n_open = len(plt.get_fignums())
    assert render.picture_uri(plt.figure()).startswith("data:image/png;base64,")
    assert len(plt.get_fignums()) == n_open


def test_fragment_is_no_page_and_has_no_details():
    text = render.to_fragment(make_report())
    parser = outline(text)
    assert "<html" not in text
    assert "Research only" in text
    assert parser.links == []
    assert "<pre>" in text  # of the finding; the listing is a detail
    assert text.count("<pre>") == 1


def test_markdown_and_terminal_hold_the_same():
    report = make_report()
    text, shown = render.to_markdown(report), printed(report)
    for word in (NASTY, "25.0 %", "1,200", "Severe", "Research only"):
        assert word in text
        assert word in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_terminal_does_not_take_names_for_markup():
    frame = pd.DataFrame({"n": [1]}, index=pd.Index(["[red]glioma"], name="[b]"))
    blocks = [model.Table(title="[b]T", frame=frame), model.Text(lines=["[b]L"])]
    shown = printed(model.Report("[b]R", blocks))
    for text in ("[red]glioma", "[b]T", "[b]L", "[b]R"):
        assert text in shown


def test_cells_of_markdown_stay_in_their_row():
    frame = pd.DataFrame({"name": ["a|b\nc"]})
    assert "| a\\|b c |" in render.to_markdown(make_table(frame))


def test_long_lists_are_cut_on_a_terminal():
    report = model.Report("t", [model.Text(lines=[f"line {i}" for i in range(25)])])
    assert "and 5 more" in printed(report)
    assert "line 24" in render.to_markdown(report)


def test_protocol_is_plain_data():
    protocol = Protocol("4 images", 4, 2, "given", "as given", np.random.RandomState(0))
    assert protocol.to_dict()["seed"].startswith("RandomState")
    assert ("Groups", "2 (given)") in protocol.rows()


def test_what_is_not_defined_is_none_in_json():
    frame = pd.DataFrame(
        {"x": [np.nan, np.inf, 1.0]}, index=pd.Index(list("abc"), name="k")
    )
    assert [row["x"] for row in model.records(frame)] == [None, None, 1.0]
    assert model.records(None) is None
