"""The pages of the app: functions that Streamlit calls."""

from brain_tumor_clf.app._pages._classify import classify_page
from brain_tumor_clf.app._pages._model_card import model_card_page

__all__ = ["classify_page", "model_card_page"]
