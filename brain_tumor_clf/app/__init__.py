"""The web app: scans go in by drag and drop, what the model says comes out.

What it says is worked out in modules that know nothing of Streamlit (`_results`,
`_heat`, `_remarks`, `_report_file`); the pages lay it out, nothing else. Streamlit is
imported when the app is served, not with this package.
"""

from brain_tumor_clf.app._serve import serve

__all__ = ["serve"]
