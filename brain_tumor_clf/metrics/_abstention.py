"""When to say "not sure": errors among the predictions that are kept."""

from numbers import Real

import numpy as np

from brain_tumor_clf.metrics._clinical import top_predictions


def risk_coverage_curve(y_true, y_proba, *, classes):
    """How many of the surest predictions are wrong, by how many are kept.

    A prediction is kept if its highest probability is at least a threshold; one point
    of the curve for each value that occurs [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_proba : array-like of shape (n, n_classes)
        Probability of each class.
    classes : array-like of shape (n_classes,)
        Labels of the columns, ``estimator.classes_``.

    Returns
    -------
    coverage : ndarray of shape (k,), float64
        Share of the predictions that are kept, rising to 1.
    risk : ndarray of shape (k,), float64
        Share of wrong ones among them.
    thresholds : ndarray of shape (k,), float64
        Least highest probability that is kept, falling.

    Raises
    ------
    ValueError
        If the shapes do not fit, or values are no probabilities.

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
    confidence, right = top_predictions(y_true, y_proba, classes)
    order = np.argsort(-confidence, kind="stable")
    confidence, n_wrong = confidence[order], np.cumsum(~right[order])
    # Equal confidences are kept or left together.
    last = np.append(np.flatnonzero(np.diff(confidence)), len(confidence) - 1)
    n_kept = last + 1
    return n_kept / len(confidence), n_wrong[last] / n_kept, confidence[last]


def abstention_threshold(y_true, y_proba, *, error_rate, classes):
    """The smallest probability from which on predictions err rarely enough.

    Predictions whose highest probability is below it are left to a radiologist; among
    the others at most `error_rate` were wrong. Choose it on predictions for patients
    that the model has not seen, and measure it on others: on those that it is chosen
    on, the error comes out too low.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_proba : array-like of shape (n, n_classes)
        Probability of each class.
    error_rate : float
        Largest share of wrong predictions among those that are kept, in [0, 1).
    classes : array-like of shape (n_classes,)
        Labels of the columns, ``estimator.classes_``.

    Returns
    -------
    float
        In [0, 1]; 0 if all predictions may be kept.

    Raises
    ------
    ValueError
        If no threshold reaches the rate, or an argument is out of its range.

    See Also
    --------
    risk_coverage_curve : Errors at every threshold, with the reference.

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
    if not isinstance(error_rate, Real) or not 0 <= error_rate < 1:
        raise ValueError(f"error_rate must be a number in [0, 1), got {error_rate!r}.")
    _, risk, thresholds = risk_coverage_curve(y_true, y_proba, classes=classes)
    reached = np.flatnonzero(risk <= error_rate)
    if len(reached) == 0:
        raise ValueError(
            f"No threshold brings the errors down to {error_rate:g}: of the surest "
            f"predictions {risk[0]:.3g} are wrong, and the least at any threshold is "
            f"{risk.min():.3g}. Allow a higher error_rate."
        )
    if reached[-1] == len(risk) - 1:
        return 0.0
    return float(thresholds[reached[-1]])
