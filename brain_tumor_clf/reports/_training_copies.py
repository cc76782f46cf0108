"""What a model has seen before, as copies or mirrored, and what controls make of it."""

import numpy as np
import pandas as pd

from brain_tumor_clf.model_selection import NearDuplicateGrouper
from brain_tumor_clf.model_selection._near_duplicates import find_nearest
from brain_tumor_clf.model_selection._thumbnails import transforms
from brain_tumor_clf.reports._controls import (
    NO_COPIES,
    TASKS,
    TRAIN_TO_TEST,
    control_scores,
    score_predictions,
)

THIS_MODEL = "this model"


def has_copy(features, training, *, grouper=None):
    """Which images have a copy or mirror image among the training images.

    Parameters
    ----------
    features : ScanFeatures
        Of n images.
    training : ScanFeatures
        Of the training images.
    grouper : NearDuplicateGrouper, default=None
        What counts as a copy; one with its defaults if None. It is not fitted.

    Returns
    -------
    ndarray of bool, shape (n,)
        False of images that cannot be read.
    """
    if grouper is None:
        grouper = NearDuplicateGrouper()
    found = np.zeros(len(features), dtype=bool)
    at = np.flatnonzero(features.readable)
    if not len(at) or not training.readable.any():
        return found
    nearest = find_nearest(
        training.thumbnails[training.readable],
        features.thumbnails[at],
        transforms(grouper.mirror, grouper.rotations),
    )
    found[at] = nearest["similarity"] >= grouper.threshold
    return found


def scores_beside_controls(
    predictions, training, y_train, scored, unseen, *, random_state, n_jobs=None
):
    """Scores of a model, and of controls that were trained on the same images.

    Parameters
    ----------
    predictions : Predictions
        Of the model, of n images.
    training, scored : ScanFeatures
        Of the images trained on and of the n images.
    y_train : ndarray
        Labels trained on.
    unseen : ndarray of bool, shape (n,)
        Images without a copy or mirror in training; scored apart if others have one.
    random_state : int or None
        Seed of the controls.
    n_jobs : int or None, default=None
        Processors.

    Returns
    -------
    DataFrame
        As of `control_scores`, the model's own rows first.
    """
    p = predictions
    healthy = None if p.healthy is None else p.classes[p.healthy]
    y = p.classes[p.true]
    called = {(THIS_MODEL, TASKS[0]): p.classes[p.predicted]}
    if healthy is not None:
        called[THIS_MODEL, TASKS[1]] = p.predicted != p.healthy
    called = pd.DataFrame(called)
    parts = {TRAIN_TO_TEST: np.ones(len(y), dtype=bool)}
    if unseen.any() and not unseen.all():
        parts[NO_COPIES] = unseen
    own = [
        score_predictions(y[at], called[at], y_train, healthy=healthy, protocol=name)
        for name, at in parts.items()
    ]
    controls = control_scores(
        training,
        y_train,
        scored,
        y,
        healthy=healthy,
        clean=parts.get(NO_COPIES),
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return pd.concat([*own, controls], ignore_index=True)
