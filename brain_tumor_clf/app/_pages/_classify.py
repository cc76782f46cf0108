"""The first page: scans in, what the model says of them out."""

import streamlit as st

from brain_tumor_clf.app import _fragments
from brain_tumor_clf.app._limits import MAX_FILE_MB, MAX_FILES
from brain_tumor_clf.app._pages._one_scan import show_scan
from brain_tumor_clf.app._pages._table import show_table
from brain_tumor_clf.app._phantom import draw_phantom
from brain_tumor_clf.app._plain import plain
from brain_tumor_clf.app._results import Upload
from brain_tumor_clf.app._served import served_model
from brain_tumor_clf.app._session import forget_uploads, keep_uploads, results_of
from brain_tumor_clf.reports import RESEARCH_ONLY

_SCANS, _PHANTOM = "Your scans", "Try a phantom"
_KINDS = ("glioma", "meningioma", "pituitary", "notumor")


def classify_page():
    """Show the page."""
    model = served_model()
    st.title("Classify brain MRI scans", anchor=False)
    st.html(_fragments.subtitle(RESEARCH_ONLY))
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
        on_change=forget_uploads,
        help=f"Up to {MAX_FILES} files of {MAX_FILE_MB} MB each. They stay in memory "
        "and are forgotten when you close the page.",
    )
    uploads = keep_uploads(files)
    if not uploads:
        st.html(
            _fragments.soft(
                f"{plain(model.name)} tells {', '.join(model.labels)}. Files stay in "
                "memory and are forgotten when you close the page."
            )
        )
        return
    if not files and st.button("Forget these files", icon=":material/close:"):
        forget_uploads()
        st.rerun()
    results = results_of(model, uploads)
    chosen = _choose(uploads, results)
    show_scan(model, uploads[chosen], results[chosen])
    show_table(model, results)


def _choose(uploads, results):
    """Which file to show: position among the uploads."""
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
        kind = st.selectbox("Kind of phantom", _KINDS, key="kind")
        if st.button("Draw another", icon=":material/refresh:"):
            st.session_state["seed"] = st.session_state.get("seed", 0) + 1
    seed = st.session_state.get("seed", 0)
    name = f"phantom of class {kind}, no. {seed}"
    upload = Upload(f"phantom-{kind}-{seed}", name, draw_phantom(kind, seed))
    result = results_of(model, [upload])[0]
    show_scan(model, upload, result, is_phantom=True)
