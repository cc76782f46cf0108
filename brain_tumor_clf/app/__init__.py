"""The web app: upload scans, see the predicted classes and their heat maps.

The pages only lay out what `_results`, `_images` and `_words` work out; those know
nothing of Streamlit, which is imported when the app is served, not with this package.
"""

from brain_tumor_clf.app._serve import is_local, serve

__all__ = ["is_local", "serve"]
