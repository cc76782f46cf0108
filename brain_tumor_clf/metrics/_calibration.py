"""Whether probabilities are what they say."""

from numbers import Integral

import numpy as np
import pandas as pd

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.metrics._clinical import top_predictions


def reliability_curve(y_true, y_proba, *, classes, n_bins=15, strategy="uniform"):
    """How often the predicted class is right, by how sure the prediction is.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_proba : array-like of shape (n, n_classes)
        Probability of each class.
    classes : array-like of shape (n_classes,)
        Labels of the columns, ``estimator.classes_``.
    n_bins : int, default=15
        Number of bins of the highest probability.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or of an equal number of images.

    Returns
    -------
    DataFrame of at most n_bins rows
        Columns "confidence" (mean of the highest probability), "accuracy" and "count"
        of each bin that holds an image.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import reliability_curve
    >>> proba = [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.4, 0.6]]
    >>> curve = reliability_curve(["a", "b", "b", "b"], proba, classes=["a", "b"])
    >>> curve["count"].tolist()
    [1, 3]
    """
    confidence, accuracy, count = _bin_predictions(
        y_true, y_proba, classes, n_bins, strategy
    )
    return pd.DataFrame(
        {"confidence": confidence, "accuracy": accuracy, "count": count}
    )


def expected_calibration_error(
    y_true, y_proba, *, classes, n_bins=15, strategy="uniform"
):
    """Mean distance between how sure predictions are and how often they are right.

    The difference of confidence and accuracy in each bin, weighted by its images
    [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_proba : array-like of shape (n, n_classes)
        Probability of each class.
    classes : array-like of shape (n_classes,)
        Labels of the columns, ``estimator.classes_``.
    n_bins : int, default=15
        Number of bins of the highest probability.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or of an equal number of images.

    Returns
    -------
    float
        In [0, 1]; lower is better.

    References
    ----------
    .. [1] Guo et al., "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import expected_calibration_error
    >>> proba = [[0.75, 0.25]] * 4
    >>> expected_calibration_error(["a", "a", "a", "b"], proba, classes=["a", "b"])
    0.0
    """
    confidence, accuracy, count = _bin_predictions(
        y_true, y_proba, classes, n_bins, strategy
    )
    return float(np.average(np.abs(confidence - accuracy), weights=count))


def _bin_predictions(y_true, y_proba, classes, n_bins, strategy):
    """Mean confidence, share of right predictions and number of images of each bin.

    In NumPy alone: a bootstrap calls it a thousand times.
    """
    if not isinstance(n_bins, Integral) or n_bins < 1:
        raise ValueError(f"n_bins must be a positive integer, got {n_bins!r}.")
    check_choice("strategy", strategy, ("uniform", "quantile"))
    confidence, right = top_predictions(y_true, y_proba, classes)
    if strategy == "uniform":
        inner = np.linspace(0, 1, n_bins + 1)[1:-1]
    else:
        inner = np.unique(np.quantile(confidence, np.linspace(0, 1, n_bins + 1)[1:-1]))
    bins = np.digitize(confidence, inner, right=True)
    count = np.bincount(bins)
    sums = (np.bincount(bins, weights=part) for part in (confidence, right))
    filled = count > 0
    mean_confidence, accuracy = (part[filled] / count[filled] for part in sums)
    return mean_confidence, accuracy, count[filled]
