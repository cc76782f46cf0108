"""What the predictions out of fold say of a stack: used by ``brain_mri_lite0.py``.

Everything that is chosen on predictions (how members are weighed, the threshold) is
chosen on four folds and measured on the fifth, so that no image is scored with what it
helped choose; what the model carries is then chosen on all five.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from brain_tumor_clf.metrics import abstention_threshold, risk_coverage_curve
from brain_tumor_clf.reports import EvaluationReport

ERROR_RATE = 0.02  # among the images that get a class; the model's own threshold
_ERROR_RATES = (0.01, 0.02, 0.03, 0.04, 0.05)
_EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
_MAX_POINTS = 200  # of the stored risk-coverage curve


class Predictions(NamedTuple):
    """Logits of all images out of fold, and the fold of each."""

    logits: np.ndarray
    fold: np.ndarray


def gather(files, n):
    """The predictions of one member for all `n` images."""
    logits, fold = None, np.full(n, -1)
    for number, path in enumerate(files):
        run = np.load(path)
        if logits is None:
            logits = np.zeros((n, run["logits"].shape[1]))
        logits[run["at"]] = run["logits"]
        fold[run["at"]] = number
    if (fold < 0).any():
        raise SystemExit(f"{(fold < 0).sum()} images have no prediction out of fold.")
    return Predictions(logits, fold)


def combine(y, logits):
    """A logistic regression on the logits of several members, of few parameters.

    Each member has one weight and each class one bias: a logarithmic opinion pool
    (Genest and Zidek, "Combining probability distributions", Statistical Science 1,
    1986), calibrated as by one temperature with a bias for each class (Alexandari et
    al., "Maximum likelihood with bias-corrected calibration", ICML 2020).

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.
    logits : dict of str to ndarray of shape (n, n_classes)
        Of each member.

    Returns
    -------
    LogisticRegression
        Of the logits side by side; to positions among the sorted labels, as a
        `StackingClassifier` has it.
    """
    classes, codes = np.unique(y, return_inverse=True)
    n_members, n_classes = len(logits), len(classes)
    stacked = np.stack(list(logits.values()))

    def loss(parameters):
        weights, biases = np.split(parameters, [n_members])
        pooled = np.tensordot(weights, stacked, 1) + biases
        return -log_softmax(pooled, axis=1)[np.arange(len(codes)), codes].mean()

    start = np.r_[np.full(n_members, 1 / n_members), np.zeros(n_classes)]
    weights, biases = np.split(minimize(loss, start).x, [n_members])
    side_by_side = np.hstack(list(logits.values()))
    one_each = np.unique(codes, return_index=True)[1]
    made = LogisticRegression().fit(side_by_side[one_each], np.arange(n_classes))
    made.coef_ = np.hstack([weight * np.eye(n_classes) for weight in weights])
    made.intercept_ = biases - biases.mean()
    return made


def describe_combination(combination, members, classes):
    """Its weights and biases by name."""
    weights = combination.coef_[0, :: len(classes)]
    pairs = zip(classes, combination.intercept_, strict=True)
    return {
        "weights": dict(zip(members, map(float, weights), strict=True)),
        "biases": {str(name): float(bias) for name, bias in pairs},
    }


def combine_across(y, logits, fold):
    """Probabilities of each fold, combined as the others say; and how, by fold."""
    side_by_side = np.hstack(list(logits.values()))
    proba = np.zeros((len(y), len(np.unique(y))))
    combinations = []
    for number in np.unique(fold):
        here = fold == number
        others = {name: of_member[~here] for name, of_member in logits.items()}
        combinations.append(combine(y[~here], others))
        proba[here] = combinations[-1].predict_proba(side_by_side[here])
    return proba, combinations


def threshold_or_none(y, proba, classes, error_rate):
    """The abstention threshold; None where none reaches the rate."""
    try:
        return abstention_threshold(y, proba, error_rate=error_rate, classes=classes)
    except ValueError:
        return None


def choose_threshold(y, proba, classes, fold, error_rate=ERROR_RATE):
    """The abstention threshold of all folds; error and coverage at those of others.

    Where none reaches the rate, no image gets a class.
    """
    kept = np.zeros(len(y), dtype=bool)
    for number in np.unique(fold):
        here = fold == number
        threshold = threshold_or_none(y[~here], proba[~here], classes, error_rate)
        if threshold is not None:
            kept[here] = proba[here].max(axis=1) >= threshold
    wrong = classes[proba.argmax(axis=1)] != y
    threshold = threshold_or_none(y, proba, classes, error_rate)
    return {
        "threshold": None if threshold is None else float(threshold),
        "error_rate": error_rate,
        "coverage": float(kept.mean()),
        "measured_error_rate": float(wrong[kept].mean()) if kept.any() else None,
        "n": len(y),
    }


def reliability_by_edges(y, proba, classes):
    """How often predictions of each range of confidence were right."""
    right = classes[proba.argmax(axis=1)] == y
    bins = np.clip(np.digitize(proba.max(axis=1), _EDGES) - 1, 0, len(_EDGES) - 2)
    n = np.bincount(bins, minlength=len(_EDGES) - 1)
    hits = np.bincount(bins, weights=right, minlength=len(_EDGES) - 1)
    accuracy = [float(h / k) if k else None for h, k in zip(hits, n, strict=True)]
    return {"edges": list(_EDGES), "accuracy": accuracy, "n": n.tolist()}


def thin_curve(curve):
    """The risk-coverage curve at few enough points to travel in a file."""
    coverage, risk, _ = curve
    at = np.unique(np.linspace(0, len(coverage) - 1, _MAX_POINTS).astype(int))
    return {
        "coverage": np.round(np.asarray(coverage)[at], 5).tolist(),
        "risk": np.round(np.asarray(risk)[at], 5).tolist(),
    }


def measure(scans, logits, fold):
    """All scores, and what is chosen on predictions out of fold.

    Parameters
    ----------
    scans : Bunch
        As `load_mri_folder` gives it, with groups.
    logits : dict of str to ndarray of shape (n, n_classes)
        Of each member, out of fold.
    fold : ndarray of shape (n,), int
        Of each image.

    Returns
    -------
    found : dict
    combinations : list of LogisticRegression
        How the members are weighed for each fold.
    """
    classes, codes = np.unique(scans.target, return_inverse=True)
    proba, combinations = combine_across(scans.target, logits, fold)
    report = EvaluationReport.from_predictions(
        scans.target,
        classes[proba.argmax(axis=1)],
        proba,
        classes=classes,
        groups=scans.groups,
        per_group=True,
        protocol=f"{len(combinations)} folds that keep groups whole, out of fold",
    )
    curve = risk_coverage_curve(scans.target, proba, classes=classes)
    numbers = range(len(combinations))
    found = {
        "report": report.to_dict(),
        "folds": [score_fold(codes, proba, fold == number) for number in numbers],
        "members": score_members(scans.target, logits, fold),
        "abstention": choose_threshold(scans.target, proba, classes, fold),
        "error_rates": [
            choose_threshold(scans.target, proba, classes, fold, rate)
            for rate in _ERROR_RATES
        ],
        "reliability": reliability_by_edges(scans.target, proba, classes),
        "risk_coverage": thin_curve(curve),
    }
    return found, combinations


def score_members(y, logits, fold):
    """Scores of each member alone: as it is, and calibrated with a bias a class."""
    codes = np.unique(y, return_inverse=True)[1]
    rows = []
    for name, of_member in logits.items():
        calibrated, _ = combine_across(y, {name: of_member}, fold)
        for title, scores in ((name, of_member), (f"{name}, calibrated", calibrated)):
            predicted = scores.argmax(axis=1)
            rows.append(
                {
                    "member": title,
                    "accuracy": accuracy_score(codes, predicted),
                    "balanced_accuracy": balanced_accuracy_score(codes, predicted),
                }
            )
    return rows


def score_fold(codes, scores, here):
    predicted = scores[here].argmax(axis=1)
    return {
        "n_test": int(here.sum()),
        "accuracy": accuracy_score(codes[here], predicted),
        "balanced_accuracy": balanced_accuracy_score(codes[here], predicted),
    }


def spread_over_seeds(scans, folder):
    """Scores of every seed on the folds that all seeds have."""
    codes = np.unique(scans.target, return_inverse=True)[1]
    by_seed = {}
    for path in sorted(folder.glob("seed-*-*.npz")):
        _, seed, fold = path.stem.split("-")
        by_seed.setdefault(seed, {})[fold] = np.load(path)
    common = sorted(set.intersection(*(set(runs) for runs in by_seed.values())))
    rows = []
    for seed, runs in by_seed.items():
        at = np.concatenate([runs[fold]["at"] for fold in common])
        predicted = np.concatenate(
            [runs[fold]["logits"].argmax(axis=1) for fold in common]
        )
        rows.append(
            {
                "seed": int(seed),
                "folds": [int(fold) for fold in common],
                "accuracy": accuracy_score(codes[at], predicted),
                "balanced_accuracy": balanced_accuracy_score(codes[at], predicted),
            }
        )
    return rows


def describe(scans):
    """Numbers of images, groups and classes."""
    return {
        "n_images": len(scans.data),
        "n_groups": len(np.unique(scans.groups)),
        "images_per_class": {
            name: int((scans.target == name).sum()) for name in scans.target_names
        },
        "groups_per_class": {
            name: len(np.unique(scans.groups[scans.target == name]))
            for name in scans.target_names
        },
    }
