"""The command line: ``brain-tumor-clf``. It parses, calls and shows, nothing else."""

from brain_tumor_clf.cli._main import main

__all__ = ["main"]
