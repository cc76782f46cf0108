"""Whether calibration and prediction sets hold what they say, by image and by group.

    python benchmarks/calibration.py archive/Training --groups archive/groups.csv

Each repeat cuts the images into five parts: SimpleCNNClassifier is trained on three,
its temperature and its prediction sets (MAPIE) are made on the fourth, and all is
measured on the fifth. "By image" cuts image by image; "by group" keeps the groups of
the table, joined with near-duplicates, whole. Needs scikit-learn 1.8 and MAPIE 1.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
import pandas as pd
from mapie.classification import SplitConformalClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from brain_tumor_clf import (
    NearDuplicateGrouper,
    SimpleCNNClassifier,
    load_mri_folder,
    make_mri_pipeline,
)
from brain_tumor_clf.reports import EvaluationReport

_LEVELS = (0.8, 0.9, 0.95)
_SCORES = ("accuracy", "brier_score", "expected_calibration_error")


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="class folders")
    parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("--image-size", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def cut(X, y, groups, seed):
    """Positions to train, to calibrate and to test on: three parts, one, one."""
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = kind(5, shuffle=True, random_state=seed).split(X, y, groups)
    parts = [part for _, part in folds]
    return np.concatenate(parts[:3]), parts[3], parts[4]


def probability_scores(model, X, y):
    """Accuracy, Brier score and calibration error of a fitted classifier."""
    proba = model.predict_proba(X)
    report = EvaluationReport.from_predictions(
        y,
        model.classes_[proba.argmax(axis=1)],
        proba,
        classes=model.classes_,
        healthy=None,
        n_resamples=0,
    )
    return report.scores.loc[list(_SCORES), "value"].to_dict()


def set_scores(pipe, X, y, calibrate, test):
    """Coverage and mean size of prediction sets at each level."""
    conformal = SplitConformalClassifier(FrozenEstimator(pipe), list(_LEVELS))
    conformal.conformalize(X[calibrate], y[calibrate])
    _, sets = conformal.predict_set(X[test])
    truth = np.searchsorted(pipe.classes_, y[test])
    covered = sets[np.arange(len(test)), truth].mean(axis=0)
    sizes = sets.sum(axis=1).mean(axis=0)
    found = {}
    for level, share, size in zip(_LEVELS, covered, sizes, strict=True):
        found[f"coverage of {level:.0%} sets"] = float(share)
        found[f"classes in {level:.0%} sets"] = float(size)
    return found


def measure(X, y, groups, how, seed, args, cache):
    train, calibrate, test = cut(X, y, groups if how == "by group" else None, seed)
    network = SimpleCNNClassifier(epochs=args.epochs, random_state=seed)
    pipe = make_mri_pipeline(network, args.image_size, cache=cache)
    pipe.fit(X[train], y[train])
    scaled = CalibratedClassifierCV(FrozenEstimator(pipe), method="temperature", cv=2)
    scaled.fit(X[calibrate], y[calibrate])
    row = {"split": how, "seed": seed}
    row |= probability_scores(pipe, X[test], y[test])
    after = probability_scores(scaled, X[test], y[test])
    row |= {f"{name}, scaled": after[name] for name in _SCORES[1:]}
    return row | set_scores(pipe, X, y, calibrate, test)


def print_table(rows):
    print("| mean (lowest to highest) | by image | by group |")
    print("|---|---|---|")
    for name in rows.columns.drop(["split", "seed"]):
        by_split = rows.groupby("split")[name]
        cells = []
        for how in ("by image", "by group"):
            values = by_split.get_group(how)
            cells.append(f"{values.mean():.3f} ({values.min():.3f}-{values.max():.3f})")
        print(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")


def main(argv=None):
    args = parse_arguments(argv)
    scans = load_mri_folder(args.folder, groups=args.groups)
    X, y = scans.data, scans.target
    groups = NearDuplicateGrouper(n_jobs=-1).fit_predict(X, links=scans.groups)
    with tempfile.TemporaryDirectory() as cache:
        rows = pd.DataFrame(
            measure(X, y, groups, how, seed, args, cache)
            for seed in range(args.repeats)
            for how in ("by image", "by group")
        )
    print(f"{len(X):,} images in {groups.max() + 1:,} groups, {args.repeats} repeats\n")
    print_table(rows)
    if args.json:
        text = json.dumps(rows.to_dict("records"), indent=2)
        Path(args.json).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
