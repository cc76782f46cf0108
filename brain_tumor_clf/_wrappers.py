"""Estimators around estimators: what is inside, and which steps do nothing."""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator


def unwrap(estimator):
    """What is inside one wrapper that changes nothing of what a classifier looks at.

    Parameters
    ----------
    estimator : estimator
        Maybe frozen, a finished search, or calibrated on a frozen classifier.

    Returns
    -------
    estimator or None
        None if it is no such wrapper.
    """
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if hasattr(estimator, "best_estimator_"):
        return estimator.best_estimator_
    if isinstance(estimator, CalibratedClassifierCV):
        calibrated = getattr(estimator, "calibrated_classifiers_", ())
        return calibrated[0].estimator if len(calibrated) == 1 else None
    return None


def first_member(estimator):
    """The first classifier that a fitted ensemble asks.

    Parameters
    ----------
    estimator : estimator
        Maybe a vote or a stack (`VotingClassifier`, `StackingClassifier`), or
        calibrated on several folds.

    Returns
    -------
    estimator or None
        None if it is no ensemble.
    """
    if isinstance(estimator, CalibratedClassifierCV):
        return estimator.calibrated_classifiers_[0].estimator
    if isinstance(estimator, (VotingClassifier, StackingClassifier)):
        return estimator.estimators_[0]
    return None


def is_left_out(step):
    """Whether a step of a pipeline does nothing."""
    return step is None or (isinstance(step, str) and step == "passthrough")
