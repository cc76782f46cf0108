"""Displays of training, calibration and errors, and heat maps of predictions."""

from brain_tumor_clf.inspection._axes import axes_row, require_pyplot
from brain_tumor_clf.inspection._confidence import (
    ReliabilityDisplay,
    RiskCoverageDisplay,
)
from brain_tumor_clf.inspection._galleries import (
    DuplicatePairsDisplay,
    MisclassifiedDisplay,
)
from brain_tumor_clf.inspection._grad_cam import grad_cam
from brain_tumor_clf.inspection._occlusion import occlusion_map
from brain_tumor_clf.inspection._saliency import SaliencyDisplay
from brain_tumor_clf.inspection._training_history import TrainingHistoryDisplay

__all__ = [
    "DuplicatePairsDisplay",
    "MisclassifiedDisplay",
    "ReliabilityDisplay",
    "RiskCoverageDisplay",
    "SaliencyDisplay",
    "TrainingHistoryDisplay",
    "axes_row",
    "grad_cam",
    "occlusion_map",
    "require_pyplot",
]
