"""The command line, ``brain-tumor-clf``."""

from brain_tumor_clf.cli._info import show_versions
from brain_tumor_clf.cli._main import main

__all__ = ["main", "show_versions"]
