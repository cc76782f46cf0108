"""Hold out a part of the training images that early stopping watches."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from brain_tumor_clf.exceptions import GroupsIgnoredWarning


def validation_split(y, fraction, *, groups=None, seed):
    """Split images into a training and a validation part, by class and by group.

    Parameters
    ----------
    y : ndarray of shape (n,), int
        Class codes.
    fraction : float
        Share of the images to hold out, in (0, 1).
    groups : array-like of shape (n,), default=None
        Images of one group (a patient, a set of copies) stay on one side.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    train, validation : ndarray of int
        Sorted positions; every class is in `train`.

    Raises
    ------
    ValueError
        If no split leaves every class in the training part.
    """
    if groups is None:
        train, validation = _split_images(y, fraction, seed)
    else:
        train, validation = _split_groups(y, fraction, np.asarray(groups), seed)
    return np.sort(train), np.sort(validation)


def _split_images(y, fraction, seed):
    n_classes = len(np.unique(y))
    counts = np.bincount(y)
    n_validation = max(n_classes, round(fraction * len(y)))
    if counts[counts > 0].min() < 2 or len(y) - n_validation < n_classes:
        raise ValueError(
            f"validation_fraction={fraction} of {len(y)} images cannot hold out an "
            f"image of each of {n_classes} classes and train on each: the smallest "
            f"class has {counts[counts > 0].min()}. Give more images, X_val and y_val, "
            "or set early_stopping=False."
        )
    splitter = StratifiedShuffleSplit(1, test_size=n_validation, random_state=seed)
    return next(splitter.split(np.zeros(len(y)), y))


def _split_groups(y, fraction, groups, seed):
    """The fold, of about 1 / fraction, whose class shares are nearest to those of y."""
    n_groups = len(np.unique(groups))
    counts = np.bincount(y)
    # More folds than a class has images: scikit-learn warns, or refuses.
    most = max(2, counts[counts > 0].min())
    n_splits = min(max(2, round(1 / fraction)), n_groups, most)
    target = fraction * counts
    best, best_distance = None, np.inf
    if n_splits >= 2:
        folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
        for train, validation in folds.split(np.zeros(len(y)), y, groups):
            if len(validation) == 0 or len(np.unique(y[train])) < len(np.unique(y)):
                continue
            held_out = np.bincount(y[validation], minlength=len(target))
            distance = np.abs(held_out - target).sum()
            if distance < best_distance:
                best, best_distance = (train, validation), distance
    if best is None:
        raise ValueError(
            f"No split of {n_groups} groups holds a validation part out and leaves "
            "every class in training: some class lies in a single group. Give more "
            "groups, X_val and y_val, or set early_stopping=False."
        )
    return best


def warn_without_groups(groups, name):
    """Warn that early stopping may watch copies of training images."""
    if groups is None:
        warnings.warn(
            f"{name} holds images out for early stopping without knowing which belong "
            "together: slices of one patient may lie on both sides, and the validation "
            "loss is then too good. Give fit(groups=…) the patient or duplicate group "
            "of each image (np.arange(n) if each stands alone).",
            GroupsIgnoredWarning,
            stacklevel=3,
        )
