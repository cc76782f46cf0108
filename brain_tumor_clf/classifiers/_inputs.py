"""Checks of images, labels and weights, and the validation split."""

import warnings

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from brain_tumor_clf._validation import stack_images
from brain_tumor_clf.exceptions import GroupsIgnoredWarning


def check_images(X, name):
    """Return images as an array (n, H, W, C), uint8 or float32, with C of 1 or 3."""
    X = stack_images(X, name)
    if X.ndim == 3:
        X = X[..., None]
    if X.shape[-1] not in (1, 3):
        raise ValueError(
            f"{name} takes gray or RGB images (1 or 3 channels last), got an array of "
            f"shape {X.shape}."
        )
    if X.dtype == np.uint8:
        return X
    if X.dtype.kind not in "iuf":
        raise TypeError(f"{name} takes numeric images, got dtype {X.dtype}.")
    X = X.astype("float32", copy=False)
    _check_intensities(X, name)
    return X


def _check_intensities(X, name):
    low, high = float(X.min()), float(X.max())
    if not np.isfinite(low + high):
        raise ValueError(f"{name} takes finite images: X contains NaN or infinity.")
    if low < 0 or high > 255:
        raise ValueError(
            f"{name} takes intensities from 0 to 255, got {low:g} to {high:g}. "
            "IntensityNormalizer maps any range to it."
        )
    if 0 < high <= 1:
        warnings.warn(
            f"{name} takes intensities from 0 to 255, and the largest of X is "
            f"{high:g}: were the images divided by 255? The network scales by itself.",
            UserWarning,
            stacklevel=4,
        )


def check_validation_images(X_val, name):
    """Return validation images; for files, say how a pipeline preprocesses them."""
    try:
        return check_images(X_val, name)
    except TypeError as error:
        raise TypeError(
            "X_val holds files, not arrays: a pipeline passes it on as it is unless "
            "told otherwise. Set sklearn.set_config(enable_metadata_routing=True), "
            "pipe.set_params(transform_input=['X_val']) and "
            "classifier.set_fit_request(X_val=True, y_val=True)."
        ) from error


def check_labels(y, name):
    """Return labels as a 1-D array without missing entries."""
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")
    if not hasattr(y, "__array__"):
        # Text becomes objects, so that no label is cut to a fixed width.
        has_text = any(isinstance(label, str) for label in y)
        y = np.asarray(y, dtype=object if has_text else None)
    y = column_or_1d(y, warn=True)
    if pd.isna(y).any():
        raise ValueError(f"Input y contains NaN: {int(pd.isna(y).sum())} labels.")
    if y.dtype.kind == "f" and np.isinf(y).any():
        raise ValueError(f"Input y contains infinity: {int(np.isinf(y).sum())} labels.")
    check_classification_targets(y)
    return y


def find_classes(y):
    """Return the sorted distinct labels, at least two."""
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            "Classifier can't train when only one class is present: y holds only "
            f"{classes.tolist()}."
        )
    return classes


def encode_labels(y, classes):
    """Return the positions of labels in the sorted `classes`."""
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y contains labels that were not seen before: {unknown.tolist()}; known: "
            f"{classes.tolist()}."
        )
    return np.searchsorted(classes, y)


def make_targets(codes, n_classes):
    """Return targets of the loss: one column for two classes, else one each."""
    if n_classes == 2:
        return codes[:, None].astype("float32")
    return np.eye(n_classes, dtype="float32")[codes]


def combine_weights(sample_weight, class_weight, y):
    """Return weights of the images, their mean 1, as a new float32 array, or None."""
    weight = sample_weight
    if weight is not None:
        weight = _check_sample_weight(
            weight, y, dtype=np.float64, ensure_non_negative=True
        )
    if class_weight is not None:
        by_class = compute_sample_weight(class_weight, y)
        weight = by_class if weight is None else weight * by_class
    if weight is None:
        return None
    if not weight.any():
        raise ValueError("The weight of every image is zero: nothing to train on.")
    # Divided by the largest first, lest the mean overflow or vanish.
    weight = weight / weight.max()
    return (weight / weight.mean()).astype("float32")


def validation_split(y, fraction, *, groups=None, seed):
    """Split images into a training and a validation part, by class and by group.

    Returns the sorted positions of each part; every class is in training.
    """
    if groups is None:
        train, validation = _split_images(y, fraction, seed)
    else:
        train, validation = _split_groups(y, fraction, np.asarray(groups), seed)
    return np.sort(train), np.sort(validation)


def _split_images(y, fraction, seed):
    n_classes = len(np.unique(y))
    smallest = np.unique(y, return_counts=True)[1].min()
    n_validation = max(n_classes, round(fraction * len(y)))
    if smallest < 2 or len(y) - n_validation < n_classes:
        raise ValueError(
            f"validation_fraction={fraction} of {len(y)} images cannot hold out an "
            f"image of each of {n_classes} classes and train on each: the smallest "
            f"class has {smallest}. Give more images, X_val and y_val, "
            "or set early_stopping=False."
        )
    splitter = StratifiedShuffleSplit(1, test_size=n_validation, random_state=seed)
    return next(splitter.split(np.zeros(len(y)), y))


def _split_groups(y, fraction, groups, seed):
    """Return the fold, of about 1 / fraction, whose class counts are nearest to y's."""
    n_groups = len(np.unique(groups))
    counts = np.bincount(y)
    # More folds than a class has images: scikit-learn warns, or refuses.
    most = max(2, counts[counts > 0].min())
    n_splits = min(max(2, round(1 / fraction)), n_groups, most)
    best, best_distance = None, np.inf
    if n_splits >= 2:
        folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
        for train, validation in folds.split(np.zeros(len(y)), y, groups):
            if len(validation) == 0 or len(np.unique(y[train])) < len(np.unique(y)):
                continue
            held_out = np.bincount(y[validation], minlength=len(counts))
            distance = np.abs(held_out - fraction * counts).sum()
            if distance < best_distance:
                best, best_distance = (train, validation), distance
    if best is None:
        raise ValueError(
            f"No split of {n_groups} groups holds a validation part out and leaves "
            "every class in training: some class lies in a single group. Give more "
            "groups, X_val and y_val, or set early_stopping=False."
        )
    return best


def warn_without_groups(name):
    """Warn that early stopping may watch copies of training images."""
    warnings.warn(
        f"{name} holds images out for early stopping without knowing which belong "
        "together: slices of one patient may lie on both sides, and the validation "
        "loss is then too good. Give fit(groups=…) the patient or duplicate group "
        "of each image (np.arange(n) if each stands alone).",
        GroupsIgnoredWarning,
        stacklevel=3,
    )
