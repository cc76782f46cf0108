"""What the predictions out of fold say of a model: used by ``brain_mri_lite0.py``.

Everything that is chosen on predictions (temperature, threshold) is chosen on four
folds and measured on the fifth, so that no image is scored with what it helped choose;
what the model carries is then chosen on all five.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from brain_tumor_clf.metrics import abstention_threshold, risk_coverage_curve
from brain_tumor_clf.reports import EvaluationReport

ERROR_RATE = 0.02  # among the images that get a class
_EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
_MAX_POINTS = 200  # of the stored risk-coverage curve


def gather(files, n):
    """Logits of all images out of fold, and the fold of each."""
    logits, fold = None, np.full(n, -1)
    for number, path in enumerate(files):
        run = np.load(path)
        if logits is None:
            logits = np.zeros((n, run["logits"].shape[1]))
        logits[run["at"]] = run["logits"]
        fold[run["at"]] = number
    if (fold < 0).any():
        raise SystemExit(f"{(fold < 0).sum()} images have no prediction out of fold.")
    return logits, fold


def fit_temperature(logits, codes):
    """The temperature at which the logits have the least log loss."""

    def loss(log_temperature):
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -scaled[np.arange(len(codes)), codes].mean()

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def calibrate_across(logits, codes, fold):
    """Probabilities of each fold at the temperature of the other folds."""
    proba = np.zeros_like(logits)
    for number in np.unique(fold):
        here = fold == number
        temperature = fit_temperature(logits[~here], codes[~here])
        proba[here] = softmax(logits[here] / temperature, axis=1)
    return proba


def choose_threshold(y, proba, classes, fold):
    """The abstention threshold of all folds; error and coverage at those of others."""
    kept = np.zeros(len(y), dtype=bool)
    for number in np.unique(fold):
        here = fold == number
        threshold = abstention_threshold(
            y[~here], proba[~here], error_rate=ERROR_RATE, classes=classes
        )
        kept[here] = proba[here].max(axis=1) >= threshold
    wrong = classes[proba.argmax(axis=1)] != y
    threshold = abstention_threshold(y, proba, error_rate=ERROR_RATE, classes=classes)
    return {
        "threshold": float(threshold),
        "error_rate": ERROR_RATE,
        "coverage": float(kept.mean()),
        "measured_error_rate": float(wrong[kept].mean()),
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


def measure(scans, files):
    """All scores, and what is chosen on predictions out of fold.

    Parameters
    ----------
    scans : Bunch
        As `load_mri_folder` gives it, with groups.
    files : list of path
        Predictions of each fold.

    Returns
    -------
    dict
    """
    classes = np.unique(scans.target)
    codes = np.searchsorted(classes, scans.target)
    logits, fold = gather(files, len(codes))
    proba = calibrate_across(logits, codes, fold)
    report = EvaluationReport.from_predictions(
        scans.target,
        classes[proba.argmax(axis=1)],
        proba,
        classes=classes,
        groups=scans.groups,
        per_group=True,
        protocol=f"{len(files)} folds that keep groups whole, out of fold",
    )
    curve = risk_coverage_curve(scans.target, proba, classes=classes)
    return {
        "temperature": fit_temperature(logits, codes),
        "report": report.to_dict(),
        "folds": [score_fold(codes, logits, fold == k) for k in range(len(files))],
        "abstention": choose_threshold(scans.target, proba, classes, fold),
        "reliability": reliability_by_edges(scans.target, proba, classes),
        "risk_coverage": thin_curve(curve),
    }


def score_fold(codes, logits, here):
    predicted = logits[here].argmax(axis=1)
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
