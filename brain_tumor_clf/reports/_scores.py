"""All scores of one set of predictions, with intervals."""

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
_OVER_GROUPS = "bootstrap over groups"
_NO_INTERVAL = "none"


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


def score_table(
    predictions, *, groups, n_resamples, confidence, random_state, unit="images"
):
    """Scores with intervals, and which kind of interval each is.

    Parameters
    ----------
    predictions : Predictions
    groups : ndarray of shape (n,) or None
        Drawn whole by the bootstrap. Scores of one group have no interval.
    n_resamples : int
        Draws of the bootstrap; 0 leaves out the intervals that need it.
    confidence : float
    random_state : int
    unit : str, default="images"
        What the predictions are of, where there are no groups.

    Returns
    -------
    DataFrame
        Rows `SCORE_NAMES` without those that are not defined; columns "value", "low",
        "high" and "interval".
    """
    values = score_values(predictions)
    low, high = np.full((2, len(values)), np.nan)
    kind = _NO_INTERVAL
    if n_resamples:
        kind = f"bootstrap over {unit}" if groups is None else _OVER_GROUPS
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
        # Rates of independent images need no bootstrap.
        for name, n_hits, n in _rate_counts(predictions):
            bounds = wilson_interval(n_hits, n, confidence=confidence)
            table.loc[name, ["low", "high"]] = bounds
            table.loc[name, "interval"] = "Wilson"
    else:
        is_healthy = predictions.true == predictions.healthy
        parts = dict.fromkeys(SCORE_NAMES, np.ones(len(predictions), dtype=bool))
        parts |= {"tumor_miss_rate": ~is_healthy, "false_alarm_rate": is_healthy}
        for name, part in parts.items():
            if not _has_groups(part, groups):
                table.loc[name, ["low", "high", "interval"]] = np.nan, np.nan, "none"
    return table.dropna(subset="value")


def _has_groups(part, groups):
    """Whether images are of several groups: of one, a bootstrap knows no spread."""
    return len(np.unique(groups[part])) > 1


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
        One row a class; columns "support"; for each rate its value, "…_low" and
        "…_high", missing where all images behind it are of one group; and "interval"
        (which kind they are).
    """
    rates = _class_rates(predictions)
    if groups is None:
        kind, bounds = "Wilson", _wilson_bounds(predictions, confidence)
    elif n_resamples:
        kind = _OVER_GROUPS
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
        kind, bounds = _NO_INTERVAL, dict.fromkeys(rates, (np.nan, np.nan))
    k = len(predictions.classes)
    table = {"support": np.bincount(predictions.true, minlength=k)}
    for name, value in rates.items():
        undefined = np.isnan(value)
        if groups is not None:
            parts = _class_parts(predictions)[name]
            undefined |= ~np.array([_has_groups(part, groups) for part in parts])
        table[name] = value
        for end, bound in zip(("low", "high"), bounds[name], strict=True):
            table[f"{name}_{end}"] = np.where(undefined, np.nan, bound)
    table["interval"] = kind
    return pd.DataFrame(table, index=pd.Index(predictions.classes, name="class"))


def _wilson_bounds(predictions, confidence):
    bounds = {}
    for name, (hits, n) in _class_counts(predictions).items():
        pairs = [
            wilson_interval(int(a), int(b), confidence=confidence)
            for a, b in zip(hits, n, strict=True)
        ]
        bounds[name] = tuple(np.array(pairs).T)
    return bounds


def _class_parts(predictions):
    """Which images each rate is of: name -> ndarray of bool, (k, n)."""
    codes = np.arange(len(predictions.classes))[:, None]
    is_it, called = predictions.true == codes, predictions.predicted == codes
    return {"sensitivity": is_it, "specificity": ~is_it, "precision": called}


def _class_counts(predictions):
    """Hits and images behind each rate, of every class."""
    right = predictions.true == predictions.predicted
    codes = np.arange(len(predictions.classes))[:, None]
    not_called = predictions.predicted != codes
    hits = {"sensitivity": right, "specificity": not_called, "precision": right}
    return {
        name: ((part & hits[name]).sum(axis=1), part.sum(axis=1))
        for name, part in _class_parts(predictions).items()
    }


def _class_rates(predictions):
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: nothing was counted
        return {
            name: hits / n for name, (hits, n) in _class_counts(predictions).items()
        }
