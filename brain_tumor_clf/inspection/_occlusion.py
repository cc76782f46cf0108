"""Heat maps by occlusion, for any classifier."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import check_image_collection, stack_images
from brain_tumor_clf.inspection._explained import (
    explained,
    in_original_pixels,
    of_first_member,
)

_SCORE_METHODS = ("predict_proba", "decision_function")
_PATCHES_A_SIDE = 8
_SMALLEST = 1e-12  # probability; below it 1 - p loses precision


def occlusion_map(estimator, X, target=None, *, patch_size=None, stride=None):
    """Compute heat maps of the regions that increase a class score, by occlusion.

    A square patch of the image's mean intensity is moved over the image [1]_. The heat
    of a pixel is the mean decrease of the log-odds of the class over the patches that
    cover it. Neither gradients nor a network are needed. An image takes some 225
    predictions.

    Parameters
    ----------
    estimator : fitted classifier, Pipeline or SelectiveClassifier
        With ``predict_proba`` or ``decision_function``. The leading image transformers
        of a pipeline run once, and their output is occluded. Of an ensemble whose
        members have their own image transformers, the first member is explained.
    X : sequence of n images
        Input of `estimator`.
    target : label or array-like of n labels, default=None
        The class to explain, for all images or for each; by default the predicted one.
    patch_size : int, default=None
        Side of the patch, in pixels of the classifier's input; by default an eighth of
        the shorter side.
    stride : int, default=None
        Distance between patches, in the same pixels; by default half of `patch_size`.

    Returns
    -------
    ndarray of shape (n, H, W), float32, or (n,), object
        Heat maps from 0 to 1, as `grad_cam` returns them.

    Raises
    ------
    TypeError
        If `estimator` has neither ``predict_proba`` nor ``decision_function``.
    ValueError
        If `target` is unknown, `patch_size` or `stride` is out of range, or the maps
        are not finite.

    See Also
    --------
    grad_cam : Much faster, for networks only.

    References
    ----------
    .. [1] M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional
       Networks", ECCV 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from brain_tumor_clf.inspection import occlusion_map
    >>> X = np.zeros((20, 16, 16))
    >>> X[10:, 4:8, 8:12] = 255
    >>> flatten = FunctionTransformer(lambda images: images.reshape(len(images), -1))
    >>> clf = make_pipeline(flatten, LogisticRegression()).fit(X, [0] * 10 + [1] * 10)
    >>> heat = occlusion_map(clf, X[-1:], patch_size=4)
    >>> np.argwhere(heat[0] == 1).min(axis=0).tolist()
    [4, 8]
    """
    whole = explained(estimator, X)
    can_be_covered = check_image_collection(whole.images).dtype.kind in "uif"
    part = whole if can_be_covered else of_first_member(whole)
    classifier, images, placements = part
    images = stack_images(images, "occlusion_map")
    _check_scores(classifier)
    positions = whole.positions(target)
    shape = images.shape[1:3]
    patch = _check_side("patch_size", patch_size, shape, min(shape) // _PATCHES_A_SIDE)
    stride = _check_side("stride", stride, shape, patch // 2)
    drops = _drops(classifier, images, positions, patch, stride)
    return in_original_pixels(np.maximum(drops, 0), placements)


def _drops(classifier, images, positions, patch, stride):
    """Return the mean decrease of the log-odds over the patches on each pixel."""
    whole = _log_odds(classifier, images, positions)
    gray = images.mean(axis=(1, 2), keepdims=True).astype(images.dtype)
    total = np.zeros(images.shape[:3], dtype="float32")
    count = np.zeros(images.shape[1:3], dtype="float32")
    covered = images.copy()
    for top in _starts(images.shape[1], patch, stride):
        for left in _starts(images.shape[2], patch, stride):
            at = slice(top, top + patch), slice(left, left + patch)
            covered[:, *at] = gray
            drop = whole - _log_odds(classifier, covered, positions)
            covered[:, *at] = images[:, *at]
            total[:, *at] += drop[:, None, None]
            count[at] += 1
    return total / count


def _starts(size, patch, stride):
    """Return where patches begin; the last one ends with the image."""
    return sorted({*range(0, size - patch + 1, stride), size - patch})


def _log_odds(classifier, images, positions):
    """Return the log-odds of one class for each image."""
    at = np.arange(len(images)), positions
    if hasattr(classifier, "predict_proba"):
        p = np.asarray(classifier.predict_proba(images), dtype=float)[at]
        p = np.clip(p, _SMALLEST, 1 - _SMALLEST)
        return np.log(p) - np.log1p(-p)
    scores = np.asarray(classifier.decision_function(images), dtype=float)
    if scores.ndim == 1:
        return np.where(positions == 1, scores, -scores)
    own = scores[at]
    scores = scores.copy()
    scores[at] = -np.inf
    return own - scores.max(axis=1)


def _check_scores(classifier):
    """Raise unless a classifier is fitted and has scores."""
    check_is_fitted(classifier)
    has_scores = any(hasattr(classifier, f) for f in _SCORE_METHODS)
    if not hasattr(classifier, "classes_") or not has_scores:
        raise TypeError(
            f"occlusion_map needs a classifier with {' or '.join(_SCORE_METHODS)}, "
            f"got {type(classifier).__name__}."
        )


def _check_side(name, value, shape, default):
    """Return the side of a patch or a stride, in pixels."""
    if value is None:
        return max(default, 1)
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_integer or not 1 <= value <= min(shape):
        raise ValueError(
            f"{name} must be an integer from 1 to {min(shape)}, the shorter side of "
            f"the classifier's input; got {value!r}."
        )
    return int(value)
