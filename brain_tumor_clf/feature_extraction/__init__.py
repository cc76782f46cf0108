"""Features of frozen networks, for scikit-learn's own classifiers."""

from brain_tumor_clf._validation import name_by_room
from brain_tumor_clf.feature_extraction._cnn_features import CNNFeatures

__all__ = ["CNNFeatures"]

name_by_room(globals())
