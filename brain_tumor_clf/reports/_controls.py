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
from sklearn.metrics import accuracy_score, recall_score
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
THIS_MODEL = "this model"
TRAIN_TO_TEST = "train to test"
NO_COPIES = "train to test, no copies"
UNSEEN = "train to test, unseen"  # test images that share no group with training
TASKS = ("all classes", "tumor or not")
# Part of the way from chance to perfection from which a control's score is a finding.
TELLING, ALARMING = 0.15, 0.5
COMMONEST = "always the commonest class"
_COLUMNS = ["control", "task", "protocol"]
_COLUMNS += ["accuracy", "balanced_accuracy", "majority", "n"]


def predict_controls(training, y, scored, *, healthy=None, random_state=0, n_jobs=None):
    """Return what controls trained on `y` answer, one column a (control, task).

    An image is called a tumor if its probability of being healthy is at most one half.
    """
    forest = RandomForestClassifier(random_state=random_state, n_jobs=n_jobs)
    controls = {
        SIZE_AND_MODE: (forest, _size_and_mode),
        STATISTICS_ONLY: (forest, attrgetter("statistics")),
        NEIGHBOR: (KNeighborsClassifier(1, n_jobs=n_jobs), _unit_vectors),
    }
    predicted = {}
    for name, (estimator, make_input) in controls.items():
        estimator.fit(make_input(training), y)
        proba = estimator.predict_proba(make_input(scored))
        predicted[name, TASKS[0]] = estimator.classes_[proba.argmax(axis=1)]
        if healthy is not None:
            is_healthy = proba[:, estimator.classes_ == healthy].sum(axis=1)
            predicted[name, TASKS[1]] = is_healthy <= 0.5
    return pd.DataFrame(predicted)


def _size_and_mode(features):
    frame = features.frame
    # Any numbering of modes does: a forest splits it as it likes.
    modes = frame["mode"].map(lambda mode: sum(mode.encode()))
    columns = [frame[name] for name in ("height", "width", "channels", "bits")]
    return np.column_stack([*columns, modes]).astype(np.float32)


def _unit_vectors(features):
    # Nearest by distance between unit vectors is nearest by correlation.
    return to_vectors(features.thumbnails[:, 0])


def _score_rows(y, predicted, y_train, parts, healthy):
    """Return a row of `_COLUMNS` for each part, which names a protocol, and column."""
    rows = []
    for protocol, at in parts.items():
        for (control, task), called in predicted[at].items():
            is_binary = task == TASKS[1]
            true = y[at] != healthy if is_binary else y[at]
            known = y_train != healthy if is_binary else y_train
            names, counts = np.unique(known, return_counts=True)
            called = called.to_numpy().astype(true.dtype)
            majority = float(np.mean(true == names[counts.argmax()]))
            # Over classes that occur: a label that is only predicted is simply wrong.
            balanced = recall_score(
                true, called, labels=np.unique(true), average="macro"
            )
            scores = accuracy_score(true, called), float(balanced), majority
            rows.append((control, task, protocol, *scores, len(true)))
    return rows


def _parts(clean, protocol):
    """Return all images and, apart, the clean ones if others are not."""
    parts = {TRAIN_TO_TEST: np.ones(len(clean), dtype=bool)}
    return parts | ({protocol: clean} if clean.any() and not clean.all() else {})


def scores_beside_controls(p, training, y_train, scored, unseen, **options):
    """Return scores of a model, then those of controls trained on the same images.

    Controls leave out what cannot be read. Images without a copy are scored apart.
    """
    fit_on, score_on = training.readable, scored.readable
    if not fit_on.any() or not score_on.any():
        raise ValueError(
            "Controls need at least one readable image to train on and one to score, "
            f"got {int(fit_on.sum())} and {int(score_on.sum())}."
        )
    healthy = None if p.healthy is None else p.classes[p.healthy]
    y = p.classes[p.true]
    called = {(THIS_MODEL, TASKS[0]): p.classes[p.predicted]}
    if healthy is not None:
        called[THIS_MODEL, TASKS[1]] = p.predicted != p.healthy
    parts = _parts(unseen, NO_COPIES)
    rows = _score_rows(y, pd.DataFrame(called), y_train, parts, healthy)
    y_train = y_train[fit_on]
    told = healthy if (y_train == healthy).any() else None
    predicted = predict_controls(
        training.take(fit_on), y_train, scored.take(score_on), healthy=told, **options
    )
    parts = _parts(unseen[score_on], NO_COPIES)
    rows += _score_rows(y[score_on], predicted, y_train, parts, healthy)
    return pd.DataFrame(rows, columns=_COLUMNS)


def has_copy(features, training):
    """Return which images have a copy or mirror image among the training images.

    False for images that cannot be read.
    """
    grouper = NearDuplicateGrouper()
    found = np.zeros(len(features), dtype=bool)
    at = np.flatnonzero(features.readable)
    if len(at) and training.readable.any():
        known = training.thumbnails[training.readable]
        changes = transforms(grouper.mirror, grouper.rotations)
        nearest = find_nearest(known, features.thumbnails[at], changes)
        found[at] = nearest["similarity"] >= grouper.threshold
    return found


def _cross_validate(features, y, groups, n_splits, **options):
    """Return cross-validated scores of the controls, with groups kept whole.

    In fewer folds where groups or images of the commonest class are fewer.
    """
    n_groups = len(y) if groups is None else len(np.unique(groups))
    commonest = np.unique(y, return_counts=True)[1].max(initial=0)
    n_splits = int(min(n_splits, n_groups, commonest))
    if n_splits < 2:
        return []
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = kind(n_splits, shuffle=True, random_state=options["random_state"])
    predicted = []
    with warnings.catch_warnings():
        # The audit has a finding of its own for classes that are too small.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        folds = list(folds.split(np.zeros(len(y)), y, groups))
    for train, test in folds:
        if len(train) and len(test):
            parts = features.take(train), y[train], features.take(test)
            predicted.append(predict_controls(*parts, **options).set_index(test))
    predicted = pd.concat(predicted).sort_index()
    how = f"{'ungrouped' if groups is None else 'grouped'} {n_splits}-fold"
    parts = {how: np.ones(len(predicted), dtype=bool)}
    return _score_rows(y[predicted.index], predicted, y, parts, options["healthy"])


def audit_controls(features, images, *, run, n_splits, **options):
    """Return the scores of the controls that an audit has; empty if it can have none.

    Without test images of a cross-validation, with groups kept whole and without.
    """
    y, is_test = images["label"].to_numpy(), (images["split"] == "test").to_numpy()
    train, test = features.readable & ~is_test, features.readable & is_test
    training, y_train, rows = features.take(train), y[train], []
    if run and train.any() and test.any():
        predicted = predict_controls(training, y_train, features.take(test), **options)
        parts = _parts(~images["group_in_training"].to_numpy()[test], UNSEEN)
        rows = _score_rows(y[test], predicted, y_train, parts, options["healthy"])
    elif run and not is_test.any():
        for groups in (images["group"].to_numpy()[train], None):
            rows += _cross_validate(training, y_train, groups, n_splits, **options)
    return pd.DataFrame(rows, columns=_COLUMNS)


def neighbor_scores(scores, first, second):
    """Return the neighbor's accuracy under two protocols, and n of the second."""
    table = scores[(scores["control"] == NEIGHBOR) & (scores["task"] == TASKS[0])]
    rows = [table[table["protocol"].str.match(rf"{x}( |$)")] for x in (first, second)]
    if not all(map(len, rows)):
        return None
    first, second = (part.iloc[0] for part in rows)
    return first["accuracy"], second["accuracy"], second["n"]


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
        protocols, names = part["protocol"].unique(), part["control"].unique()
        wide = part.pivot(index="control", columns="protocol").loc[names]
        frame = wide["accuracy"][protocols]
        frame.loc[COMMONEST] = wide["majority"].iloc[0]
        balanced = wide["balanced_accuracy"].add_suffix(", balanced")
        n = wide["n"].iloc[0]
        counts = [f"{n[protocol]:,.0f} images ({protocol})" for protocol in protocols]
        table = Table(
            title=f"Beside controls that see almost nothing of a tumor, {task}",
            note="The score of a control shows how much the data give away; a model "
            f"has shown nothing until it scores more. Scored: {', '.join(counts)}.",
            frame=frame.join(balanced).rename_axis("accuracy of"),
            percent=[*protocols, *balanced],
            bars=list(protocols),
            detail_columns=list(balanced),
        )
        tables.append(table)
    return tables
