"""Grouping of near-duplicate images, for splits without leakage."""

from brain_tumor_clf.model_selection._near_duplicates import (
    NearDuplicateGrouper,
    find_nearest,
)
from brain_tumor_clf.model_selection._thumbnails import (
    make_thumbnails,
    to_vectors,
    transforms,
)

__all__ = [
    "NearDuplicateGrouper",
    "find_nearest",
    "make_thumbnails",
    "to_vectors",
    "transforms",
]
