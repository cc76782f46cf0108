"""Error rates of "tumor or not" and of each class, and checks of predictions."""

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.metrics import multilabel_confusion_matrix, roc_curve
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    column_or_1d,
)

from brain_tumor_clf._validation import nearest_name

_ROUNDING = 1e-6  # by which a mean of probabilities may leave [0, 1]


def tumor_miss_rate(y_true, y_pred, *, healthy="notumor", sample_weight=None):
    """Compute the share of tumors that are predicted to be healthy.

    This is the false-negative rate of "tumor or not"; a tumor that is predicted to be
    another kind of tumor is not missed.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    healthy : label, default="notumor"
        The class without a tumor.
    sample_weight : array-like of shape (n,), default=None
        Sample weights.

    Returns
    -------
    float
        In [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If `y_true` has no healthy image, or no tumor.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import tumor_miss_rate
    >>> true = ["glioma", "glioma", "meningioma", "pituitary", "notumor"]
    >>> tumor_miss_rate(true, ["notumor", "glioma", "glioma", "pituitary", "glioma"])
    0.25
    """
    is_healthy, called, weight = _check_labels(y_true, y_pred, healthy, sample_weight)
    return float(np.average(called[~is_healthy], weights=weight[~is_healthy]))


def false_alarm_rate(y_true, y_pred, *, healthy="notumor", sample_weight=None):
    """Compute the share of healthy scans that are predicted to be a tumor.

    Parameters
    ----------
    y_true, y_pred, healthy, sample_weight
        As in `tumor_miss_rate`.

    Returns
    -------
    float
        In [0, 1]; lower is better.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import false_alarm_rate
    >>> false_alarm_rate(["notumor", "notumor", "glioma"], ["glioma"] * 3)
    1.0
    """
    is_healthy, called, weight = _check_labels(y_true, y_pred, healthy, sample_weight)
    return float(np.average(~called[is_healthy], weights=weight[is_healthy]))


@validate_params(
    {"specificity": [Interval(Real, 0, 1, closed="both")]},
    prefer_skip_nested_validation=True,
)
def sensitivity_at_specificity(
    y_true, y_proba, *, classes, specificity=0.95, healthy="notumor"
):
    """Compute the highest sensitivity to tumors at a given specificity.

    A scan is predicted to be a tumor if the probability of the healthy class is below
    a threshold. Of all thresholds with at least the given specificity, the one with the
    highest sensitivity is used.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_proba : array-like of shape (n, n_classes)
        Predicted probability of each class.
    classes : array-like of shape (n_classes,)
        Labels of the columns, ``estimator.classes_``.
    specificity : float, default=0.95
        Lowest share of healthy scans predicted to be healthy, in [0, 1].
    healthy : label, default="notumor"
        As in `tumor_miss_rate`.

    Returns
    -------
    float
        In [0, 1]; higher is better.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import sensitivity_at_specificity
    >>> proba = [[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.4, 0.6]]
    >>> y = ["glioma", "notumor", "notumor", "glioma"]
    >>> sensitivity_at_specificity(y, proba, classes=["glioma", "notumor"])
    1.0
    """
    y_true = column_or_1d(y_true)
    is_healthy = _find_healthy(y_true, healthy)
    proba = check_proba(y_true, y_proba, classes)
    p_healthy = proba[:, column_of(classes, healthy, "classes")]
    alarms, hits, _ = roc_curve(~is_healthy, -p_healthy, drop_intermediate=False)
    return float(hits[1 - alarms >= specificity - 1e-9].max())


def per_class_rates(y_true, y_pred, *, labels=None):
    """Compute sensitivity, specificity, precision and support of each class.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    labels : array-like of shape (n_classes,), default=None
        Classes in the order of the rows; by default all that occur, sorted.

    Returns
    -------
    DataFrame of n_classes rows
        Columns "sensitivity", "specificity" and "precision" of the class against the
        rest, NaN if undefined, and "support", the number of images of the class.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import per_class_rates
    >>> rates = per_class_rates(["a", "a", "b", "b"], ["a", "b", "b", "b"])
    >>> rates.loc["a", ["sensitivity", "specificity"]].tolist()
    [0.5, 1.0]
    """
    if labels is None:
        labels = np.unique(np.concatenate([y_true, y_pred]))
    counts = multilabel_confusion_matrix(y_true, y_pred, labels=labels)
    (true_negative, false_positive), (missed, hits) = counts.transpose(1, 2, 0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN
        rates = {
            "sensitivity": hits / (hits + missed),
            "specificity": true_negative / (true_negative + false_positive),
            "precision": hits / (hits + false_positive),
            "support": hits + missed,
        }
    return pd.DataFrame(rates, index=pd.Index(labels, name="class"))


def column_of(classes, healthy, name):
    """Return the position of the healthy class, or raise an error that lists them."""
    classes = list(classes)
    if healthy not in classes:
        near = nearest_name(healthy, classes)
        hint = f" Did you mean healthy={near!r}?" if near else ""
        raise ValueError(
            f"{name} has no class {healthy!r}, only {classes}.{hint} Set healthy=… to "
            "the class without a tumor."
        )
    return classes.index(healthy)


def check_proba(y_true, y_proba, classes):
    """Return probabilities as an array (n, n_classes) that fits labels and classes."""
    y_proba = np.asarray(y_proba, dtype=float)
    check_consistent_length(y_true, y_proba)
    if y_proba.ndim != 2 or y_proba.shape[1] != len(classes):
        raise ValueError(
            f"y_proba must have one column for each of {len(classes)} classes, got an "
            f"array of shape {y_proba.shape}."
        )
    clipped = np.clip(y_proba, 0, 1)
    is_valid = np.abs(y_proba - clipped) <= _ROUNDING  # False for NaN
    if not is_valid.all():
        row, column = np.argwhere(~is_valid)[0]
        raise ValueError(
            f"y_proba must hold probabilities in [0, 1], got {y_proba[row, column]:g} "
            f"in row {row}."
        )
    return clipped


def top_predictions(y_true, y_proba, classes):
    """Return the highest probability of each image, and whether that class is true."""
    y_true = column_or_1d(y_true)
    y_proba = check_proba(y_true, y_proba, classes)
    predicted = np.asarray(classes)[y_proba.argmax(axis=1)]
    return y_proba.max(axis=1), predicted == y_true


def _find_healthy(y_true, healthy):
    """Return which images are healthy; both kinds must occur."""
    is_healthy = np.asarray(y_true == healthy)
    if is_healthy.ndim == 0 or not is_healthy.any():
        column_of(pd.unique(y_true), healthy, "y_true")
    if is_healthy.all():
        raise ValueError(f"y_true has no tumor: every label is {healthy!r}.")
    return is_healthy


def _check_labels(y_true, y_pred, healthy, sample_weight):
    """Return which images are healthy, which are predicted healthy, and weights."""
    check_consistent_length(y_true, y_pred, sample_weight)
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    weight = _check_sample_weight(sample_weight, y_true)
    return _find_healthy(y_true, healthy), np.asarray(y_pred == healthy), weight
