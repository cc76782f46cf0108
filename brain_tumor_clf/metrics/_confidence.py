"""Metrics of the highest predicted probability: calibration and selective risk."""

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params

from brain_tumor_clf._validation import check_choice, check_count
from brain_tumor_clf.metrics._rates import top_predictions


def reliability_curve(y_true, y_proba, *, classes, n_bins=15, strategy="uniform"):
    """Compute the accuracy of predictions as a function of their confidence.

    The confidence of a prediction is the probability of the predicted class.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_proba : array-like of shape (n, n_classes)
        Predicted probability of each class.
    classes : array-like of shape (n_classes,)
        Labels of the columns, ``estimator.classes_``.
    n_bins : int, default=15
        Number of confidence bins.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or with equal numbers of images.

    Returns
    -------
    DataFrame of at most n_bins rows
        Columns "confidence" (mean), "accuracy" and "count" of each non-empty bin.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import reliability_curve
    >>> proba = [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.4, 0.6]]
    >>> curve = reliability_curve(["a", "b", "b", "b"], proba, classes=["a", "b"])
    >>> curve["count"].tolist()
    [1, 3]
    """
    check_count("n_bins", n_bins)
    check_choice("strategy", strategy, ("uniform", "quantile"))
    confidence, correct = top_predictions(y_true, y_proba, classes)
    edges = np.linspace(0, 1, n_bins + 1)[1:-1]
    if strategy == "quantile":
        edges = np.unique(np.quantile(confidence, edges))
    bins = np.digitize(confidence, edges, right=True)
    count = np.bincount(bins)
    filled = count > 0
    confidence, accuracy = (
        np.bincount(bins, weights=values)[filled] / count[filled]
        for values in (confidence, correct)
    )
    columns = {"confidence": confidence, "accuracy": accuracy, "count": count[filled]}
    return pd.DataFrame(columns)


def expected_calibration_error(
    y_true, y_proba, *, classes, n_bins=15, strategy="uniform"
):
    """Compute the expected calibration error of the predicted class [1]_.

    It is the mean absolute difference between confidence and accuracy over the bins
    of `reliability_curve`, weighted by the number of images.

    Parameters
    ----------
    y_true, y_proba, classes, n_bins, strategy
        As in `reliability_curve`.

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
    curve = reliability_curve(
        y_true, y_proba, classes=classes, n_bins=n_bins, strategy=strategy
    )
    gaps = (curve["confidence"] - curve["accuracy"]).abs()
    return float(np.average(gaps, weights=curve["count"]))


def risk_coverage_curve(y_true, y_proba, *, classes):
    """Compute the selective risk at every coverage [1]_.

    A prediction is accepted if its highest probability is at least a threshold. The
    curve has one point for each threshold that changes what is accepted.

    Parameters
    ----------
    y_true, y_proba, classes
        As in `reliability_curve`.

    Returns
    -------
    coverage : ndarray of shape (k,), float64
        Share of the predictions that are accepted, increasing to 1.
    risk : ndarray of shape (k,), float64
        Error rate among the accepted predictions.
    thresholds : ndarray of shape (k,), float64
        Decreasing thresholds.

    References
    ----------
    .. [1] Y. Geifman and R. El-Yaniv, "Selective Classification for Deep Neural
       Networks", NeurIPS 2017.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import risk_coverage_curve
    >>> proba = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.4, 0.6]]
    >>> coverage, risk, thresholds = risk_coverage_curve(
    ...     ["a", "b", "a", "b"], proba, classes=["a", "b"]
    ... )
    >>> coverage.tolist(), risk.tolist(), thresholds.tolist()
    ([0.25, 0.5, 1.0], [0.0, 0.0, 0.25], [0.9, 0.8, 0.6])
    """
    confidence, correct = top_predictions(y_true, y_proba, classes)
    order = np.argsort(-confidence, kind="stable")
    confidence, n_wrong = confidence[order], np.cumsum(~correct[order])
    # Equal confidences are accepted or rejected together.
    last = np.append(np.flatnonzero(np.diff(confidence)), len(confidence) - 1)
    n_accepted = last + 1
    return n_accepted / len(confidence), n_wrong[last] / n_accepted, confidence[last]


@validate_params(
    {"error_rate": [Interval(Real, 0, 1, closed="left")]},
    prefer_skip_nested_validation=True,
)
def abstention_threshold(y_true, y_proba, *, error_rate, classes):
    """Find the lowest abstention threshold with a given selective risk.

    A model abstains from predictions whose highest probability is below the threshold.
    Choose it on out-of-fold predictions and measure it on other patients: on the data
    on which it was chosen, the risk is underestimated.

    Parameters
    ----------
    y_true, y_proba, classes
        As in `risk_coverage_curve`.
    error_rate : float
        Highest error rate among the accepted predictions, in [0, 1).

    Returns
    -------
    float
        In [0, 1]; 0 if all predictions may be accepted.

    Raises
    ------
    ValueError
        If no threshold reaches the error rate, or an argument is out of range.

    See Also
    --------
    risk_coverage_curve : Selective risk at every threshold, with the reference.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import abstention_threshold
    >>> proba = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.4, 0.6]]
    >>> y = ["a", "b", "a", "b"]
    >>> abstention_threshold(y, proba, error_rate=0.1, classes=["a", "b"])
    0.8
    >>> abstention_threshold(y, proba, error_rate=0.25, classes=["a", "b"])
    0.0
    """
    _, risk, thresholds = risk_coverage_curve(y_true, y_proba, classes=classes)
    reached = thresholds[risk <= error_rate]
    if len(reached) == 0:
        raise ValueError(
            f"No threshold brings the error rate down to {error_rate:g}: among the "
            f"most confident predictions it is {risk[0]:.3g}, and the lowest at any "
            f"threshold is {risk.min():.3g}. Allow a higher error_rate."
        )
    return 0.0 if risk[-1] <= error_rate else float(reached[-1])
