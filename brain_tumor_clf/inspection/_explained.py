"""The classifier and the images to explain, and heat maps in the original pixels."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import as_object_array, check_choice
from brain_tumor_clf.pipeline import first_member, split_image_steps


class Explained(NamedTuple):
    """A classifier, its input images, and their placements in the original images.

    `classifier` is what follows the image transformers; `placements` is None if there
    are no image transformers.
    """

    classifier: object
    images: object
    placements: list | None

    def positions(self, target):
        """Return the position of the class to explain for each image.

        `target` is a label, an array of labels, or None for the predicted labels.
        """
        n = len(self.images)
        labels = self.classifier.predict(self.images) if target is None else target
        labels = np.asarray(labels)
        if labels.ndim == 0:
            labels = np.repeat(labels, n)
        if labels.shape != (n,):
            raise ValueError(
                f"target must be one label or {n}, one for each image; got an array of "
                f"shape {labels.shape}."
            )
        known = self.classifier.classes_.tolist()
        labels = [check_choice("class", label, known) for label in labels.tolist()]
        return np.array([known.index(label) for label in labels])


def explained(estimator, X, placements=None):
    """Send images, placed in others or not, through an estimator's transformers."""
    transformers, classifier = split_image_steps(estimator)
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
    """Return `whole`, or of an ensemble what its first classifier sees.

    The classes are in the same order, but a `VotingClassifier` renames them to numbers.
    """
    while (member := first_member(whole.classifier)) is not None:
        whole = explained(member, whole.images, whole.placements)
    return whole


def in_original_pixels(maps, placements):
    """Return maps (n, h, w) of what a classifier sees as maps of the original images.

    Each is scaled to a maximum of 1. They are an object array if image sizes differ.
    """
    if not np.isfinite(maps).all():
        raise ValueError(
            "The heat maps are not finite, because the classifier's outputs are not: "
            "its training has diverged. Fit it again with a lower learning rate."
        )
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
    """Return a map in the pixels of the original image, 0 where it was cropped away."""
    height, width = placement.image_shape
    rows = cell_positions(height, placement.top, placement.bottom, each.shape[0])
    columns = cell_positions(width, placement.left, placement.right, each.shape[1])
    placed = resample(each, rows, columns)
    placed[~_is_inside(rows, each.shape[0])] = 0
    placed[:, ~_is_inside(columns, each.shape[1])] = 0
    return placed


def _is_inside(positions, n_cells):
    """Return which positions lie in one of the cells."""
    return (positions >= -0.5) & (positions <= n_cells - 0.5)


def cell_positions(n_pixels, start, stop, n_cells):
    """Return the centers of pixels among `n_cells` cells from `start` to `stop`."""
    return (np.arange(n_pixels) + 0.5 - start) / (stop - start) * n_cells - 0.5


def resample(maps, rows, columns):
    """Interpolate maps (…, h, w) linearly at the crossings of rows and columns.

    0 is the center of the first row or column; positions outside take the edge value.
    """
    down = _interpolation(rows, maps.shape[-2])
    across = _interpolation(columns, maps.shape[-1])
    return (down @ maps.astype("float32", copy=False) @ across.T).astype("float32")


def _interpolation(positions, n):
    """Return a matrix (len(positions), n) that interpolates between `n` values."""
    positions = np.clip(positions, 0, n - 1)
    weights = np.maximum(1 - np.abs(positions[:, None] - np.arange(n)), 0)
    return weights.astype("float32")


def scale_to_one(maps):
    """Divide each map by its maximum; a map of zeros is unchanged."""
    largest = maps.max(axis=(-2, -1), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
