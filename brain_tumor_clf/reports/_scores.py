"""Predictions, checked, and all their scores with intervals."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.utils.validation import check_consistent_length, column_or_1d

from brain_tumor_clf.metrics import (
    bootstrap_interval,
    check_proba,
    column_of,
    wilson_interval,
)
from brain_tumor_clf.reports._checks import check_finite, check_kinds, check_labels

SCORE_NAMES = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "roc_auc",
    "tumor_miss_rate",
    "false_alarm_rate",
    "brier_score",
    "expected_calibration_error",
)
RATES = ("sensitivity", "specificity", "precision")
_BIN_EDGES = np.linspace(0, 1, 16)[1:-1]  # those of `expected_calibration_error`


@dataclass(frozen=True)
class Predictions:
    """True and predicted classes as positions in `classes`, and probabilities, if any.

    `healthy` is the position of the class without a tumor, or None.
    """

    classes: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    proba: np.ndarray | None
    healthy: int | None

    def take(self, at):
        """Return the predictions of some images."""
        proba = None if self.proba is None else self.proba[at]
        return replace(
            self, true=self.true[at], predicted=self.predicted[at], proba=proba
        )

    def __len__(self):
        return len(self.true)


def check_predictions(y_true, y_pred, y_proba, classes, healthy, label_map=None):
    """Return labels and probabilities, as a report is given them, as `Predictions`."""
    check_consistent_length(y_true, y_pred, y_proba)
    if len(y_true) == 0:
        raise ValueError("There is no image to score: y is empty.")
    y_true, y_pred = check_labels(y_true, "", label_map), column_or_1d(y_pred)
    known = y_pred[:0] if classes is None else np.asarray(classes)
    check_kinds(y_true, y_pred, known)
    unknown = [] if classes is None else np.setdiff1d(y_true, known).tolist()
    if unknown:
        raise ValueError(
            f"y holds {unknown}, which the model does not know; it tells "
            f"{known.tolist()} apart. Name them as the model does, by label_map="
            f"{{{unknown[0]!r}: …}}, or leave their images out."
        )
    labels = np.unique(np.concatenate([y_true, y_pred, known]))
    if y_proba is not None:
        if classes is None:
            raise ValueError("y_proba needs classes: the labels of its columns.")
        check_finite(y_proba, "y_proba")
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
    """Return one vote a group, and the number of groups of several classes without one.

    By mean probability, or else by counting; None if no group is of one class.
    """
    p = predictions
    ballots = np.eye(len(p.classes))[p.predicted] if p.proba is None else p.proba
    by_group = np.unique(groups, return_inverse=True)[1]
    means = pd.DataFrame(ballots).groupby(by_group).mean().to_numpy()
    truth = pd.Series(p.true).groupby(by_group).agg(["min", "max"])
    of_one = (truth["min"] == truth["max"]).to_numpy()
    if not of_one.any():
        return None, len(truth)
    means, truth = means[of_one], truth["min"].to_numpy()[of_one]
    proba = None if p.proba is None else means
    votes = replace(p, true=truth, predicted=means.argmax(axis=1), proba=proba)
    return votes, int((~of_one).sum())


def _score_function(p):
    """Return a function of positions: `SCORE_NAMES` there, and recall of each class.

    Scores that are not defined are NaN; means over classes are of those that occur.
    In NumPy alone, what can be known before outside: a bootstrap calls it often.
    """
    k = len(p.classes)
    cells = p.true * k + p.predicted
    rate_probabilities = _probability_scores(p)

    def score(at):
        matrix = np.bincount(cells[at], minlength=k * k).reshape(k, k)
        hits, support, called = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        occurs = support > 0
        accuracy = hits.sum() / matrix.sum()
        with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: nothing was counted
            recalls = hits / support
        f1 = (2 * hits[occurs] / (support + called)[occurs]).mean()
        auc, brier, error = rate_probabilities(at, np.flatnonzero(occurs))
        tumor_rates = _tumor_rates(matrix, p.healthy)
        scores = accuracy, recalls[occurs].mean(), f1, auc, *tumor_rates, brier, error
        return np.array([*scores, *recalls])

    return score


def _tumor_rates(matrix, healthy):
    """Return tumor-miss rate and false-alarm rate."""
    if healthy is None:
        return np.nan, np.nan
    tumors = np.delete(matrix, healthy, axis=0)
    n_healthy = matrix[healthy].sum()
    missed = tumors[:, healthy].sum() / tumors.sum() if tumors.sum() else np.nan
    alarms = 1 - matrix[healthy, healthy] / n_healthy if n_healthy else np.nan
    return missed, alarms


def _probability_scores(p):
    """Return a function that gives ROC AUC, Brier score and calibration error."""
    if p.proba is None:
        return lambda at, codes: (np.nan, np.nan, np.nan)
    squared = ((p.proba - np.eye(len(p.classes))[p.true]) ** 2).sum(axis=1)
    confidence = p.proba.max(axis=1)
    gaps = confidence - (p.proba.argmax(axis=1) == p.true)
    bins = np.digitize(confidence, _BIN_EDGES, right=True)
    ranks = rankdata(p.proba, "dense", axis=0) - 1

    def score(at, codes):
        areas = [_area(ranks[at, code], p.true[at] == code) for code in codes]
        auc = np.mean(areas) if len(codes) > 1 else np.nan
        error = np.abs(np.bincount(bins[at], gaps[at])).sum() / len(bins[at])
        return auc, squared[at].mean(), error

    return score


def _area(ranks, is_it):
    """Return the area under the ROC curve of a class against the rest."""
    n_ranks = ranks.max() + 1
    above = np.bincount(ranks[is_it], minlength=n_ranks)
    rest = np.bincount(ranks[~is_it], minlength=n_ranks)
    with np.errstate(invalid="ignore"):  # all images are of one class
        return above @ (np.cumsum(rest) - rest / 2) / (above.sum() * rest.sum())


def score_table(predictions, *, groups, unit="images", by_class=False, **options):
    """Return the scores that are defined, with intervals and their kind.

    Of `groups` or else of a `unit`; `options` are those of `bootstrap_interval`. With
    `by_class` there is also the sensitivity to each class.
    """
    p, everything = predictions, np.ones(len(predictions), dtype=bool)
    hits = {"accuracy": p.true == p.predicted}
    parts = dict.fromkeys(SCORE_NAMES, everything)
    if p.healthy is not None:
        is_tumor = p.true != p.healthy
        parts |= {"tumor_miss_rate": is_tumor, "false_alarm_rate": ~is_tumor}
        hits["tumor_miss_rate"] = is_tumor & (p.predicted == p.healthy)
        hits["false_alarm_rate"] = ~is_tumor & (p.predicted != p.healthy)
    for code, label in enumerate(p.classes if by_class else ()):
        name = f"sensitivity, {label}"
        parts[name], hits[name] = (
            p.true == code,
            (p.true == code) & (p.predicted == code),
        )
    score, n = _score_function(p), len(parts)
    columns = _with_intervals(
        lambda at: score(at)[:n], np.array([*parts.values()]),
        [hits.get(name) for name in parts], groups, unit, **options,
    )  # fmt: skip
    table = dict(zip(("value", "low", "high", "interval"), columns, strict=True))
    table = pd.DataFrame(table, index=pd.Index(parts, name="score"))
    return table.dropna(subset="value")


def class_table(predictions, *, groups, **options):
    """Return sensitivity, specificity and precision of each class, with intervals.

    Ends of an interval ("…_low", "…_high") are missing where its images are one group.
    """
    p, k = predictions, len(predictions.classes)
    codes = np.arange(k)[:, None]
    is_it, called = p.true == codes, p.predicted == codes
    parts = np.concatenate([is_it, ~is_it, called])
    hits = parts & np.concatenate([called, ~called, is_it])

    def rates(at):
        with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: nothing was counted
            return hits[:, at].sum(axis=1) / parts[:, at].sum(axis=1)

    columns = _with_intervals(rates, parts, hits, groups, "images", **options)
    values, low, high, kinds = (np.reshape(column, (3, k)) for column in columns)
    table = {"support": is_it.sum(axis=1)}
    for i, name in enumerate(RATES):
        table |= {name: values[i], f"{name}_low": low[i], f"{name}_high": high[i]}
    table["interval"] = [", ".join(dict.fromkeys(of_class)) for of_class in kinds.T]
    return pd.DataFrame(table, index=pd.Index(p.classes, name="class"))


def _with_intervals(statistic, parts, hits, groups, unit, **options):
    """Return values of statistics, the ends of their intervals and their kinds.

    Each depends on the images of its part; of a proportion, `hits` are those it counts.
    """
    values = statistic(slice(None))
    low, high = np.full((2, len(values)), np.nan)
    kinds = np.full(len(values), "none", dtype=object)
    if options["n_resamples"]:
        low, high = bootstrap_interval(
            statistic, parts.shape[1], groups=groups, parts=parts, **options
        )
        unit = unit if groups is None else "groups"
        kinds[:] = f"bootstrap over {unit}"
        kinds[np.isin(values, (0, 1))] = f"Wilson over {unit}"
    for i, (part, counted) in enumerate(zip(parts, hits, strict=True)):
        # Independent images need no bootstrap; of one group it knows no spread.
        if groups is None and counted is not None:
            low[i], high[i] = wilson_interval(
                counted.sum(), part.sum(), confidence=options["confidence"]
            )
            kinds[i] = "Wilson"
        if np.isnan(values[i]) or (
            groups is not None and len(np.unique(groups[part])) < 2
        ):
            low[i], high[i], kinds[i] = np.nan, np.nan, "none"
    return values, low, high, kinds


def note_limits(predictions, groups):
    """Return what a reader must know of scores on these images, in plain words."""
    p, present = predictions, predictions.classes[predictions.true]
    absent = np.setdiff1d(p.classes, present).tolist()
    of_one = []
    if groups is not None:
        n_groups = pd.Series(groups).groupby(present).nunique()
        of_one = n_groups.index[n_groups == 1].tolist()

    def names(labels):
        return ", ".join(map(str, labels))

    notes = {
        "No probabilities: ROC AUC, Brier score and calibration are left out.": (
            p.proba is None
        ),
        f"No image is of the classes {names(absent)}: they have no sensitivity, and "
        "means over classes leave them out.": absent,
        f"The images of the classes {names(of_one)} are of one group each: how they "
        "would vary is not known, and intervals are too narrow.": of_one,
        "No groups were given: intervals take the images for independent and are "
        "too narrow where a patient has several.": groups is None,
    }
    return [text for text, applies in notes.items() if applies]
