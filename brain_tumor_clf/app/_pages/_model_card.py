"""The model card: what the model is, how good it is, what it must not be used for."""

import re

import streamlit as st

from brain_tumor_clf.app import _charts, _fragments
from brain_tumor_clf.app._metadata import (
    read_card,
    read_confusion,
    read_risk_coverage,
)
from brain_tumor_clf.app._plain import plain
from brain_tumor_clf.app._served import served_model


def model_card_page():
    """Show the page."""
    model = served_model()
    st.title("Model card", anchor=False)
    _show_facts(model)
    _show_figures(model)
    card = read_card(model.metadata)
    if card is None:
        st.info(
            "This model has no model card: its file says nothing of what it was "
            "trained on, how good it is, and what it must not be used for.",
            icon=":material/info:",
        )
        return
    st.divider()
    st.markdown(harmless(card))


def harmless(card):
    """A model card that loads nothing and links only to the web.

    Examples
    --------
    >>> from brain_tumor_clf.app._pages._model_card import harmless
    >>> harmless("![x](http://a/b.png) and [code](../train.py), [data](https://c)")
    '[x](http://a/b.png) and code, [data](https://c)'
    """
    without_pictures = card.replace("![", "[")
    return re.sub(r"\[([^\]]*)\]\((?!https?://)[^)]*\)", r"\1", without_pictures)


def _show_facts(model):
    facts = [
        ("Model", plain(model.name)),
        ("Id", model.model_id),
        ("Classes", ", ".join(model.labels)),
        ("Not a brain scan", "told by a guard" if model.has_guard else "not told"),
        ("Not sure", _abstention(model.abstention)),
    ]
    st.html(_fragments.facts(facts))


def _abstention(abstention):
    if abstention is None:
        return "never said: it always answers"
    text = f"said below a probability of {abstention.threshold:.2f}"
    if abstention.error_rate is not None:
        text += f", chosen so that at most {abstention.error_rate:.1%} of answers err"
    if abstention.coverage is not None:
        text += f"; {abstention.coverage:.0%} were answered"
    return text


def _show_figures(model):
    figures = list(_figures(model))
    for start in range(0, len(figures), 2):
        columns = st.columns(2, gap="large")
        for column, (title, words, chart) in zip(
            columns, figures[start:], strict=False
        ):
            with column:
                st.subheader(title, anchor=False)
                st.altair_chart(chart, width="stretch")
                st.caption(words)


def _figures(model):
    confusion = read_confusion(model.metadata)
    if confusion is not None:
        words = "Images never seen, by true and by predicted class."
        yield "Confusion matrix", words, _charts.confusion_chart(*confusion)
    if model.reliability is not None:
        words = (
            "How often it was right, by how sure it was, of images never seen. On the "
            "dashed line it would be right as often as it says. Paler: fewer images."
        )
        chart = _charts.reliability_chart(model.reliability)
        yield "Is it as sure as it should be?", words, chart
    curve = read_risk_coverage(model.metadata)
    if curve is not None:
        words = "The more images it may leave to a radiologist, the fewer answers err."
        chart = _charts.risk_coverage_chart(*curve, model.abstention)
        yield "Answering less, erring less", words, chart
