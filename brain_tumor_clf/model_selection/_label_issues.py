"""Search for wrong labels by the probabilities of a model that has not seen them."""

import warnings

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_consistent_length

from brain_tumor_clf._validation import check_choice


def find_label_issues(y, proba, classes, groups=None):
    """Find images whose labels are probably wrong.

    Confident learning [1]_ estimates from the probabilities how often each class is
    labeled as each other one, and lists that many images, those that the model
    contradicts most. cleanlab computes it (``pip install 'brain-tumor-clf[labels]'``).

    Parameters
    ----------
    y : array-like of shape (n,)
        Label of each image.
    proba : array-like of shape (n, n_classes)
        Out-of-fold probabilities, with groups kept whole, as of
        ``cross_val_predict(method="predict_proba", groups=groups,
        cv=StratifiedGroupKFold())``. A model agrees with the labels that it was
        trained on, and with those of copies and of other slices of the same patient.
    classes : array-like of shape (n_classes,)
        Class of each column of `proba`. A class may be the label of no image.
    groups : array-like of shape (n,), default=None
        Group of each image, to be listed beside it.

    Returns
    -------
    DataFrame
        One row per suspect image, most suspect first, with the columns "position" (in
        `y`), "label", "suggested" (the most probable class), "quality" (probability of
        the label) and, if given, "group".

    Raises
    ------
    ImportError
        If cleanlab is not installed.
    ValueError
        If shapes do not fit, a label is not in `classes`, or rows of `proba` are no
        probabilities.

    Notes
    -----
    A suspect label is not yet a wrong one: images that are hard for the model are
    listed too. Look at them before you remove or relabel any.

    References
    ----------
    .. [1] C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident Learning: Estimating
       Uncertainty in Dataset Labels", JAIR 70, 1373-1411, 2021.

    Examples
    --------
    >>> from brain_tumor_clf import find_label_issues
    >>> y = ["glioma"] * 4 + ["notumor"] * 4
    >>> proba = [[0.9, 0.1]] * 3 + [[0.05, 0.95]] + [[0.2, 0.8]] * 4
    >>> find_label_issues(y, proba, classes=["glioma", "notumor"])
       position   label suggested  quality
    0         3  glioma   notumor     0.05
    """
    y, classes, proba = np.asarray(y), np.asarray(classes), _check_proba(proba)
    check_consistent_length(y, proba, groups)
    if proba.shape[1] != len(classes):
        raise ValueError(
            f"proba needs one column for each of the {len(classes)} classes, got "
            f"{proba.shape[1]}."
        )
    for label in pd.unique(y).tolist():
        check_choice("label in y", label, classes.tolist())
    codes = pd.Index(classes).get_indexer(y)
    at = _rank(codes, proba)
    issues = {
        "position": at,
        "label": y[at],
        "suggested": classes[proba[at].argmax(axis=1)],
        "quality": proba[at, codes[at]],
    }
    if groups is not None:
        issues["group"] = np.asarray(groups)[at]
    return pd.DataFrame(issues)


def _check_proba(proba):
    """Return probabilities as an array, or say what else they are."""
    proba = check_array(proba, input_name="proba", ensure_min_features=2)
    if proba.min() < 0 or not np.allclose(proba.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            "Each row of proba must hold probabilities that sum to 1, got values from "
            f"{proba.min():.3g} to {proba.max():.3g}. Apply softmax to logits."
        )
    return proba


def _rank(codes, proba):
    """Return the positions of suspect labels, most suspect first."""
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise ImportError(
            "Finding label issues needs cleanlab: pip install "
            "'brain-tumor-clf[labels]'."
        ) from error
    with warnings.catch_warnings():
        # A class that is the label of one image or none: nothing can be said of it.
        warnings.filterwarnings("ignore", "May not flag all label issues")
        return find_label_issues(
            codes,
            proba,
            return_indices_ranked_by="self_confidence",
            n_jobs=1,  # processes forked after TensorFlow has run hang
        )
