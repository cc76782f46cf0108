"""Splits that leave a whole source out: a hospital, a scanner, a collection."""

import numpy as np
import pandas as pd
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.utils.validation import check_consistent_length


def leave_one_source_out(sources, y, groups=None):
    """Split so that each source in turn is tested on and not trained on.

    A source is left out only if the others still hold every class: a score on classes
    that training lacks says nothing.

    Parameters
    ----------
    sources : array-like of shape (n,)
        Source of each image, such as its hospital or collection.
    y : array-like of shape (n,)
        Label of each image.
    groups : array-like of shape (n,), default=None
        Which images belong together. Images of other sources that share a group with
        the source left out are not trained on.

    Returns
    -------
    list of (train, test)
        Positions as ndarrays of int, one pair for each source that can be left out, in
        sorted order of the sources. scikit-learn takes the list as `cv`.

    Raises
    ------
    ValueError
        If no source can be left out, lengths differ, or a source, label or group is
        missing.

    See Also
    --------
    sklearn.model_selection.LeaveOneGroupOut : Does the same with any groups and labels.

    Examples
    --------
    >>> from brain_tumor_clf import leave_one_source_out
    >>> sources = ["A", "A", "A", "B", "B", "C"]
    >>> y = ["glioma", "notumor", "pituitary", "glioma", "notumor", "glioma"]
    >>> for train, test in leave_one_source_out(sources, y):  # A alone has pituitary
    ...     print(train, test)
    [0 1 2 5] [3 4]
    [0 1 2 3 4] [5]
    """
    columns = {"sources": sources, "y": y, "groups": groups}
    check_consistent_length(sources, y, groups)
    for name, column in columns.items():
        n_missing = 0 if column is None else int(pd.isna(np.asarray(column)).sum())
        if n_missing:
            raise ValueError(f"{name} has {n_missing} missing values; name each.")
    sources, y = np.asarray(sources), np.asarray(y)
    classes = np.unique(y)
    if len(np.unique(sources)) < 2:
        raise ValueError(
            f"At least two sources are needed to leave one out, got {sources[:1]}."
        )
    splits = []
    for train, test in LeaveOneGroupOut().split(y, y, sources):
        if groups is not None:
            shared = np.isin(np.asarray(groups)[train], np.asarray(groups)[test])
            train = train[~shared]
        if np.array_equal(np.unique(y[train]), classes):
            splits.append((train, test))
    if not splits:
        table = pd.crosstab(sources, y, rownames=["source"], colnames=[""])
        raise ValueError(
            "No source can be left out: without it, training would lack a class. "
            f"Images by source and class:\n{table}"
        )
    return splits
