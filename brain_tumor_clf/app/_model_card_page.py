"""The model card: what the model is, how good it is, what it must not be used for."""

import re

import altair as alt
import pandas as pd
import streamlit as st

from brain_tumor_clf.app._metadata import read_card, read_confusion, read_risk_coverage
from brain_tumor_clf.app._served import served_model
from brain_tumor_clf.app._words import plain, render

_ACCENT = "#4f8fd0"  # a blue that is legible on light and on dark pages
_SOFT = "#8a94a3"
_HEIGHT = 280  # pixels


def model_card_page():
    """Show the page."""
    model = served_model()
    st.title("Model card", anchor=False)
    facts = [
        ("Model", plain(model.name)),
        ("Model ID", model.model_id),
        ("Classes", ", ".join(model.labels)),
        ("Guard (out-of-distribution detector)", _guard(model)),
        ("Abstention threshold", _abstention(model)),
    ]
    st.html(render("facts", rows=facts))
    _show_figures(model)
    card = read_card(model.metadata)
    if card is None:
        st.info(
            "This model has no model card: its file does not say what it was trained "
            "on, how good it is, or what it must not be used for.",
            icon=":material/info:",
        )
        return
    st.divider()
    st.markdown(harmless(card))


def harmless(card):
    """Return a model card that loads nothing and links only to the web.

    Examples
    --------
    >>> from brain_tumor_clf.app._model_card_page import harmless
    >>> harmless("![x](http://a/b.png) and [code](../train.py), [data](https://c)")
    '[x](http://a/b.png) and code, [data](https://c)'
    """
    without_pictures = card.replace("![", "[")
    return re.sub(r"\[([^\]]*)\]\((?!https?://)[^)]*\)", r"\1", without_pictures)


def _guard(model):
    if not model.has_guard:
        return "none: no picture is rejected"
    return "rejects images that do not look like brain MRI scans"


def _abstention(model):
    if model.threshold is None:
        return "none: no result is uncertain"
    text = f"{model.threshold:.2f}. Below this probability, a result is uncertain."
    if model.abstention is None:
        return text
    if model.abstention.error_rate is not None:
        rate = model.abstention.error_rate
        text += f" At most {rate:.1%} of the answers were wrong where it was chosen."
    if model.abstention.coverage is not None:
        text += f" {model.abstention.coverage:.0%} of the images were answered."
    return text


def _show_figures(model):
    figures = list(_figures(model))
    for start in range(0, len(figures), 2):
        columns = st.columns(2, gap="large")
        pairs = zip(columns, figures[start : start + 2], strict=False)
        for column, (title, words, chart) in pairs:
            with column:
                st.subheader(title, anchor=False)
                st.altair_chart(chart, width="stretch")
                st.caption(words)


def _figures(model):
    confusion = read_confusion(model.metadata)
    if confusion is not None:
        words = "Images not used for training, by true class and by predicted class."
        yield "Confusion matrix", words, _confusion_chart(*confusion)
    if model.reliability is not None:
        words = (
            "How often predictions were right, by their probability, on images not "
            "used for training. On the dashed line the two agree. Pale bars hold few "
            "images."
        )
        yield "Calibration", words, _reliability_chart(model.reliability)
    curve = read_risk_coverage(model.metadata)
    if curve is not None:
        words = (
            "Selective risk is the share of wrong answers, coverage the share of "
            "images that are answered. The dashed line is the coverage at the "
            "abstention threshold."
        )
        chart = _risk_coverage_chart(*curve, model.abstention)
        yield "Selective risk and coverage", words, chart


def _confusion_chart(classes, counts):
    """Draw a confusion matrix; the rows of `counts` are the true classes."""
    rows = [
        {
            "true": true,
            "predicted": predicted,
            "images": n,
            "share": n / (sum(row) or 1),
        }
        for true, row in zip(classes, counts, strict=True)
        for predicted, n in zip(classes, row, strict=True)
    ]
    names = {"labelFlush": False, "labelOverlap": False}
    x_axis, y_axis = alt.Axis(labelAngle=-35, **names), alt.Axis(**names)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("predicted:N", sort=classes, title="predicted", axis=x_axis),
        y=alt.Y("true:N", sort=classes, title="true", axis=y_axis),
        tooltip=["true", "predicted", "images", alt.Tooltip("share:Q", format=".1%")],
    )
    cells = base.mark_rect(stroke=_SOFT, strokeWidth=0.3).encode(
        # Opacity of one color: the same scale on a light and on a dark page.
        opacity=alt.Opacity("share:Q", scale=alt.Scale(range=[0.04, 1]), legend=None),
        color=alt.value(_ACCENT),
    )
    is_dark = alt.datum.share > 0.6
    numbers = base.mark_text(fontSize=14).encode(
        text=alt.Text("images:Q", format=","),
        color=alt.condition(is_dark, alt.value("white"), alt.value(_SOFT)),
    )
    return (cells + numbers).properties(height=56 * len(classes) + 90)


def _reliability_chart(reliability):
    """Draw the accuracy of predictions by their probability, from a `Reliability`."""
    edges = reliability.edges
    columns = (edges[:-1], edges[1:], reliability.accuracy, reliability.n)
    names = ("from", "to", "right", "predictions")
    bins = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    bars = alt.Chart(pd.DataFrame([row for row in bins if row["predictions"]]))
    bars = bars.mark_rect(color=_ACCENT, stroke=_SOFT, strokeWidth=0.5).encode(
        x=alt.X("from:Q", title="probability of the predicted class"),
        x2="to:Q",
        y=alt.Y("right:Q", title="accuracy", axis=alt.Axis(format=".0%")),
        y2=alt.datum(0),
        opacity=alt.Opacity(
            "predictions:Q",
            scale=alt.Scale(type="sqrt", domainMin=0, range=[0.08, 0.95]),
            legend=None,
        ),
        tooltip=["from", "to", alt.Tooltip("right:Q", format=".1%"), "predictions"],
    )
    ends = pd.DataFrame({"x": [edges[0], 1], "y": [edges[0], 1]})
    ideal = alt.Chart(ends).mark_line(color=_SOFT, strokeDash=[4, 4])
    return (bars + ideal.encode(x="x", y="y")).properties(height=_HEIGHT)


def _risk_coverage_chart(coverage, risk, abstention):
    """Draw selective risk by coverage; the coverage of an `Abstention` is marked."""
    table = pd.DataFrame({"coverage": coverage, "risk": risk}).sort_values("coverage")
    curve = alt.Chart(table).mark_line(color=_ACCENT, strokeWidth=2.5)
    chart = curve.encode(
        x=alt.X("coverage:Q", axis=alt.Axis(format=".0%")),
        y=alt.Y("risk:Q", title="selective risk", axis=alt.Axis(format=".1%")),
    )
    if abstention is not None and abstention.coverage is not None:
        here = alt.Chart(pd.DataFrame({"coverage": [abstention.coverage]}))
        rule = here.mark_rule(color=_SOFT, strokeDash=[4, 4], strokeWidth=1.5)
        chart += rule.encode(x="coverage:Q")
    return chart.properties(height=_HEIGHT)
