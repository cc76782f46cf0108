"""Predictions as codes: checked, thinned, and gathered to one vote a group."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_consistent_length, column_or_1d

from brain_tumor_clf.metrics import check_proba, column_of
from brain_tumor_clf.reports._inputs import check_labels


@dataclass(frozen=True)
class Predictions:
    """True and predicted classes as codes, and probabilities if there are any.

    Attributes
    ----------
    classes : ndarray of shape (k,)
        Sorted labels: those of the model and those of the images.
    true, predicted : ndarray of shape (n,), int
        Positions in `classes`.
    proba : ndarray of shape (n, k) or None
        A class that the model does not know has probability 0.
    healthy : int or None
        Position of the class without a tumor.
    """

    classes: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    proba: np.ndarray | None
    healthy: int | None

    def take(self, at):
        """The predictions of some images."""
        return Predictions(
            self.classes,
            self.true[at],
            self.predicted[at],
            None if self.proba is None else self.proba[at],
            self.healthy,
        )

    def __len__(self):
        return len(self.true)


def check_predictions(y_true, y_pred, y_proba, classes, healthy):
    """Predictions of labels and probabilities as a report is given them.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        True and predicted labels.
    y_proba : array-like of shape (n, n_classes) or None
        Probability of each of `classes`.
    classes : array-like of shape (n_classes,) or None
        Labels that the model knows.
    healthy : label or None
        The class without a tumor.

    Returns
    -------
    Predictions

    Raises
    ------
    ValueError
        If there is no image, lengths differ, a label is missing, labels are text on
        one side and numbers on the other, `y_proba` does not fit `classes`, or no
        class is called `healthy`.
    """
    check_consistent_length(y_true, y_pred, y_proba)
    if len(y_true) == 0:
        raise ValueError("There is no image to score: y is empty.")
    y_true, y_pred = check_labels(y_true), column_or_1d(y_pred)
    known = y_pred[:0] if classes is None else np.asarray(classes)
    _check_kinds(y_true, y_pred, known)
    labels = np.unique(np.concatenate([y_true, y_pred, known]))
    if y_proba is not None:
        if classes is None:
            raise ValueError("y_proba needs classes: the labels of its columns.")
        proba = np.zeros((len(y_true), len(labels)))
        proba[:, np.searchsorted(labels, known)] = check_proba(y_true, y_proba, known)
        y_proba = proba
    return Predictions(
        labels,
        np.searchsorted(labels, y_true),
        np.searchsorted(labels, y_pred),
        y_proba,
        None if healthy is None else column_of(labels, healthy, "y"),
    )


def vote_by_group(predictions, groups):
    """One vote a group: the class of the highest mean probability.

    Without probabilities it is the class that most images of the group are called; of
    equals, the first in the order of the classes.

    Parameters
    ----------
    predictions : Predictions
        Of n images.
    groups : ndarray of shape (n,)
        Group of each image.

    Returns
    -------
    votes : Predictions or None
        Of the groups whose images are of one class; None if there is none.
    n_mixed : int
        Number of the other groups.
    """
    p = predictions
    ballots = np.eye(len(p.classes))[p.predicted] if p.proba is None else p.proba
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.zeros((len(sizes), len(p.classes)))
    np.add.at(means, codes, ballots)
    means /= sizes[:, None]
    lowest, highest = np.full(len(sizes), len(p.classes)), np.full(len(sizes), -1)
    np.minimum.at(lowest, codes, p.true)
    np.maximum.at(highest, codes, p.true)
    of_one = lowest == highest
    if not of_one.any():
        return None, len(sizes)
    means, truth = means[of_one], lowest[of_one]
    proba = None if p.proba is None else means
    votes = Predictions(p.classes, truth, means.argmax(axis=1), proba, p.healthy)
    return votes, int((~of_one).sum())


def _check_kinds(y_true, y_pred, known):
    """Text beside numbers would become text and match nothing."""
    firsts = [part[:1].tolist()[0] for part in (y_true, y_pred, known) if len(part)]
    if len({isinstance(first, str) for first in firsts}) > 1:
        raise ValueError(
            f"Labels must be of one kind: y holds {firsts[0]!r}, the model predicts "
            f"{firsts[-1]!r}. Give y in the names that the model was trained on."
        )
