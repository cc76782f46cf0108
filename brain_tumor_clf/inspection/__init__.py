"""Pictures of training, of calibration, and of the images behind the scores."""

from brain_tumor_clf.inspection._duplicate_pairs import DuplicatePairsDisplay
from brain_tumor_clf.inspection._misclassified import MisclassifiedDisplay
from brain_tumor_clf.inspection._reliability import ReliabilityDisplay
from brain_tumor_clf.inspection._training_history import TrainingHistoryDisplay

__all__ = [
    "DuplicatePairsDisplay",
    "MisclassifiedDisplay",
    "ReliabilityDisplay",
    "TrainingHistoryDisplay",
]
