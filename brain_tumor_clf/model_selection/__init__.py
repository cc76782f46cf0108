"""Which images belong together when a data set is split."""

from brain_tumor_clf.model_selection._near_duplicates import NearDuplicateGrouper

__all__ = ["NearDuplicateGrouper"]
