"""The model card: what the model is, how good it is, what it must not be used for."""

import re

import streamlit as st

from brain_tumor_clf.app import _charts
from brain_tumor_clf.app._fragments import render
from brain_tumor_clf.app._metadata import (
    read_card,
    read_confusion,
    read_risk_coverage,
)
from brain_tumor_clf.app._served import served_model
from brain_tumor_clf.app._words import plain


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
        return "none: every picture is assigned a class"
    return "rejects images that do not look like brain MRI scans"


def _abstention(model):
    if model.threshold is None:
        return "none: no result is uncertain"
    text = f"{model.threshold:.2f}. Below this probability, a result is uncertain."
    if model.abstention is None:
        return text
    if model.abstention.error_rate is not None:
        rate = model.abstention.error_rate
        text += f" Chosen so that at most {rate:.1%} of the answers are wrong."
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
        yield "Confusion matrix", words, _charts.confusion_chart(*confusion)
    if model.reliability is not None:
        words = (
            "How often predictions were right, by their probability, on images not "
            "used for training. On the dashed line the two agree. Pale bars hold few "
            "images."
        )
        yield "Calibration", words, _charts.reliability_chart(model.reliability)
    curve = read_risk_coverage(model.metadata)
    if curve is not None:
        words = (
            "Selective risk is the share of wrong answers, coverage the share of "
            "images that are answered. The dashed line is the coverage at the "
            "abstention threshold."
        )
        chart = _charts.risk_coverage_chart(*curve, model.abstention)
        yield "Selective risk and coverage", words, chart
