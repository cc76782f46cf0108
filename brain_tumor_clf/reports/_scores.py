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
    expected_calibration_error,
    wilson_interval,
)
from brain_tumor_clf.reports._report import check_labels

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
    _check_kinds(y_true, y_pred, known)
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


def check_finite(proba, name):
    """Refuse probabilities of a model that diverged in training."""
    bad = np.flatnonzero(~np.isfinite(np.asarray(proba, dtype=float)).all(axis=-1))
    if len(bad):
        raise ValueError(
            f"{name} holds NaN or infinity for {len(bad)} of {len(proba)} images, "
            f"first at position {bad[0]}: the model diverged in training. Train it "
            "again with a lower learning rate."
        )


def _check_kinds(y_true, y_pred, known):
    """Refuse text beside numbers, which would become text and match nothing."""
    firsts = [part[:1].tolist()[0] for part in (y_true, y_pred, known) if len(part)]
    if len({isinstance(first, str) for first in firsts}) > 1:
        raise ValueError(
            f"Labels must be of one kind: y holds {firsts[0]!r}, the model predicts "
            f"{firsts[-1]!r}. Give y in the names that the model was trained on."
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


def score_values(predictions):
    """Return the scores in the order of `SCORE_NAMES`; NaN where they are not defined.

    In NumPy alone: a bootstrap calls it a thousand times.
    """
    p, k = predictions, len(predictions.classes)
    matrix = np.bincount(p.true * k + p.predicted, minlength=k * k).reshape(k, k)
    hits, support, called = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    occurs = support > 0
    met = occurs | (called > 0)
    accuracy, balanced = hits.sum() / len(p), (hits[occurs] / support[occurs]).mean()
    f1 = (2 * hits[met] / (support + called)[met]).mean()
    auc = brier = error = np.nan
    if p.proba is not None:
        auc, y = _roc_auc(p, occurs), p.classes[p.true]
        brier = ((p.proba - np.eye(k)[p.true]) ** 2).sum(axis=1).mean()
        error = expected_calibration_error(y, p.proba, classes=p.classes)
    tumor_rates = _tumor_rates(matrix, p.healthy)
    return np.array([accuracy, balanced, f1, auc, *tumor_rates, brier, error])


def _tumor_rates(matrix, healthy):
    """Return tumor-miss rate and false-alarm rate."""
    if healthy is None:
        return np.nan, np.nan
    tumors = np.delete(matrix, healthy, axis=0)
    n_healthy = matrix[healthy].sum()
    missed = tumors[:, healthy].sum() / tumors.sum() if tumors.sum() else np.nan
    alarms = 1 - matrix[healthy, healthy] / n_healthy if n_healthy else np.nan
    return missed, alarms


def _roc_auc(p, occurs):
    """Return the area under the curve of a class against the rest, averaged."""
    if occurs.sum() < 2:
        return np.nan
    areas = []
    for code in np.flatnonzero(occurs):
        is_it = p.true == code
        n_it = is_it.sum()
        wins = rankdata(p.proba[:, code])[is_it].sum() - n_it * (n_it + 1) / 2
        areas.append(wins / (n_it * (len(is_it) - n_it)))
    return np.mean(areas)


def score_table(predictions, *, groups, unit="images", **options):
    """Return the scores that are defined, with intervals and their kind.

    Of `groups` or else of a `unit`; `options` are those of `bootstrap_interval`.
    """
    p, everything = predictions, np.ones(len(predictions), dtype=bool)
    table = pd.DataFrame(
        {"value": score_values(p), "low": np.nan, "high": np.nan, "interval": "none"},
        index=pd.Index(SCORE_NAMES, name="score"),
    )
    is_tumor, called_tumor = p.true != p.healthy, p.predicted != p.healthy
    rates = {"accuracy": (everything, p.true == p.predicted)}
    if p.healthy is not None:
        rates["tumor_miss_rate"] = is_tumor, ~called_tumor
        rates["false_alarm_rate"] = ~is_tumor, called_tumor
    parts = [rates.get(name, [everything])[0] for name in SCORE_NAMES]
    if options["n_resamples"]:
        table["low"], table["high"] = bootstrap_interval(
            lambda at: score_values(p.take(at)), len(p), groups=groups, parts=parts,
            **options,
        )  # fmt: skip
        unit = unit if groups is None else "groups"
        kinds = f"Wilson over {unit}", f"bootstrap over {unit}"
        table["interval"] = np.where(table["value"].isin([0, 1]), *kinds)
    row = ["low", "high", "interval"]
    for name, part in zip(SCORE_NAMES, parts, strict=True):
        if groups is None and name in rates:  # independent images need no bootstrap
            n_hits = (part & rates[name][1]).sum()
            ends = wilson_interval(n_hits, part.sum(), confidence=options["confidence"])
            table.loc[name, row] = *ends, "Wilson"
        elif groups is not None and not _has_groups(part, groups):
            table.loc[name, row] = np.nan, np.nan, "none"
    return table.dropna(subset="value")


def _has_groups(part, groups):
    """Whether images are of several groups: of one, a bootstrap knows no spread."""
    return len(np.unique(groups[part])) > 1


def class_table(predictions, *, groups, **options):
    """Return sensitivity, specificity and precision of each class, with intervals.

    Ends of an interval ("…_low", "…_high") are missing where its images are one group.
    """
    p = predictions
    (hits, parts), rates = _class_counts(p), _class_rates(p)
    (low, high), kind = np.full((2, *rates.shape), np.nan), "none"
    if groups is None:
        kind = "Wilson"
        for at in np.ndindex(rates.shape):
            n_hits, n, confidence = (
                hits[at].sum(),
                parts[at].sum(),
                options["confidence"],
            )
            low[at], high[at] = wilson_interval(n_hits, n, confidence=confidence)
    elif options["n_resamples"]:
        kind = "bootstrap over groups"
        options |= {"groups": groups, "parts": parts}
        low, high = bootstrap_interval(
            lambda at: _class_rates(p.take(at)), len(p), **options
        )
        if np.isin(rates, (0, 1)).any():
            kind += ", Wilson over groups where a rate is 0 or 1"
    undefined = np.isnan(rates)
    for at in np.ndindex(rates.shape) if groups is not None else ():
        undefined[at] |= not _has_groups(parts[at], groups)
    table = {"support": np.bincount(p.true, minlength=len(p.classes))}
    for i, name in enumerate(RATES):
        table[name] = rates[i]
        table[f"{name}_low"] = np.where(undefined[i], np.nan, low[i])
        table[f"{name}_high"] = np.where(undefined[i], np.nan, high[i])
    table["interval"] = kind
    return pd.DataFrame(table, index=pd.Index(p.classes, name="class"))


def _class_counts(p):
    """Return which images are hits of each rate and class, and which it is of."""
    codes = np.arange(len(p.classes))[:, None]
    is_it, called = p.true == codes, p.predicted == codes
    parts = np.stack([is_it, ~is_it, called])
    return parts & np.stack([called, ~called, is_it]), parts


def _class_rates(p):
    hits, parts = _class_counts(p)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: nothing was counted
        return hits.sum(axis=-1) / parts.sum(axis=-1)


def note_limits(predictions, groups):
    """Return what a reader must know of scores on these images, in plain words."""
    p, present = predictions, predictions.classes[predictions.true]
    absent = np.setdiff1d(p.classes, present).tolist()
    of_one = []
    if groups is not None:
        n_groups = pd.Series(groups).groupby(present).nunique()
        of_one = n_groups.index[n_groups == 1].tolist()
    notes = {
        "No probabilities: ROC AUC, Brier score and calibration are left out.": (
            p.proba is None
        ),
        f"No image is of the classes {absent}: they have no sensitivity, and means "
        "over classes leave them out.": absent,
        f"The images of the classes {of_one} are of one group each: how they would "
        "vary is not known, and intervals are too narrow.": of_one,
        "No groups were given: intervals take the images for independent and are "
        "too narrow where a patient has several.": groups is None,
    }
    return [text for text, applies in notes.items() if applies]
