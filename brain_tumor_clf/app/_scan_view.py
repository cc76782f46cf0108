"""One file: its picture, its result, and the heat map of a class."""

import streamlit as st

from brain_tumor_clf.app._images import overlay, read_scan
from brain_tumor_clf.app._session import choose_frame, map_of, results_of
from brain_tumor_clf.app._words import (
    bars,
    headline,
    plain,
    render,
    sentence,
    track_record,
    warning_of,
)
from brain_tumor_clf.selective import CLASSIFIED, NOT_A_SCAN, UNREADABLE

_LONGEST = 768  # pixels of a scan on the screen


@st.fragment
def show_scan(model, upload, result, *, is_phantom=False):
    """Lay out a file's picture, its result and what is to be said about it.

    The prediction for a phantom of this package can be asked for even if the guard
    rejects it.
    """
    with st.container(border=True):
        if result.has_frames:
            upload, result = _choose_frame(model, upload, result)
        if result.state == UNREADABLE:
            st.html(headline(result))
            st.html(render("file", name=result.name))
            st.html(render("text", text=sentence(plain(result.reason, longest=400))))
            return
        predicted = _show_state(model, upload, result, is_phantom)
        left, right = st.columns([0.92, 1.08], gap="large")
        with left:
            scan = read_scan(upload, _LONGEST)
            picture = st.empty()
            picture.image(scan, width="stretch", alt=f"Scan {plain(upload.name)}")
            st.html(render("file", name=upload.name, size=result.size))
        with right:
            # The result is on the page while its heat map is still being computed.
            if predicted.probabilities:
                st.html(bars(predicted, model.threshold))
            warning = warning_of(result, model, is_phantom=is_phantom)
            if warning is not None:
                st.html(render("warning", text=warning))
            if predicted.probabilities:
                _show_heat(picture, scan, model, upload, predicted.likeliest)


def _choose_frame(model, upload, result):
    """Ask for a frame; return its upload and its result."""
    number = st.number_input(
        "Frame of this file",
        min_value=1,
        value=None,
        step=1,
        placeholder="This file has several frames; enter the number of one, from 1",
        key=f"frame-{upload.key}",
    )
    if number is None:
        return upload, result
    upload = choose_frame(upload, number)
    return upload, results_of(model, [upload])[0]


def _show_state(model, upload, result, is_phantom):
    """Show the state of a file; return the result whose probabilities are shown."""
    head = st.empty()
    can_show_anyway = is_phantom and result.state == NOT_A_SCAN
    if can_show_anyway and st.toggle("Show the prediction anyway", key="anyway"):
        predicted = results_of(model, [upload], guard=False)[0]
        head.html(headline(predicted, rejected=bool(predicted.probabilities)))
        return predicted
    head.html(headline(result))
    if result.state == CLASSIFIED and not is_phantom:
        record = track_record(result, model)
        if record is not None:
            st.html(render("soft", text=record))
    return result


def _show_heat(picture, scan, model, upload, label):
    """Lay the heat map of a class over the picture."""
    explained = st.selectbox(
        "Heat map of class",
        model.labels,
        index=model.labels.index(label),
        key=f"explained-{upload.key}",
    )
    heat = map_of(model, upload, explained, scan.shape[:2])
    if heat is None:
        st.html(render("soft", text="This kind of model has no heat maps."))
        return
    if not heat.any():
        text = f"No part of this image raises the score of {explained}."
        st.html(render("soft", text=text))
    opacity = st.slider("Opacity of the heat map", 0, 100, 70, format="%d%%")
    alt = f"Scan {plain(upload.name)} with the heat map of {explained}"
    colored = overlay(scan, heat, opacity / 100)
    picture.image(colored, width="stretch", alt=alt)
    st.html(
        render(
            "soft",
            text="The heat map shows which parts of the image raise the score of this "
            "class. It does not outline a tumor.",
        )
    )
