"""Scores and choices from out-of-fold predictions, for ``train.py``.

Everything that is chosen on predictions (the weights of the members, the threshold) is
chosen on four folds and measured on the fifth, so that no image is scored with what it
helped to choose. The model gets what is chosen on all five.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from brain_tumor_clf.metrics import abstention_threshold, risk_coverage_curve
from brain_tumor_clf.reports import EvaluationReport

ERROR_RATE = 0.02  # selective risk at the model's abstention threshold
_ERROR_RATES = (0.01, 0.02, 0.03, 0.04, 0.05)
_EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
_MAX_POINTS = 200  # of the stored risk-coverage curve


def gather(files, n):
    """Return the logits of one member for all `n` images, and the fold of each."""
    logits, fold = None, np.full(n, -1)
    for number, path in enumerate(files):
        run = np.load(path)
        if logits is None:
            logits = np.zeros((n, run["logits"].shape[1]))
        logits[run["at"]] = run["logits"]
        fold[run["at"]] = number
    if (fold < 0).any():
        raise SystemExit(f"{(fold < 0).sum()} images have no out-of-fold prediction.")
    return logits, fold


def combine(y, logits):
    """Fit a logistic regression on the logits of several members, by name.

    Each member has one weight and each class one bias: a logarithmic opinion pool
    (Genest and Zidek, "Combining probability distributions", Statistical Science 1,
    1986), calibrated as by one temperature with a bias for each class (Alexandari et
    al., "Maximum likelihood with bias-corrected calibration", ICML 2020). It predicts
    positions among the sorted labels, as a `StackingClassifier` needs it.
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
    """Return its weights and biases by name."""
    weights = combination.coef_[0, :: len(classes)]
    pairs = zip(classes, combination.intercept_, strict=True)
    return {
        "weights": dict(zip(members, map(float, weights), strict=True)),
        "biases": {str(name): float(bias) for name, bias in pairs},
    }


def combine_across(y, logits, fold):
    """Return probabilities of each fold, combined as on the others, and how."""
    side_by_side = np.hstack(list(logits.values()))
    proba = np.zeros((len(y), len(np.unique(y))))
    combinations = []
    for number in np.unique(fold):
        here = fold == number
        others = {name: of_member[~here] for name, of_member in logits.items()}
        combinations.append(combine(y[~here], others))
        proba[here] = combinations[-1].predict_proba(side_by_side[here])
    return proba, combinations


def _threshold_or_none(y, proba, classes, error_rate):
    """Return the abstention threshold; None if none reaches the rate."""
    try:
        return float(
            abstention_threshold(y, proba, error_rate=error_rate, classes=classes)
        )
    except ValueError:
        return None


def choose_threshold(y, proba, classes, fold, error_rate=ERROR_RATE):
    """Return the threshold of all folds; risk and coverage at those of other folds."""
    accepted = np.zeros(len(y), dtype=bool)
    for number in np.unique(fold):
        here = fold == number
        threshold = _threshold_or_none(y[~here], proba[~here], classes, error_rate)
        if threshold is not None:
            accepted[here] = proba[here].max(axis=1) >= threshold
    wrong = classes[proba.argmax(axis=1)] != y
    return {
        "threshold": _threshold_or_none(y, proba, classes, error_rate),
        "error_rate": error_rate,
        "coverage": float(accepted.mean()),
        "measured_error_rate": float(wrong[accepted].mean())
        if accepted.any()
        else None,
        "n": len(y),
    }


def reliability_by_edges(y, proba, classes):
    """Return the accuracy of predictions in each range of confidence."""
    right = classes[proba.argmax(axis=1)] == y
    bins = np.clip(np.digitize(proba.max(axis=1), _EDGES) - 1, 0, len(_EDGES) - 2)
    n = np.bincount(bins, minlength=len(_EDGES) - 1)
    hits = np.bincount(bins, weights=right, minlength=len(_EDGES) - 1)
    accuracy = [float(h / k) if k else None for h, k in zip(hits, n, strict=True)]
    return {"edges": list(_EDGES), "accuracy": accuracy, "n": n.tolist()}


def thin_curve(coverage, risk, _):
    """Return the risk-coverage curve at few enough points for the model's file."""
    at = np.unique(np.linspace(0, len(coverage) - 1, _MAX_POINTS).astype(int))
    return {
        "coverage": np.round(coverage[at], 5).tolist(),
        "risk": np.round(risk[at], 5).tolist(),
    }


def score(codes, scores):
    """Return accuracy and balanced accuracy of the highest scores."""
    predicted = scores.argmax(axis=1)
    return {
        "accuracy": accuracy_score(codes, predicted),
        "balanced_accuracy": balanced_accuracy_score(codes, predicted),
    }


def score_members(y, logits, fold):
    """Return scores of each member alone, as it is and calibrated."""
    codes = np.unique(y, return_inverse=True)[1]
    rows = []
    for name, of_member in logits.items():
        calibrated, _ = combine_across(y, {name: of_member}, fold)
        rows.append({"member": name, **score(codes, of_member)})
        rows.append({"member": f"{name}, calibrated", **score(codes, calibrated)})
    return rows


def measure(scans, logits, fold):
    """Return all scores and choices, and how the members are weighted for each fold."""
    y = scans.target
    classes, codes = np.unique(y, return_inverse=True)
    proba, combinations = combine_across(y, logits, fold)
    report = EvaluationReport.from_predictions(
        y,
        classes[proba.argmax(axis=1)],
        proba,
        classes=classes,
        groups=scans.groups,
        per_group=True,
        protocol=f"{len(combinations)} folds that keep groups whole, out of fold",
    )
    folds = [fold == number for number in range(len(combinations))]
    found = {
        "report": report.to_dict(),
        "folds": [
            {"n_test": int(at.sum()), **score(codes[at], proba[at])} for at in folds
        ],
        "members": score_members(y, logits, fold),
        "abstention": choose_threshold(y, proba, classes, fold),
        "error_rates": [
            choose_threshold(y, proba, classes, fold, rate) for rate in _ERROR_RATES
        ],
        "reliability": reliability_by_edges(y, proba, classes),
        "risk_coverage": thin_curve(*risk_coverage_curve(y, proba, classes=classes)),
    }
    return found, combinations


def spread_over_seeds(scans, folder):
    """Return scores of every seed on the folds that all seeds have."""
    codes = np.unique(scans.target, return_inverse=True)[1]
    by_seed = {}
    for path in sorted(folder.glob("seed-*-*.npz")):
        _, seed, fold = path.stem.split("-")
        by_seed.setdefault(seed, {})[fold] = np.load(path)
    common = sorted(set.intersection(*(set(runs) for runs in by_seed.values())))
    rows = []
    for seed, runs in by_seed.items():
        at, logits = (
            np.concatenate([runs[fold][key] for fold in common])
            for key in ("at", "logits")
        )
        names = {"seed": int(seed), "folds": list(map(int, common))}
        rows.append({**names, **score(codes[at], logits)})
    return rows


def describe(scans):
    """Return numbers of images, groups and classes."""
    by_class = {name: scans.target == name for name in scans.target_names}
    return {
        "n_images": len(scans.data),
        "n_groups": len(np.unique(scans.groups)),
        "images_per_class": {name: int(at.sum()) for name, at in by_class.items()},
        "groups_per_class": {
            name: len(np.unique(scans.groups[at])) for name, at in by_class.items()
        },
    }
