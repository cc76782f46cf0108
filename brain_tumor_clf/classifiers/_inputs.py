"""Checks of the images, labels and weights that a classifier is given."""

import warnings

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from brain_tumor_clf._validation import check_image_collection

_USE_PIPELINE = (
    "Put the classifier into make_mri_pipeline(classifier, image_size=…), which reads "
    "and resizes."
)


def check_images(X, name):
    """Return images as an array (n, H, W, C), uint8 or float32, with C of 1 or 3."""
    X = check_image_collection(X)
    if X.dtype.kind in "OUS":
        X = _stack(X, name)
    if X.ndim == 3:
        X = X[..., None]
    if X.shape[-1] not in (1, 3):
        raise ValueError(
            f"{name} takes grey or RGB images (1 or 3 channels last), got an array of "
            f"shape {X.shape}."
        )
    if X.dtype == np.uint8:
        return X
    if X.dtype.kind not in "iuf":
        raise TypeError(f"{name} takes numeric images, got dtype {X.dtype}.")
    X = X.astype("float32", copy=False)
    _check_grey_levels(X, name)
    return X


def _stack(X, name):
    if not all(isinstance(image, np.ndarray) for image in X):
        got = type(next(x for x in X if not isinstance(x, np.ndarray))).__name__
        raise TypeError(
            f"{name} takes arrays of one size, got an entry of type {got}. "
            + _USE_PIPELINE
        )
    shapes = {image.shape for image in X}
    if len(shapes) > 1:
        raise ValueError(
            f"{name} takes images of one size, got {len(shapes)} shapes, such as "
            f"{', '.join(map(str, sorted(shapes)[:3]))}. " + _USE_PIPELINE
        )
    return np.stack(list(X))


def _check_grey_levels(X, name):
    low, high = float(X.min()), float(X.max())
    if not np.isfinite(low + high):
        raise ValueError(f"{name} takes finite images: X contains NaN or infinity.")
    if low < 0 or high > 255:
        raise ValueError(
            f"{name} takes grey levels from 0 to 255, got {low:g} to {high:g}. "
            "IntensityNormalizer maps any range to it."
        )
    if 0 < high <= 1:
        warnings.warn(
            f"{name} takes grey levels from 0 to 255, and the brightest of X is "
            f"{high:g}: were the images divided by 255? The network scales by itself.",
            UserWarning,
            stacklevel=4,
        )


def check_validation_images(X_val, name):
    """Raise an error that tells how a pipeline preprocesses `X_val`, if it did not."""
    try:
        return check_images(X_val, name)
    except TypeError as error:
        raise TypeError(
            "X_val holds files, not arrays: a pipeline passes it on as it is unless "
            "told otherwise. Set sklearn.set_config(enable_metadata_routing=True), "
            "pipe.set_params(transform_input=['X_val']) and "
            "classifier.set_fit_request(X_val=True, y_val=True)."
        ) from error


def check_labels(y):
    """Return labels as a 1-D array without missing entries."""
    if y is not None and not hasattr(y, "__array__"):
        y = np.asarray(y, dtype=object if _has_text(y) else None)
    y = column_or_1d(y, warn=True)
    if pd.isna(y).any():
        raise ValueError(f"Input y contains NaN: {int(pd.isna(y).sum())} labels.")
    if y.dtype.kind == "f" and np.isinf(y).any():
        raise ValueError(f"Input y contains infinity: {int(np.isinf(y).sum())} labels.")
    check_classification_targets(y)
    return y


def _has_text(y):
    # A list of strings becomes objects, so that no label is cut to a fixed width.
    return any(isinstance(label, str) for label in y)


def find_classes(y):
    """Sorted distinct labels; at least two."""
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            "Classifier can't train when only one class is present: y holds only "
            f"{classes.tolist()}."
        )
    return classes


def encode_labels(y, classes):
    """Positions of labels in the sorted `classes`."""
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y contains labels that were not seen before: {unknown.tolist()}; known: "
            f"{classes.tolist()}."
        )
    return np.searchsorted(classes, y)


def check_weights(sample_weight, n):
    """Return weights as a new float32 array, or None."""
    if sample_weight is None:
        return None
    weight = np.array(sample_weight, dtype="float32")
    if weight.ndim == 0:
        weight = np.full(n, weight)
    if weight.shape != (n,):
        raise ValueError(
            f"sample_weight.shape == {weight.shape}, expected {(n,)}: one weight an "
            "image."
        )
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("sample_weight must be finite and not negative.")
    if not weight.any():
        raise ValueError("sample_weight is zero for every image: nothing to train on.")
    return weight
