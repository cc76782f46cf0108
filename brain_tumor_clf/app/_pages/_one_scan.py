"""One file: what came of it, and what spoke for that."""

import streamlit as st

from brain_tumor_clf._answers import CLASSIFIED, NOT_A_SCAN, UNREADABLE
from brain_tumor_clf.app import _fragments
from brain_tumor_clf.app._heat import overlay
from brain_tumor_clf.app._plain import plain
from brain_tumor_clf.app._remarks import track_record, warning_of
from brain_tumor_clf.app._results import read_scan
from brain_tumor_clf.app._session import map_of

_LONGEST = 768  # pixels of a scan on the screen


@st.fragment
def show_scan(model, upload, result, *, is_phantom=False):
    """Lay out a file's picture, its result and what is to be said of it.

    Parameters
    ----------
    model : ServedModel
    upload : Upload
    result : Result
    is_phantom : bool, default=False
        Whether it was drawn by this package: then its answer can be asked for even
        if the guard refuses it.
    """
    with st.container(border=True):
        if result.state == UNREADABLE:
            st.html(_fragments.headline(result))
            st.html(_fragments.file_line(result.name))
            st.html(_fragments.line(f"{plain(result.error, longest=400)}."))
            return
        answer = _show_answer(model, result, is_phantom)
        left, right = st.columns([0.92, 1.08], gap="large")
        with left:
            scan = read_scan(upload.data, _LONGEST)
            picture = st.empty()
            picture.image(scan, width="stretch", alt=f"Scan {plain(upload.name)}")
            st.html(_fragments.file_line(upload.name, result.size))
        with right:
            # The answer stands on the page while its heat map is still being made.
            _show_reasons(model, result, answer, is_phantom)
            if answer is not None:
                _color(picture, scan, model, upload, answer)


def _show_answer(model, result, is_phantom):
    """Say what came of a file; the answer, if it is one to be shown."""
    head = st.empty()
    anyway = False
    if is_phantom and result.state == NOT_A_SCAN:
        anyway = st.toggle("Show the answer anyway", key="anyway")
    head.html(_fragments.headline(result, anyway=anyway))
    answer = result.answer if anyway else result.shown_answer
    if result.state == CLASSIFIED and not is_phantom:
        record = track_record(answer, model)
        if record is not None:
            st.html(_fragments.soft(record))
    return answer


def _show_reasons(model, result, answer, is_phantom):
    if answer is not None:
        threshold = None if model.abstention is None else model.abstention.threshold
        st.html(_fragments.bars(answer, threshold))
    warning = warning_of(result, model, is_phantom=is_phantom)
    if warning is not None:
        st.html(_fragments.warning(warning))


def _color(picture, scan, model, upload, answer):
    """Lay the heat map of a class over the picture, as strongly as is wished."""
    explained = st.selectbox(
        "Color what speaks for",
        model.labels,
        index=model.labels.index(answer.label),
        key=f"explained-{upload.key}",
    )
    heat = map_of(model, upload, explained, scan.shape[:2])
    if heat is None:
        st.html(_fragments.soft("This kind of model gives no heat map."))
        return
    if not heat.any():
        st.html(_fragments.soft(f"Nothing in this image speaks for {explained}."))
    strength = st.slider("Strength of the colors", 0, 100, 70, format="%d %%")
    colored = overlay(scan, heat, strength / 100)
    alt = f"Scan {plain(upload.name)}, colored where something speaks for {explained}"
    picture.image(colored, width="stretch", alt=alt)
    st.html(
        _fragments.soft(
            "Colors tell where the network looked. They are no outline of a tumor."
        )
    )
