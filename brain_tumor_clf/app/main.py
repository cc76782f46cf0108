"""The script that Streamlit runs for each visitor and each of their actions.

``brain-tumor-clf app`` serves it. ``streamlit run main.py`` works as well, with the
packaged model and Streamlit's own settings.
"""

import streamlit as st

from brain_tumor_clf.app._pages import classify_page, model_card_page
from brain_tumor_clf.app._served import served_model
from brain_tumor_clf.app._style import CSS, footer, page_icon


def main():
    """Show the page that was asked for, between what all pages share."""
    st.set_page_config(
        page_title="Brain MRI classifier", page_icon=page_icon(), layout="wide"
    )
    st.html(CSS)
    page = st.navigation(
        [
            st.Page(classify_page, title="Classify", url_path="classify", default=True),
            st.Page(model_card_page, title="Model card", url_path="model-card"),
        ],
        position="top",
    )
    page.run()
    st.html(footer(served_model()))


if __name__ == "__main__":
    main()
