"""Which part of a scan speaks for a class, by covering it part by part."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.inspection._explained import (
    explained,
    in_original_pixels,
    of_first_member,
)

_PATCHES_A_SIDE = 8
_SMALLEST = 1e-12  # probability; less is more certain than double precision can tell


def occlusion_map(estimator, X, target=None, *, patch_size=None, stride=None):
    """Heat maps of what speaks for a class, by covering the image part by part.

    A square patch of the image's mean grey level is moved over it [1]_; where the
    log-odds of the class fall, something spoke for the class. No gradient is needed,
    so that any classifier and any Keras backend will do, and `grad_cam` can be checked
    by it. It takes some 225 predictions an image.

    Parameters
    ----------
    estimator : fitted classifier or Pipeline
        With ``predict_proba`` or ``decision_function``. Of a pipeline the image
        transformers at its head are run once; what they make is covered. Of a vote or
        a stack whose members each have their own, the first member is explained.
    X : sequence of n images
        What `estimator` takes.
    target : label or array-like of n labels, default=None
        The class to explain, for all images or for each. None means the class that
        the classifier predicts.
    patch_size : int, default=None
        Side of the patch, in pixels of what the classifier sees. None means an eighth
        of the shorter side.
    stride : int, default=None
        How far the patch moves, in the same pixels. None means half its side.

    Returns
    -------
    ndarray of shape (n, H, W), float32, or (n,), object
        As of `grad_cam`: values from 0 to 1, the maximum of each map, in the pixels of
        the original images.

    Raises
    ------
    TypeError
        If `estimator` tells no degree of certainty.
    ValueError
        If `target` is unknown, or `patch_size` or `stride` out of range.

    See Also
    --------
    grad_cam : Much faster, for networks alone.

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
    images = _check_images(images)
    _check_scores(classifier)
    positions = whole.positions(target)
    shape = images.shape[1:3]
    patch = _check_side("patch_size", patch_size, shape, min(shape) // _PATCHES_A_SIDE)
    stride = _check_side("stride", stride, shape, patch // 2)
    drops = _drops(classifier, images, positions, patch, stride)
    return in_original_pixels(np.maximum(drops, 0), placements)


def _drops(classifier, images, positions, patch, stride):
    """By how much the log-odds fall where a patch lies, on average over patches."""
    whole = _log_odds(classifier, images, positions)
    grey = images.mean(axis=(1, 2), keepdims=True).astype(images.dtype)
    total = np.zeros(images.shape[:3], dtype="float32")
    count = np.zeros(images.shape[1:3], dtype="float32")
    covered = images.copy()
    for top in _starts(images.shape[1], patch, stride):
        for left in _starts(images.shape[2], patch, stride):
            at = slice(top, top + patch), slice(left, left + patch)
            covered[:, *at] = grey
            drop = whole - _log_odds(classifier, covered, positions)
            covered[:, *at] = images[:, *at]
            total[:, *at] += drop[:, None, None]
            count[at] += 1
    return total / count


def _starts(size, patch, stride):
    """Where patches begin; the last one ends with the image."""
    return sorted({*range(0, size - patch + 1, stride), size - patch})


def _log_odds(classifier, images, positions):
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


def _check_images(images):
    """The images as one array ``(n, H, W)`` or ``(n, H, W, C)``."""
    images = check_image_collection(images)
    if images.dtype == object:
        shapes = {np.shape(image) for image in images}
        if len(shapes) > 1 or len(min(shapes)) < 2:
            raise ValueError(
                "occlusion_map covers images of one size, got arrays of shapes "
                f"{sorted(shapes)[:3]}. Put an ImageResizer before the classifier, or "
                "use make_mri_pipeline."
            )
        images = np.stack(list(images))
    return images


def _check_scores(classifier):
    check_is_fitted(classifier)
    if not hasattr(classifier, "classes_") or not (
        hasattr(classifier, "predict_proba") or hasattr(classifier, "decision_function")
    ):
        raise TypeError(
            "occlusion_map needs a classifier with predict_proba or decision_function, "
            f"got {type(classifier).__name__}."
        )


def _check_side(name, value, shape, default):
    if value is None:
        return max(default, 1)
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_integer or not 1 <= value <= min(shape):
        raise ValueError(
            f"{name} must be an integer from 1 to {min(shape)}, the shorter side of "
            f"what the classifier sees; got {value!r}."
        )
    return int(value)
