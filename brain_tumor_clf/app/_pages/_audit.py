"""A page that shows a report of ``brain-tumor-clf audit``."""

import pandas as pd
import streamlit as st

from brain_tumor_clf.app import _fragments
from brain_tumor_clf.app._limits import MAX_FILE_MB
from brain_tumor_clf.app._plain import plain
from brain_tumor_clf.app._report_file import (
    TABLES,
    ReportFileError,
    framed,
    read_report,
)

_FRAME_HEIGHT = 900  # pixels
_COMMAND = "brain-tumor-clf audit FOLDER --html audit.html --json audit.json"


def audit_page():
    """Show the page."""
    st.title("Audit report", anchor=False)
    file = st.file_uploader(
        "A report that the audit wrote: JSON or HTML",
        type=["json", "html"],
        max_upload_size=MAX_FILE_MB,
        key="report",
    )
    if file is None:
        st.html(
            _fragments.soft(
                "An audit looks for copies, mirror images and shortcuts in a folder of "
                "scans, before a network is trained on them:"
            )
        )
        st.code(_COMMAND, language=None)
        return
    try:
        report = read_report(file.getvalue())
    except ReportFileError as error:
        st.error(plain(str(error), 300).replace("[", "").replace("]", ""))
        return
    if report.page is not None:
        st.iframe(framed(report.page), height=_FRAME_HEIGHT)
    else:
        _show_document(report.document)


def _show_document(document):
    data = document["protocol"].get("data")
    if isinstance(data, str):
        st.html(_fragments.soft(data))
    for finding in document["findings"]:
        st.html(_fragments.finding(**{k: finding[k] for k in _FINDING}))
        if finding["fix"]:
            st.code(finding["fix"], language="python")
    for name, title in TABLES.items():
        rows = document.get(name)
        if rows:
            st.subheader(title, anchor=False)
            st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


_FINDING = ("severity", "title", "detail")
