"""Convolutional networks as scikit-learn classifiers."""

from brain_tumor_clf._validation import name_by_room
from brain_tumor_clf.classifiers._augmentation import Augmentation
from brain_tumor_clf.classifiers._base import BaseCNNClassifier
from brain_tumor_clf.classifiers._cnn import CNNClassifier
from brain_tumor_clf.classifiers._predictor import predict_logits
from brain_tumor_clf.classifiers._schedule import LearningRateSchedule
from brain_tumor_clf.classifiers._simple_cnn import SimpleCNNClassifier
from brain_tumor_clf.classifiers._source_weight import source_balanced_weight
from brain_tumor_clf.classifiers._transfer import (
    TransferCNNClassifier,
    VGG16Classifier,
    XceptionClassifier,
)

__all__ = [
    "Augmentation",
    "BaseCNNClassifier",
    "CNNClassifier",
    "LearningRateSchedule",
    "SimpleCNNClassifier",
    "TransferCNNClassifier",
    "VGG16Classifier",
    "XceptionClassifier",
    "predict_logits",
    "source_balanced_weight",
]

name_by_room(globals())
