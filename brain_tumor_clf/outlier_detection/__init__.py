"""Detection of images that are not brain scans, and of unfamiliar scans."""

from brain_tumor_clf._validation import name_by_room
from brain_tumor_clf.outlier_detection._familiarity_guard import FamiliarityGuard
from brain_tumor_clf.outlier_detection._scan_guard import ScanGuard

__all__ = ["FamiliarityGuard", "ScanGuard"]

name_by_room(globals())
