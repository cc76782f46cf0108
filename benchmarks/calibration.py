"""Calibration and coverage of prediction sets, by image and by group.

    python benchmarks/calibration.py archive/Training --groups archive/groups.csv

Each repeat splits the images into five parts: SimpleCNNClassifier is trained on three,
its temperature and its prediction sets (MAPIE) are fitted on the fourth, and all is
measured on the fifth. "By image" splits image by image; "by group" keeps the groups of
the table, joined with near-duplicates, whole. Needs scikit-learn 1.8 and MAPIE 1.
"""

import tempfile

import common
import numpy as np
import pandas as pd
from mapie.classification import SplitConformalClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from brain_tumor_clf import NearDuplicateGrouper, SimpleCNNClassifier, make_mri_pipeline
from brain_tumor_clf.reports import EvaluationReport

_LEVELS = (0.8, 0.9, 0.95)
_SCORES = ("accuracy", "brier_score", "expected_calibration_error")


def parse_arguments():
    parser = common.make_parser(__doc__, scans=True)
    parser.add_argument("--image-size", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def probability_scores(model, X, y):
    """Return accuracy, Brier score and calibration error of a fitted classifier."""
    proba, classes = model.predict_proba(X), model.classes_
    labels = classes[proba.argmax(axis=1)]
    options = {"classes": classes, "healthy": None, "n_resamples": 0}
    report = EvaluationReport.from_predictions(y, labels, proba, **options)
    return report.scores.loc[list(_SCORES), "value"].to_dict()


def set_scores(pipe, X, y, calibrate, test):
    """Return coverage and mean size of prediction sets at each level."""
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
    parts = [part for _, part in common.split(X, y, groups, seed=seed)]
    train, calibrate, test = np.concatenate(parts[:3]), parts[3], parts[4]
    network = SimpleCNNClassifier(epochs=args.epochs, random_state=seed)
    pipe = make_mri_pipeline(network, args.image_size, cache=cache)
    pipe.fit(X[train], y[train])
    scaled = CalibratedClassifierCV(FrozenEstimator(pipe), method="temperature", cv=2)
    scaled.fit(X[calibrate], y[calibrate])
    before, after = (
        probability_scores(each, X[test], y[test]) for each in (pipe, scaled)
    )
    after = {f"{name}, scaled": after[name] for name in _SCORES[1:]}
    sets = set_scores(pipe, X, y, calibrate, test)
    return {"split": how, "seed": seed, **before, **after, **sets}


def main():
    args = parse_arguments()
    scans = common.load_grouped_scans(args.folder, args.groups)
    X, y = scans.data, scans.target
    groups = NearDuplicateGrouper(n_jobs=-1).fit_predict(X, links=scans.groups)
    with tempfile.TemporaryDirectory() as cache:
        rows = [
            measure(X, y, by, how, seed, args, cache)
            for seed in range(args.repeats)
            for how, by in (("by image", None), ("by group", groups))
        ]
    print(f"{len(X):,} images in {groups.max() + 1:,} groups, {args.repeats} repeats\n")
    by_split = pd.DataFrame(rows).drop(columns="seed").groupby("split")
    cells = by_split.agg(lambda x: f"{x.mean():.3f} ({x.min():.3f}-{x.max():.3f})").T
    cells = cells[["by image", "by group"]].reset_index().to_numpy()
    print(common.table(["mean (lowest to highest)", "by image", "by group"], cells))
    common.write_json(args.json, rows)


if __name__ == "__main__":
    main()
