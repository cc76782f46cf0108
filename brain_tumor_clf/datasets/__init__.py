"""Data sets: folders and tables of scans, the public Kaggle set, and phantoms."""

from brain_tumor_clf.datasets._folder import has_subsets, load_mri_folder
from brain_tumor_clf.datasets._kaggle import fetch_brain_tumor_mri
from brain_tumor_clf.datasets._phantoms import make_brain_mri, write_brain_mri
from brain_tumor_clf.datasets._table import load_mri_table

__all__ = [
    "fetch_brain_tumor_mri",
    "has_subsets",
    "load_mri_folder",
    "load_mri_table",
    "make_brain_mri",
    "write_brain_mri",
]
