"""Rates of tumor or not, whatever the kind of tumor, and of each class."""

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix
from sklearn.utils.validation import check_consistent_length, column_or_1d

from brain_tumor_clf._validation import nearest_name

_ROUNDING = 1e-6  # beyond [0, 1] that means of probabilities may have


def tumor_miss_rate(y_true, y_pred, *, healthy="notumor", sample_weight=None):
    """Share of the tumors that were called healthy.

    The false-negative rate of "tumor or not": a tumor called by another tumor's
    name is not missed.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    healthy : label, default="notumor"
        The class without a tumor.
    sample_weight : array-like of shape (n,), default=None
        Weight of each image.

    Returns
    -------
    float
        In [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If no image has the healthy class, or none has a tumor.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import tumor_miss_rate
    >>> true = ["glioma", "glioma", "meningioma", "pituitary", "notumor"]
    >>> tumor_miss_rate(true, ["notumor", "glioma", "glioma", "pituitary", "glioma"])
    0.25
    """
    is_healthy, called_healthy, weight = _check_pairs(
        y_true, y_pred, healthy, sample_weight
    )
    return float(np.average(called_healthy[~is_healthy], weights=weight[~is_healthy]))


def false_alarm_rate(y_true, y_pred, *, healthy="notumor", sample_weight=None):
    """Share of the healthy scans that were called a tumor of any kind.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    healthy : label, default="notumor"
        The class without a tumor.
    sample_weight : array-like of shape (n,), default=None
        Weight of each image.

    Returns
    -------
    float
        In [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If no image has the healthy class, or none has a tumor.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import false_alarm_rate
    >>> false_alarm_rate(["notumor", "notumor", "glioma"], ["glioma"] * 3)
    1.0
    """
    is_healthy, called_healthy, weight = _check_pairs(
        y_true, y_pred, healthy, sample_weight
    )
    return float(np.average(~called_healthy[is_healthy], weights=weight[is_healthy]))


def sensitivity_at_specificity(
    y_true, y_proba, *, classes, specificity=0.95, healthy="notumor"
):
    """Share of tumors found when at least so many healthy scans are called healthy.

    A scan counts as a tumor when the probability that it is healthy is below a
    threshold; of the thresholds that keep the specificity, the best is taken.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_proba : array-like of shape (n, n_classes)
        Probability of each class.
    classes : array-like of shape (n_classes,)
        Labels of the columns, ``estimator.classes_``.
    specificity : float, default=0.95
        Least share of healthy scans that are called healthy, in [0, 1].
    healthy : label, default="notumor"
        The class without a tumor.

    Returns
    -------
    float
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If no image or no column has the healthy class, or none has a tumor.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import sensitivity_at_specificity
    >>> proba = [[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.4, 0.6]]
    >>> y = ["glioma", "notumor", "notumor", "glioma"]
    >>> sensitivity_at_specificity(y, proba, classes=["glioma", "notumor"])
    1.0
    """
    if not isinstance(specificity, Real) or not 0 <= specificity <= 1:
        raise ValueError(f"specificity must be in [0, 1], got {specificity!r}.")
    y_true = column_or_1d(y_true)
    is_healthy = find_healthy(y_true, healthy)
    p_healthy = check_proba(y_true, y_proba, classes)[
        :, column_of(classes, healthy, "classes")
    ]
    of_healthy = np.sort(p_healthy[is_healthy])
    n_alarms = int(np.floor((1 - specificity) * len(of_healthy) + 1e-9))
    # Below the value of the last scan that may be an alarm nothing more is alarmed.
    threshold = of_healthy[n_alarms] if n_alarms < len(of_healthy) else np.inf
    return float(np.mean(p_healthy[~is_healthy] < threshold))


def per_class_rates(y_true, y_pred, *, labels=None):
    """Sensitivity, specificity, precision and support of each class against the rest.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    labels : array-like of shape (n_classes,), default=None
        Classes, in the order of the rows; all that occur by default.

    Returns
    -------
    DataFrame of n_classes rows
        Columns "sensitivity", "specificity" and "precision" in [0, 1], NaN where
        nothing is counted, and "support", the number of images of the class.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import per_class_rates
    >>> rates = per_class_rates(["a", "a", "b", "b"], ["a", "b", "b", "b"])
    >>> rates.loc["a", ["sensitivity", "specificity"]].tolist()
    [0.5, 1.0]
    """
    if labels is None:
        labels = np.unique(np.concatenate([y_true, y_pred]))
    counts = confusion_matrix(y_true, y_pred, labels=labels)
    hits, support, called = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    rest = counts.sum() - support
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: nothing was counted
        rates = {
            "sensitivity": hits / support,
            "specificity": (rest - (called - hits)) / rest,
            "precision": hits / called,
            "support": support,
        }
    return pd.DataFrame(rates, index=pd.Index(labels, name="class"))


def find_healthy(y_true, healthy):
    """Which images are healthy; both kinds must occur."""
    is_healthy = np.asarray(y_true == healthy)
    known = pd.unique(y_true)
    if is_healthy.ndim == 0 or not is_healthy.any():
        column_of(known, healthy, "y_true")
    if is_healthy.all():
        raise ValueError(f"y_true holds no tumor: every label is {healthy!r}.")
    return is_healthy


def column_of(classes, healthy, name):
    """Position of the healthy class; an error that lists the classes if it is none."""
    classes = list(classes)
    if healthy not in classes:
        near = nearest_name(healthy, classes)
        hint = f" Did you mean healthy={near!r}?" if near else ""
        raise ValueError(
            f"{name} has no class {healthy!r}; it holds {classes}.{hint} Name the "
            "class without a tumor: healthy=…"
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
    off = np.abs(y_proba - np.clip(y_proba, 0, 1))
    if not (off <= _ROUNDING).all():  # so that NaN is refused too
        raise ValueError("y_proba must hold probabilities in [0, 1].")
    return np.clip(y_proba, 0, 1)


def top_predictions(y_true, y_proba, classes):
    """How sure each prediction is, and whether it is right.

    Returns
    -------
    confidence : ndarray of shape (n,), float64
        The highest probability.
    right : ndarray of shape (n,), bool
    """
    y_true = column_or_1d(y_true)
    y_proba = check_proba(y_true, y_proba, classes)
    right = np.asarray(classes)[y_proba.argmax(axis=1)] == y_true
    return y_proba.max(axis=1), right


def _check_pairs(y_true, y_pred, healthy, sample_weight):
    check_consistent_length(y_true, y_pred, sample_weight)
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    is_healthy = find_healthy(y_true, healthy)
    weight = np.ones(len(y_true)) if sample_weight is None else sample_weight
    return is_healthy, np.asarray(y_pred == healthy), np.asarray(weight, dtype=float)
