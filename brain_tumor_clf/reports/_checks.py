"""Checks of what reports are given: images, labels, groups and probabilities."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_consistent_length, column_or_1d

from brain_tumor_clf._validation import check_image_collection


def check_both(X, y, suffix):
    """Refuse images without labels, and labels without images."""
    if (X is None) != (y is None):
        given = f"X{suffix}" if y is None else f"y{suffix}"
        raise ValueError(
            f"X{suffix} and y{suffix} must be given together, got only {given}."
        )


def check_part(X, y, groups, suffix):
    """Return images, labels and groups, of which some may be unknown, of one split."""
    X, y = check_image_collection(X), check_labels(y, suffix)
    check_consistent_length(X, y, groups)
    groups = np.full(len(y), None) if groups is None else groups
    return X, y, column_or_1d(np.asarray(groups, dtype=object))


def check_labels(y, suffix="", label_map=None):
    """Return labels as a 1-D array, or raise a ValueError if an image has none."""
    y = column_or_1d(y)
    advice = f"Label them, or leave them out of both X{suffix} and y{suffix}."
    _check_complete(y, f"y{suffix} has no label", advice)
    if not label_map:
        return y
    return np.asarray([label_map.get(label, label) for label in y.tolist()])


def check_groups(groups, y, name="groups"):
    """Return groups as a 1-D array that fits the labels; None stays None.

    Raise a ValueError if an image has no group: all of those would be taken for one.
    """
    if groups is None:
        return None
    groups = column_or_1d(groups)
    check_consistent_length(groups, y)
    advice = "NearDuplicateGrouper().fit_predict(X, links=groups) gives each a group."
    if name != "groups":
        advice = "Name each, or leave these images out."
    _check_complete(groups, f"{name} has no entry", advice)
    return groups


def _check_complete(values, what, advice):
    lacking = np.flatnonzero(pd.isna(values))
    if len(lacking):
        named = ", ".join(map(str, lacking[:5])) + ", …" * (len(lacking) > 5)
        raise ValueError(
            f"{what} for {len(lacking)} of {len(values)} images, at positions "
            f"{named}. {advice}"
        )


def check_finite(proba, name):
    """Refuse probabilities of a model that diverged in training."""
    bad = np.flatnonzero(~np.isfinite(np.asarray(proba, dtype=float)).all(axis=-1))
    if len(bad):
        raise ValueError(
            f"{name} holds NaN or infinity for {len(bad)} of {len(proba)} images, "
            f"first at position {bad[0]}: the model diverged in training. Train it "
            "again with a lower learning rate."
        )


def check_kinds(y_true, y_pred, known):
    """Refuse text beside numbers, which would become text and match nothing."""
    firsts = [part[:1].tolist()[0] for part in (y_true, y_pred, known) if len(part)]
    if len({isinstance(first, str) for first in firsts}) > 1:
        raise ValueError(
            f"Labels must be of one kind: y holds {firsts[0]!r}, the model predicts "
            f"{firsts[-1]!r}. Give y in the names that the model was trained on."
        )
