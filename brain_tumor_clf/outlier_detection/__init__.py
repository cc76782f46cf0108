"""Is an image a brain scan at all?"""

from brain_tumor_clf.outlier_detection._scan_guard import ScanGuard

__all__ = ["ScanGuard"]
