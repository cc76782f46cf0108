"""The first page: upload scans, see the results."""

import base64
from collections import Counter

import pandas as pd
import streamlit as st

from brain_tumor_clf.app._images import draw_phantom, encode
from brain_tumor_clf.app._results import (
    MAX_FILE_MB,
    MAX_FILES,
    Upload,
    to_csv,
)
from brain_tumor_clf.app._scan_view import show_scan
from brain_tumor_clf.app._served import served_model
from brain_tumor_clf.app._session import drop_uploads, keep_uploads, results_of
from brain_tumor_clf.app._words import plain, render, without_advice
from brain_tumor_clf.reports import RESEARCH_ONLY

_SCANS, _PHANTOM = "Your scans", "Try a phantom"
_KINDS = ("glioma", "meningioma", "pituitary", "notumor")
_PRIVACY = (
    "Files stay in memory and are dropped within a minute after you close the page."
)


def classify_page():
    """Show the page."""
    model = served_model()
    st.title("Classify brain MRI scans", anchor=False)
    st.html(render("subtitle", text=RESEARCH_ONLY))
    source = st.segmented_control(
        "Images",
        [_SCANS, _PHANTOM],
        default=_SCANS,
        required=True,
        label_visibility="collapsed",
        key="source",
    )
    if source == _PHANTOM:
        _show_phantom(model)
    else:
        _show_uploads(model)


def _show_uploads(model):
    files = st.file_uploader(
        "Slices of brain MRI scans: JPEG, PNG, TIFF or DICOM",
        accept_multiple_files=True,
        max_upload_size=MAX_FILE_MB,
        key="files",
        on_change=drop_uploads,
        help=f"Up to {MAX_FILES} files of {MAX_FILE_MB} MB each. {_PRIVACY}",
    )
    uploads = keep_uploads(files)
    if not uploads:
        classes = ", ".join(model.labels)
        text = f"{plain(model.name)} distinguishes these classes: {classes}. {_PRIVACY}"
        st.html(render("soft", text=text))
        return
    if not files and st.button("Remove these files", icon=":material/close:"):
        drop_uploads()
        st.rerun()
    results = results_of(model, uploads)
    chosen = _choose(uploads, results)
    # The table does not wait for the heat map.
    place = st.container()
    _show_table(model, results)
    with place:
        show_scan(model, uploads[chosen], results[chosen])


def _choose(uploads, results):
    """Return the position of the file to show."""
    n = len(uploads)
    if n == 1:
        return 0
    chosen = min(st.session_state.get("chosen") or 0, n - 1)
    st.session_state["chosen"] = chosen
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "File",
            range(n),
            format_func=lambda i: _in_list(i, results[i], n),
            key="chosen",
        )
        st.button("Previous", disabled=chosen == 0, on_click=_step, args=(-1,))
        st.button("Next", disabled=chosen == n - 1, on_click=_step, args=(1,))
    return chosen


def _step(by):
    st.session_state["chosen"] += by


def _in_list(i, result, n):
    return f"{i + 1}/{n}  {plain(result.name, 48)}: {result.label or result.state}"


def _show_phantom(model):
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox("Class of the phantom", _KINDS, key="kind")
        if st.button("Draw another", icon=":material/refresh:"):
            st.session_state["seed"] = st.session_state.get("seed", 0) + 1
    seed = st.session_state.get("seed", 0)
    name = f"phantom of class {kind}, no. {seed}"
    upload = Upload(f"phantom-{kind}-{seed}", name, draw_phantom(kind, seed))
    result = results_of(model, [upload])[0]
    show_scan(model, upload, result, is_phantom=True)


def _show_table(model, results):
    """Show a row for each result, the number of each state, and the CSV file."""
    n = len(results)
    counts = Counter(result.state for result in results)
    st.subheader(f"{n} file{'s' if n > 1 else ''}", anchor=False)
    st.caption(", ".join(f"{n} {state}" for state, n in counts.items()))
    st.dataframe(
        pd.DataFrame([_row(result) for result in results]),
        hide_index=True,
        width="stretch",
        column_config={
            "": st.column_config.ImageColumn(width=48),
            "file": st.column_config.TextColumn(width="medium"),
            "probability": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1
            ),
        },
    )
    st.download_button(
        "Download as CSV",
        to_csv(model, results).encode(),
        file_name="brain-tumor-clf.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _row(result):
    remarks = dict.fromkeys(filter(None, [result.reason, *result.notes]))
    remark = "; ".join(map(without_advice, remarks))
    return {
        "": "" if result.thumbnail is None else _uri(result.thumbnail),
        "file": plain(result.name),
        "result": result.label or result.state,
        "probability": result.probability,
        "remark": plain(remark, 200) if remark else "",
    }


def _uri(thumbnail):
    data = base64.b64encode(encode(thumbnail, "JPEG")).decode()
    return f"data:image/jpeg;base64,{data}"
