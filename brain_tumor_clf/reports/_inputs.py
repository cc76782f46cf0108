"""Labels and groups as reports need them: one for each image, none missing."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_consistent_length, column_or_1d

_N_NAMED = 5


def check_labels(y, suffix=""):
    """Return labels as a 1-D array, or raise if an image has none.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    suffix : str, default=""
        What follows "X" and "y" in the names of the arguments: "_test", "_train".

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If a label is None or NaN.
    """
    y = column_or_1d(y)
    lacking = np.flatnonzero(pd.isna(y))
    if len(lacking):
        raise ValueError(
            f"y{suffix} has no label for {len(lacking)} of {len(y)} images, at "
            f"positions {_named(lacking)}. Label them, or leave them out of both "
            f"X{suffix} and y{suffix}."
        )
    return y


def check_groups(groups, y):
    """Return groups as a 1-D array that fits the labels; None stays None.

    Parameters
    ----------
    groups : array-like of shape (n,) or None
        Patient or duplicate group of each image.
    y : array-like of shape (n,)
        Labels of the same images.

    Returns
    -------
    ndarray of shape (n,) or None

    Raises
    ------
    ValueError
        If the length differs, or an image has no group: all of those would be taken
        for one group.
    """
    if groups is None:
        return None
    groups = column_or_1d(groups)
    check_consistent_length(groups, y)
    lacking = np.flatnonzero(pd.isna(groups))
    if len(lacking):
        raise ValueError(
            f"groups has no entry for {len(lacking)} of {len(groups)} images, at "
            f"positions {_named(lacking)}. NearDuplicateGrouper().fit_predict(X, "
            "links=groups) gives each of them a group, too."
        )
    return groups


def _named(positions):
    shown = ", ".join(map(str, positions[:_N_NAMED]))
    return f"{shown}, …" if len(positions) > _N_NAMED else shown
