"""All scores of one set of predictions, with intervals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from brain_tumor_clf.metrics import (
    bootstrap_interval,
    expected_calibration_error,
    wilson_interval,
)

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
# Rates of independent images have Wilson's interval; the others need a bootstrap.
_RATES = ("accuracy", "tumor_miss_rate", "false_alarm_rate")


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
        Position of the class without a tumour.
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


def score_values(predictions):
    """Scores in the order of `SCORE_NAMES`; NaN where they are not defined."""
    true, predicted = predictions.true, predictions.predicted
    k = len(predictions.classes)
    matrix = np.bincount(true * k + predicted, minlength=k * k).reshape(k, k)
    hits, support, called = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    occurs = support > 0
    met = occurs | (called > 0)
    f1 = 2 * hits[met] / (support + called)[met]
    healthy = predictions.healthy
    return np.array(
        [
            hits.sum() / len(true),
            (hits[occurs] / support[occurs]).mean(),
            f1.mean(),
            _roc_auc(predictions, occurs),
            *_tumor_rates(matrix, healthy),
            _brier(predictions),
            _calibration_error(predictions),
        ]
    )


def _tumor_rates(matrix, healthy):
    if healthy is None:
        return np.nan, np.nan
    tumors = np.delete(matrix, healthy, axis=0)
    n_healthy = matrix[healthy].sum()
    missed = tumors[:, healthy].sum() / tumors.sum() if tumors.sum() else np.nan
    if not n_healthy:
        return missed, np.nan
    return missed, 1 - matrix[healthy, healthy] / n_healthy


def _roc_auc(predictions, occurs):
    """Mean over classes of the area under the curve of the class against the rest."""
    if predictions.proba is None or occurs.sum() < 2:
        return np.nan
    areas = []
    for code in np.flatnonzero(occurs):
        is_it = predictions.true == code
        ranks = rankdata(predictions.proba[:, code])
        n_it = is_it.sum()
        wins = ranks[is_it].sum() - n_it * (n_it + 1) / 2
        areas.append(wins / (n_it * (len(is_it) - n_it)))
    return np.mean(areas)


def _brier(predictions):
    """Mean squared distance of probabilities and truth, summed over classes."""
    if predictions.proba is None:
        return np.nan
    truth = np.eye(len(predictions.classes))[predictions.true]
    return ((predictions.proba - truth) ** 2).sum(axis=1).mean()


def _calibration_error(predictions):
    if predictions.proba is None:
        return np.nan
    return expected_calibration_error(
        predictions.classes[predictions.true],
        predictions.proba,
        classes=predictions.classes,
    )


def score_table(predictions, *, groups, n_resamples, confidence, random_state):
    """Scores with intervals, and which kind of interval each is.

    Parameters
    ----------
    predictions : Predictions
    groups : ndarray of shape (n,) or None
        Drawn whole by the bootstrap.
    n_resamples : int
        Draws of the bootstrap; 0 leaves out the intervals that need it.
    confidence : float
    random_state : int

    Returns
    -------
    DataFrame
        Rows `SCORE_NAMES` without those that are not defined; columns "value", "low",
        "high" and "interval".
    """
    values = score_values(predictions)
    low, high = np.full((2, len(values)), np.nan)
    kind = "none"
    if n_resamples:
        kind = "bootstrap over images" if groups is None else "bootstrap over groups"
        low, high = bootstrap_interval(
            lambda at: score_values(predictions.take(at)),
            len(predictions),
            groups=groups,
            n_resamples=n_resamples,
            confidence=confidence,
            random_state=random_state,
        )
    table = pd.DataFrame(
        {"value": values, "low": low, "high": high, "interval": kind},
        index=pd.Index(SCORE_NAMES, name="score"),
    )
    if groups is None:
        for name, n_hits, n in _rate_counts(predictions):
            bounds = wilson_interval(n_hits, n, confidence=confidence)
            table.loc[name, ["low", "high"]] = bounds
            table.loc[name, "interval"] = "Wilson"
    return table.dropna(subset="value")


def _rate_counts(predictions):
    """Name, hits and images of each rate that is defined."""
    right = predictions.true == predictions.predicted
    yield "accuracy", int(right.sum()), len(right)
    if predictions.healthy is not None:
        is_healthy = predictions.true == predictions.healthy
        called = predictions.predicted == predictions.healthy
        yield (
            "tumor_miss_rate",
            int(called[~is_healthy].sum()),
            int((~is_healthy).sum()),
        )
        yield (
            "false_alarm_rate",
            int((~called[is_healthy]).sum()),
            int(is_healthy.sum()),
        )


def class_table(predictions, *, groups, n_resamples, confidence, random_state):
    """Sensitivity, specificity and precision of each class, with intervals.

    Returns
    -------
    DataFrame
        One row a class; columns "support" and, for each rate, its value and
        "…_low" and "…_high".
    """
    rates = _class_rates(predictions)
    bounds = {}
    if groups is not None and n_resamples:
        low, high = bootstrap_interval(
            lambda at: np.array([*_class_rates(predictions.take(at)).values()]),
            len(predictions),
            groups=groups,
            n_resamples=n_resamples,
            confidence=confidence,
            random_state=random_state,
        )
        bounds = {name: (low[i], high[i]) for i, name in enumerate(rates)}
    else:
        for name, (hits, n) in _class_counts(predictions).items():
            pairs = [
                wilson_interval(int(a), int(b), confidence=confidence)
                for a, b in zip(hits, n, strict=True)
            ]
            bounds[name] = tuple(np.array(pairs).T)
    k = len(predictions.classes)
    table = {"support": np.bincount(predictions.true, minlength=k)}
    for name, value in rates.items():
        undefined = np.isnan(value)
        table[name] = value
        for end, bound in zip(("low", "high"), bounds[name], strict=True):
            table[f"{name}_{end}"] = np.where(undefined, np.nan, bound)
    return pd.DataFrame(table, index=pd.Index(predictions.classes, name="class"))


def _class_counts(predictions):
    """Hits and images behind each rate, of every class."""
    codes = np.arange(len(predictions.classes))[:, None]
    is_it, called = predictions.true == codes, predictions.predicted == codes
    return {
        "sensitivity": ((is_it & called).sum(axis=1), is_it.sum(axis=1)),
        "specificity": ((~is_it & ~called).sum(axis=1), (~is_it).sum(axis=1)),
        "precision": ((is_it & called).sum(axis=1), called.sum(axis=1)),
    }


def _class_rates(predictions):
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: nothing was counted
        return {
            name: hits / n for name, (hits, n) in _class_counts(predictions).items()
        }
