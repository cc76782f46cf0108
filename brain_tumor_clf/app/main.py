"""The script that Streamlit runs for each visitor and each of their actions.

``brain-tumor-clf app`` serves it. ``streamlit run main.py`` works as well, with the
packaged model and Streamlit's own settings.
"""

from pathlib import Path

import streamlit as st

from brain_tumor_clf.app._classify_page import classify_page
from brain_tumor_clf.app._images import draw_icon
from brain_tumor_clf.app._model_card_page import model_card_page
from brain_tumor_clf.app._served import served_model
from brain_tumor_clf.app._session import watch_session
from brain_tumor_clf.app._words import render
from brain_tumor_clf.reports import RESEARCH_ONLY

_CSS = Path(__file__).with_name("page.css")


def main():
    """Show the selected page between what all pages share."""
    st.set_page_config(
        page_title="Brain MRI classifier", page_icon=draw_icon(), layout="wide"
    )
    watch_session()
    st.html(_CSS)
    page = st.navigation(
        [
            st.Page(classify_page, title="Classify", url_path="classify", default=True),
            st.Page(model_card_page, title="Model card", url_path="model-card"),
        ],
        position="top",
    )
    page.run()
    model_id = served_model().model_id
    st.html(render("footer", text=f"{RESEARCH_ONLY} Model {model_id}."))


if __name__ == "__main__":
    main()
