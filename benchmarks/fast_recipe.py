"""Scores of the fast recipe on patients not seen, and seconds of a fit.

    python benchmarks/fast_recipe.py archive/Training --groups archive/groups.csv

One fit on all images is timed, from the files to the classifier, by the clock and in
processor time, which depends less on other programs. The scores are out-of-fold, of
five folds that keep groups whole; their intervals are by bootstrap over groups.
"""

import tempfile

import common
import numpy as np
from sklearn.base import clone

from brain_tumor_clf import make_recipe
from brain_tumor_clf.reports import EvaluationReport

_SCORES = (
    "balanced_accuracy",
    "accuracy",
    "tumor_miss_rate",
    "expected_calibration_error",
)


def parse_arguments():
    parser = common.make_parser(__doc__, scans=True)
    parser.add_argument("--healthy", default="notumor")
    parser.add_argument("--image-size", type=int, help="default: the recipe's")
    parser.add_argument("--stages", type=int, nargs="+", help="default: the recipe's")
    parser.add_argument("--pooling", choices=["avg", "max", "avgmax"], help="likewise")
    return parser.parse_args()


def make_pipeline(args, cache=None):
    pipe = make_recipe("fast", image_size=args.image_size, cache=cache, random_state=0)
    asked = {"features__stages": args.stages, "features__pooling": args.pooling}
    return pipe.set_params(**{k: v for k, v in asked.items() if v is not None})


def cross_validate(pipe, scans, healthy):
    """Return the out-of-fold report, and the balanced accuracy of each fold."""
    y, classes = scans.target, np.unique(scans.target)
    proba, folds = np.empty((len(y), len(classes))), []
    for train, test in common.grouped_folds(scans):
        pipe.fit(scans.data[train], y[train])
        proba[test] = pipe.predict_proba(scans.data[test])
        right = classes[proba[test].argmax(axis=1)] == y[test]
        folds.append(
            float(np.mean([right[y[test] == name].mean() for name in classes]))
        )
    labels, options = classes[proba.argmax(axis=1)], {"groups": scans.groups}
    options |= {"classes": classes, "healthy": healthy, "random_state": 0}
    return EvaluationReport.from_predictions(y, labels, proba, **options), folds


def main():
    args = parse_arguments()
    scans = common.load_grouped_scans(args.folder, args.groups)
    pipe = clone(make_pipeline(args))
    times = common.stopwatch(lambda: pipe.fit(scans.data, scans.target))
    seconds = {
        k: round(v, 1) for k, v in zip(("clock", "processor"), times, strict=True)
    }
    with tempfile.TemporaryDirectory() as cache:
        report, folds = cross_validate(make_pipeline(args, cache), scans, args.healthy)
    scores = report.scores.loc[list(_SCORES), ["value", "low", "high"]]
    rows = [
        [name.replace("_", " "), f"{row.value:.3f}", f"{row.low:.3f} to {row.high:.3f}"]
        for name, row in zip(_SCORES, scores.itertuples(), strict=True)
    ]
    print(common.table(["score", "value", "95 % interval over groups"], rows))
    print(f"\nBalanced accuracy by fold: {' '.join(f'{fold:.3f}' for fold in folds)}")
    print(
        f"One fit on {len(scans.data):,} images: {seconds['clock']} s by the clock, "
        f"{seconds['processor']} s of processor time"
    )
    found = {"seconds": seconds, "folds": folds, "report": report.to_dict()}
    common.write_json(args.json, found)


if __name__ == "__main__":
    main()
