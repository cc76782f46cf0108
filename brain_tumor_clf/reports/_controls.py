"""Controls: classifiers that see almost nothing of a tumor.

Their scores show how much a data set gives away. Three are fitted to `ScanFeatures`:
size and color mode alone, 15 intensity statistics, and one nearest neighbor on
thumbnails.
"""

import warnings
from operator import attrgetter

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from brain_tumor_clf.metrics import wilson_interval
from brain_tumor_clf.model_selection import (
    NearDuplicateGrouper,
    find_nearest,
    to_vectors,
    transforms,
)
from brain_tumor_clf.reports._report import Table

SIZE_AND_MODE = "size and mode only"
STATISTICS_ONLY = "15 intensity statistics"
NEIGHBOR = "one nearest neighbor on thumbnails"
CONTROLS = (SIZE_AND_MODE, STATISTICS_ONLY, NEIGHBOR)
THIS_MODEL = "this model"
TRAIN_TO_TEST = "train to test"
NO_COPIES = "train to test, no copies"
UNSEEN = "train to test, unseen"  # test images that share no group with training
TASKS = ("all classes", "tumor or not")
# Part of the way from chance to perfection from which a control's score is a finding.
TELLING, ALARMING = 0.15, 0.5
COMMONEST = "always the commonest class"
_COLUMNS = ("control", "task", "protocol", "accuracy", "balanced_accuracy")


def fit_controls(features, y, *, random_state=0, n_jobs=None):
    """Return each fitted control, and what turns `ScanFeatures` into its input."""
    forest = {"random_state": random_state, "n_jobs": n_jobs}
    controls = {
        SIZE_AND_MODE: (RandomForestClassifier(**forest), _size_and_mode),
        STATISTICS_ONLY: (RandomForestClassifier(**forest), attrgetter("statistics")),
        # Nearest by distance between unit vectors is nearest by correlation.
        NEIGHBOR: (
            KNeighborsClassifier(1, n_jobs=n_jobs),
            lambda features: to_vectors(features.thumbnails[:, 0]),
        ),
    }
    for estimator, make_input in controls.values():
        estimator.fit(make_input(features), y)
    return controls


def _size_and_mode(features):
    frame = features.frame
    # Any numbering of modes does: a forest splits it as it likes.
    modes = frame["mode"].map(lambda mode: sum(mode.encode()))
    columns = [frame[name] for name in ("height", "width", "channels", "bits")]
    return np.column_stack([*columns, modes]).astype(np.float32)


def predict_controls(controls, features, *, healthy=None):
    """Return what fitted controls predict, one column a (control, task).

    An image is called a tumor if its probability of being healthy is at most one half.
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
    """Return the scores of predictions of `predict_controls`, one row a column.

    "majority" is the accuracy of always naming the commonest class of `y_train`.
    """
    rows = []
    for (control, task), values in predicted.items():
        is_binary = task == TASKS[1]
        true = y != healthy if is_binary else y
        known = y_train != healthy if is_binary else y_train
        names, counts = np.unique(known, return_counts=True)
        called = values.to_numpy().astype(true.dtype)
        accuracy, balanced = accuracy_score(true, called), _balanced(true, called)
        majority = float(np.mean(true == names[counts.argmax()]))
        rows.append((control, task, protocol, accuracy, balanced, majority, len(true)))
    return pd.DataFrame(rows, columns=[*_COLUMNS, "majority", "n"])


def _balanced(true, called):
    """Return the mean share of right answers over the classes that occur."""
    with warnings.catch_warnings():
        # A label that is only predicted is simply wrong.
        warnings.filterwarnings("ignore", "y_pred contains classes", UserWarning)
        warnings.filterwarnings("ignore", "A single label was found", UserWarning)
        return float(balanced_accuracy_score(true, called))


def _score_parts(y, predicted, y_train, parts, healthy):
    tables = [
        score_predictions(y[at], predicted[at], y_train, healthy=healthy, protocol=name)
        for name, at in parts.items()
    ]
    return pd.concat(tables, ignore_index=True)


def control_scores(
    training, y_train, scored, y, *, clean, protocol=NO_COPIES, healthy=None, **options
):
    """Return scores of the controls trained on some images and tested on others.

    Images that cannot be read are left out. The `clean` images, those without a copy in
    training, are scored apart under their own protocol, if others are not clean.
    """
    fit_on, score_on = training.readable, scored.readable
    if not fit_on.any() or not score_on.any():
        raise ValueError(
            "Controls need at least one readable image to train on and one to score, "
            f"got {int(fit_on.sum())} and {int(score_on.sum())}."
        )
    y_train, y = np.asarray(y_train)[fit_on], np.asarray(y)[score_on]
    controls = fit_controls(training.take(fit_on), y_train, **options)
    predicted = predict_controls(controls, scored.take(score_on), healthy=healthy)
    parts = {TRAIN_TO_TEST: np.ones(len(y), dtype=bool)}
    if clean[score_on].any() and not clean.all():
        parts[protocol] = clean[score_on]
    return _score_parts(y, predicted, y_train, parts, healthy)


def scores_beside_controls(predictions, training, y_train, scored, unseen, **options):
    """Return scores of a model, then those of controls trained on the same images."""
    p = predictions
    healthy = None if p.healthy is None else p.classes[p.healthy]
    y = p.classes[p.true]
    called = {(THIS_MODEL, TASKS[0]): p.classes[p.predicted]}
    if healthy is not None:
        called[THIS_MODEL, TASKS[1]] = p.predicted != p.healthy
    parts = {TRAIN_TO_TEST: np.ones(len(y), dtype=bool)}
    if unseen.any() and not unseen.all():
        parts[NO_COPIES] = unseen
    own = _score_parts(y, pd.DataFrame(called), y_train, parts, healthy)
    controls = control_scores(
        training, y_train, scored, y, clean=unseen, healthy=healthy, **options
    )
    return pd.concat([own, controls], ignore_index=True)


def has_copy(features, training, *, grouper=None):
    """Return which images have a copy or mirror image among the training images.

    False for images that cannot be read. `grouper` says what counts as a copy; a
    `NearDuplicateGrouper` with its defaults if None.
    """
    grouper = NearDuplicateGrouper() if grouper is None else grouper
    found = np.zeros(len(features), dtype=bool)
    at = np.flatnonzero(features.readable)
    if len(at) and training.readable.any():
        known = training.thumbnails[training.readable]
        changes = transforms(grouper.mirror, grouper.rotations)
        nearest = find_nearest(known, features.thumbnails[at], changes)
        found[at] = nearest["similarity"] >= grouper.threshold
    return found


def cross_validate_controls(
    features, y, groups=None, *, n_splits=5, healthy=None, random_state=0, n_jobs=None
):
    """Return cross-validated scores of the controls on readable images.

    Groups are kept whole. There are fewer than `n_splits` folds where there are fewer
    groups, or fewer images of the commonest class; the table is empty where images
    cannot be split.
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
    predicted, options = [], {"random_state": random_state, "n_jobs": n_jobs}
    for train, test in folds:
        if len(train) and len(test):
            controls = fit_controls(features.take(train), y[train], **options)
            fold = predict_controls(controls, features.take(test), healthy=healthy)
            predicted.append(fold.set_index(test))
    predicted = pd.concat(predicted).sort_index()
    # Where training lacked the healthy class, everything was called a tumor.
    predicted = predicted.where(predicted.notna(), True)
    tested = predicted.index.to_numpy()
    how = f"{'ungrouped' if groups is None else 'grouped'} {n_splits}-fold"
    return score_predictions(y[tested], predicted, y, healthy=healthy, protocol=how)


def audit_controls(features, images, *, run, n_splits, **options):
    """Return the scores of the controls that an audit has; empty if it can have none.

    On the test images, those that share no group with training apart; without test
    images in a cross-validation, with groups kept whole and without.
    """
    y, is_test = images["label"].to_numpy(), (images["split"] == "test").to_numpy()
    train, test = features.readable & ~is_test, features.readable & is_test
    if not run or not train.any() or (is_test.any() and not test.any()):
        return score_predictions(y[:0], pd.DataFrame(), y)
    training, y_train = features.take(train), y[train]
    if test.any():
        clean = ~images["group_in_training"].to_numpy()[test]
        scored = {"clean": clean, "protocol": UNSEEN}
        return control_scores(
            training, y_train, features.take(test), y[test], **scored, **options
        )
    tables = [
        cross_validate_controls(training, y_train, by, n_splits=n_splits, **options)
        for by in (images["group"].to_numpy()[train], None)
    ]
    # Older pandas warns of empty tables.
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def neighbor_scores(scores, first, second):
    """Return the neighbor's accuracy under two protocols, and n of the second."""
    table = scores[(scores["control"] == NEIGHBOR) & (scores["task"] == TASKS[0])]
    names = table["protocol"] + " "
    rows = [table[names.str.startswith(f"{start} ")] for start in (first, second)]
    if not all(map(len, rows)):
        return None
    return (
        rows[0]["accuracy"].iloc[0],
        rows[1]["accuracy"].iloc[0],
        rows[1]["n"].iloc[0],
    )


def telling_scores(scores, control, n_classes):
    """Yield rows in which a control beats chance on a fair split, and how far."""
    fair = scores["protocol"].str.match("grouped|train to test$")
    for _, row in scores[(scores["control"] == control) & fair].iterrows():
        chance = 1 / (2 if row["task"] == TASKS[1] else n_classes)
        gain = (row["balanced_accuracy"] - chance) / (1 - chance) if chance < 1 else 0
        low, _ = wilson_interval(round(row["accuracy"] * row["n"]), int(row["n"]))
        if gain >= TELLING and low > row["majority"]:
            majority = f"{row['majority']:.1%}"
            yield row, gain, f"Always naming the commonest class gets {majority}."


def control_tables(scores):
    """Return a table for each task: accuracies of the controls under each protocol."""
    tables = []
    for task, part in scores.groupby("task", sort=False):
        wide, balanced, counts = {}, [], []
        for protocol, rows in part.groupby("protocol", sort=False):
            rows = rows.set_index("control")
            majority = pd.Series({COMMONEST: rows["majority"].iloc[0]})
            wide[protocol] = pd.concat([rows["accuracy"], majority])
            balanced.append(f"{protocol}, balanced")
            wide[balanced[-1]] = rows["balanced_accuracy"]
            counts.append(f"{rows['n'].iloc[0]:,} images ({protocol})")
        names = [*part["control"].unique(), COMMONEST]
        frame = pd.DataFrame(wide).loc[names].rename_axis("accuracy of")
        table = Table(
            title=f"Beside controls that see almost nothing of a tumor, {task}",
            note="The score of a control shows how much the data give away; a model "
            f"has shown nothing until it scores more. Scored: {', '.join(counts)}.",
            frame=frame,
            percent=list(frame),
            bars=[name for name in frame if name not in balanced],
            detail_columns=balanced,
        )
        tables.append(table)
    return tables
