"""What is explained: a classifier, the images that it sees, and where they lie."""

from typing import NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import as_object_array, unknown_name_message
from brain_tumor_clf.inspection._class_maps import resample, scale_to_one
from brain_tumor_clf.pipeline import first_member, is_left_out, unwrap
from brain_tumor_clf.preprocessing import ImageTransformer


class Explained(NamedTuple):
    """A classifier, the images as it sees them, and their places in the originals.

    Attributes
    ----------
    classifier : fitted classifier
        What follows the image transformers.
    images : ndarray
        What it is given.
    placements : list of Placement or None
        Where each image lies in the original; None without image transformers.
    """

    classifier: object
    images: object
    placements: list | None

    def positions(self, target):
        """For each image the position of the class to explain.

        Parameters
        ----------
        target : label, array-like of n labels, or None
            None means the predicted ones.

        Returns
        -------
        ndarray of shape (n,), int
        """
        n = len(self.images)
        labels = self.classifier.predict(self.images) if target is None else target
        labels = np.asarray(labels)
        if labels.ndim == 0:
            labels = np.repeat(labels, n)
        if labels.shape != (n,):
            raise ValueError(
                f"target must be one label or one an image, {n}; got an array of shape "
                f"{labels.shape}."
            )
        known = self.classifier.classes_.tolist()
        for label in labels.tolist():
            if label not in known:
                raise ValueError(unknown_name_message("class", label, known))
        return np.array([known.index(label) for label in labels.tolist()])


def explained(estimator, X, placements=None):
    """Send images through the transformers ahead of a classifier.

    Parameters
    ----------
    estimator : fitted classifier or Pipeline
    X : sequence of n images
        What `estimator` takes.
    placements : list of Placement, default=None
        Where these images lie in those before them.

    Returns
    -------
    Explained
    """
    transformers, classifier = _split_pipeline(estimator)
    check_is_fitted(classifier)
    for transformer in transformers:
        X, inner = transformer.transform_and_locate(X)
        if placements is None:
            placements = inner
        else:
            pairs = zip(placements, inner, strict=True)
            placements = [outer.then(place) for outer, place in pairs]
    return Explained(classifier, X, placements)


def of_first_member(whole):
    """What the first classifier sees of a vote or a stack; `whole` if it is neither.

    Parameters
    ----------
    whole : Explained

    Returns
    -------
    Explained
        Its classifier's classes are those of `whole`, in the same order; a vote may
        call them by numbers.
    """
    while (member := first_member(whole.classifier)) is not None:
        whole = explained(member, whole.images, whole.placements)
    return whole


def _split_pipeline(estimator):
    """The image transformers at the head of an estimator, and what follows them.

    Calibration of a frozen estimator and finished searches are looked into: neither
    changes what the classifier looks at.
    """
    transformers = []
    while True:
        while (inside := unwrap(estimator)) is not None:
            estimator = inside
        if not isinstance(estimator, Pipeline):
            return transformers, estimator
        n_leading = 0
        for _, step in estimator.steps[:-1]:
            if not (is_left_out(step) or isinstance(step, ImageTransformer)):
                break
            n_leading += 1
        leading = [step for _, step in estimator.steps[:n_leading]]
        transformers += [step for step in leading if not is_left_out(step)]
        if n_leading < len(estimator.steps) - 1:
            return transformers, estimator[n_leading:]
        estimator = estimator.steps[-1][1]


def in_original_pixels(maps, placements):
    """Maps of what a classifier sees as maps of the images that it was given.

    Parameters
    ----------
    maps : ndarray of shape (n, h, w), float32
        Not negative.
    placements : list of Placement or None
        None leaves the maps where they are.

    Returns
    -------
    ndarray of shape (n, H, W), float32, or (n,), object
        Scaled to 1 as the maximum of each. Objects are arrays ``(H_i, W_i)`` of images
        that differ in size.
    """
    if placements is None:
        return scale_to_one(maps)
    placed = [
        scale_to_one(_place(each, placement))
        for each, placement in zip(maps, placements, strict=True)
    ]
    if len({each.shape for each in placed}) == 1:
        return np.stack(placed)
    return as_object_array(placed)


def _place(each, placement):
    height, width = placement.image_shape
    rows = _positions(height, placement.top, placement.bottom, each.shape[0])
    columns = _positions(width, placement.left, placement.right, each.shape[1])
    placed = resample(each, rows, columns)
    # What was cropped away has no part in the answer.
    placed[~_is_inside(rows, each.shape[0])] = 0
    placed[:, ~_is_inside(columns, each.shape[1])] = 0
    return placed


def _positions(n, start, stop, n_cells):
    """Where the middles of `n` pixels lie among cells from `start` to `stop`."""
    return (np.arange(n) + 0.5 - start) / (stop - start) * n_cells - 0.5


def _is_inside(positions, n_cells):
    return (positions >= -0.5) & (positions <= n_cells - 0.5)
