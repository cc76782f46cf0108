"""Controls: classifiers that see almost nothing of a tumor.

What they score is what a data set gives away for free. Three are fitted to
`ScanFeatures`: size and color mode alone, 15 intensity statistics, and one nearest
neighbor on thumbnails.
"""

import warnings

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from brain_tumor_clf.model_selection._thumbnails import to_vectors

SIZE_AND_MODE = "size and mode only"
STATISTICS_ONLY = "15 intensity statistics"
NEIGHBOR = "one nearest neighbor on thumbnails"
CONTROLS = (SIZE_AND_MODE, STATISTICS_ONLY, NEIGHBOR)
TRAIN_TO_TEST = "train to test"
NO_COPIES = "train to test, no copies"
# The protocol of test images that share no group with training.
UNSEEN = "train to test, unseen"
TASKS = ("all classes", "tumor or not")


def fit_controls(features, y, *, random_state=0, n_jobs=None):
    """Fit the controls.

    Parameters
    ----------
    features : ScanFeatures
        Of n readable images, n at least 1.
    y : ndarray of shape (n,)
        Labels.
    random_state : int, RandomState or None, default=0
        Seed of the forests.
    n_jobs : int or None, default=None
        Processors of the forests and the neighbor search.

    Returns
    -------
    dict of str to (estimator, callable)
        By name of the control: what was fitted, and what turns `ScanFeatures` into
        its input.
    """
    forest = {"random_state": random_state, "n_jobs": n_jobs}
    controls = {
        SIZE_AND_MODE: (RandomForestClassifier(**forest), _size_and_mode),
        STATISTICS_ONLY: (RandomForestClassifier(**forest), _intensities),
        NEIGHBOR: (KNeighborsClassifier(1, n_jobs=n_jobs), _vectors),
    }
    for estimator, make_input in controls.values():
        estimator.fit(make_input(features), y)
    return controls


def predict_controls(controls, features, *, healthy=None):
    """What fitted controls predict.

    Parameters
    ----------
    controls : dict
        Of `fit_controls`.
    features : ScanFeatures
        Of m readable images.
    healthy : label or None, default=None
        The class without a tumor. An image is called a tumor when its probability of
        being healthy is at most one half, whatever the tumor.

    Returns
    -------
    DataFrame of m rows
        Predicted labels in columns (control, "all classes"); and, with `healthy`
        among the fitted classes, whether a tumor, in (control, "tumor or not").
    """
    predicted = {}
    for name, (estimator, make_input) in controls.items():
        proba = estimator.predict_proba(make_input(features))
        predicted[name, TASKS[0]] = estimator.classes_[proba.argmax(axis=1)]
        column = np.flatnonzero(estimator.classes_ == healthy)
        if healthy is not None and len(column):
            predicted[name, TASKS[1]] = proba[:, column[0]] <= 0.5
    return pd.DataFrame(predicted)


def score_predictions(y, predicted, y_train, *, healthy=None, protocol=""):
    """Scores of predictions of `predict_controls`.

    Parameters
    ----------
    y : ndarray of shape (m,)
        True labels.
    predicted : DataFrame of m rows
        Predictions.
    y_train : ndarray of shape (n,)
        Labels trained on, of which the commonest is the one to beat.
    healthy : label or None, default=None
        The class without a tumor.
    protocol : str, default=""
        How images were trained on and scored, for the table.

    Returns
    -------
    DataFrame
        Columns "control", "task", "protocol", "accuracy", "balanced_accuracy",
        "majority" (accuracy of always naming the commonest class of training) and "n".
    """
    rows = []
    for (control, task), values in predicted.items():
        is_binary = task == TASKS[1]
        true = y != healthy if is_binary else y
        names, counts = np.unique(
            y_train != healthy if is_binary else y_train, return_counts=True
        )
        called = values.to_numpy().astype(true.dtype)
        rows.append(
            {
                "control": control,
                "task": task,
                "protocol": protocol,
                "accuracy": accuracy_score(true, called),
                "balanced_accuracy": _balanced_accuracy(true, called),
                "majority": float(np.mean(true == names[counts.argmax()])),
                "n": len(true),
            }
        )
    columns = ["control", "task", "protocol", "accuracy", "balanced_accuracy"]
    return pd.DataFrame(rows, columns=[*columns, "majority", "n"])


def control_scores(
    features_train, y_train, features_test, y_test, *, healthy=None, clean=None,
    clean_protocol=NO_COPIES, random_state=0, n_jobs=None,
):  # fmt: skip
    """Scores of the controls trained on some images and tested on others.

    Parameters
    ----------
    features_train, features_test : ScanFeatures
        Of `scan_features`. Images that cannot be read are left out.
    y_train, y_test : array-like
        Labels. Test images of a class that training lacks count as wrong.
    healthy : label or None, default=None
        The class without a tumor; None leaves "tumor or not" out.
    clean : ndarray of bool, shape (n_test,), default=None
        Test images without a copy in training; scored apart as well if given.
    clean_protocol : str, default="train to test, no copies"
        What the table calls the scores of `clean`.
    random_state : int, RandomState or None, default=0
        Seed of the forests.
    n_jobs : int or None, default=None
        Processors.

    Returns
    -------
    DataFrame
        As of `score_predictions`, with the protocols "train to test" and
        `clean_protocol`.

    Raises
    ------
    ValueError
        If no image of one side can be read.
    """
    y_train, y_test = np.asarray(y_train), np.asarray(y_test)
    fit_on, score_on = features_train.readable, features_test.readable
    if not fit_on.any() or not score_on.any():
        raise ValueError(
            "Controls need at least one readable image to train on and one to score, "
            f"got {int(fit_on.sum())} and {int(score_on.sum())}."
        )
    y_train, y_test = y_train[fit_on], y_test[score_on]
    controls = fit_controls(
        features_train.take(fit_on), y_train, random_state=random_state, n_jobs=n_jobs
    )
    predicted = predict_controls(
        controls, features_test.take(score_on), healthy=healthy
    )
    parts = {TRAIN_TO_TEST: np.ones(len(y_test), dtype=bool)}
    if clean is not None and np.asarray(clean)[score_on].any():
        parts[clean_protocol] = np.asarray(clean)[score_on]
    return pd.concat(
        [
            score_predictions(
                y_test[part], predicted[part], y_train, healthy=healthy, protocol=name
            )
            for name, part in parts.items()
        ],
        ignore_index=True,
    )


def cross_validate_controls(
    features, y, groups=None, *, n_splits=5, healthy=None, random_state=0, n_jobs=None
):
    """Cross-validated scores of the controls.

    Parameters
    ----------
    features : ScanFeatures
        Of n readable images.
    y : ndarray of shape (n,)
        Labels.
    groups : ndarray of shape (n,), default=None
        What must not lie on both sides of a split; None splits image by image.
    n_splits : int, default=5
        Number of folds; fewer where there are fewer groups, or fewer images of the
        commonest class.
    healthy, random_state, n_jobs
        As of `control_scores`; `random_state` shuffles the folds, too.

    Returns
    -------
    DataFrame
        As of `score_predictions`, each image predicted once, by a model that had not
        seen it. Empty where images cannot be split in two.
    """
    n_groups = len(y) if groups is None else len(np.unique(groups))
    commonest = np.unique(y, return_counts=True)[1].max(initial=0)
    n_splits = int(min(n_splits, n_groups, commonest))
    if n_splits < 2:
        return score_predictions(y[:0], pd.DataFrame(), y)
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    splitter = kind(n_splits, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():
        # The audit has a finding of its own for classes that are too small.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        folds = list(splitter.split(np.zeros(len(y)), y, groups))
    folds = [(train, test) for train, test in folds if len(train) and len(test)]
    predicted = []
    for train, test in folds:
        controls = fit_controls(
            features.take(train), y[train], random_state=random_state, n_jobs=n_jobs
        )
        fold = predict_controls(controls, features.take(test), healthy=healthy)
        predicted.append(fold.set_index(test))
    how = "ungrouped" if groups is None else "grouped"
    # Where training lacked the healthy class, everything was called a tumor.
    predicted = pd.concat(predicted).sort_index()
    predicted = predicted.where(predicted.notna(), True)
    tested = predicted.index.to_numpy()
    return score_predictions(
        y[tested], predicted, y, healthy=healthy, protocol=f"{how} {n_splits}-fold"
    )


def _balanced_accuracy(true, called):
    """Mean share of right answers over the classes that occur."""
    with warnings.catch_warnings():
        # A label that is only predicted is simply wrong.
        warnings.filterwarnings("ignore", "y_pred contains classes", UserWarning)
        warnings.filterwarnings("ignore", "A single label was found", UserWarning)
        return float(balanced_accuracy_score(true, called))


def _size_and_mode(features):
    frame = features.frame
    # Any numbering of modes does: a forest splits it as it likes.
    modes = frame["mode"].map(lambda mode: sum(mode.encode()))
    columns = [frame[name] for name in ("height", "width", "channels", "bits")]
    return np.column_stack([*columns, modes]).astype(np.float32)


def _intensities(features):
    return features.statistics


def _vectors(features):
    # Nearest by distance between unit vectors is nearest by correlation.
    return to_vectors(features.thumbnails[:, 0])
