"""The fast recipe on patients not seen, and how long it takes.

    python benchmarks/fast_recipe.py archive/Training --groups archive/groups.csv

One fit on all images is timed, from the files to the classifier: by the clock, and in
processor time, which other programs disturb less. The scores are of five folds that
keep groups whole, each image predicted by a model that did not see its group; their
intervals are of groups drawn with replacement.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
from grouped_scans import grouped_folds, load_grouped_scans
from sklearn.base import clone

from brain_tumor_clf import make_recipe
from brain_tumor_clf.reports import EvaluationReport

_SCORES = (
    "balanced_accuracy",
    "accuracy",
    "tumor_miss_rate",
    "expected_calibration_error",
)


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="class folders")
    parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("--healthy", default="notumor")
    parser.add_argument("--image-size", type=int, help="default: the recipe's")
    parser.add_argument(
        "--stages", type=int, nargs="+", help="in place of the recipe's"
    )
    parser.add_argument("--pooling", choices=["avg", "max", "avgmax"], help="likewise")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def make_pipeline(args, cache=None):
    """The recipe, with what was asked for in place of its own settings."""
    pipe = make_recipe("fast", image_size=args.image_size, cache=cache, random_state=0)
    asked = {"stages": args.stages, "pooling": args.pooling}
    return pipe.set_params(
        **{f"features__{k}": v for k, v in asked.items() if v is not None}
    )


def time_fit(pipe, scans):
    """Clock and processor seconds of one fit on all images."""
    clock, processor = time.perf_counter(), time.process_time()
    clone(pipe).fit(scans.data, scans.target)
    return {
        "clock": round(time.perf_counter() - clock, 1),
        "processor": round(time.process_time() - processor, 1),
    }


def cross_validate(pipe, scans, healthy):
    """Report on all images out of fold, and the balanced accuracy of each fold."""
    classes = np.unique(scans.target)
    proba = np.empty((len(scans.data), len(classes)))
    tests = []
    for train, test in grouped_folds(scans):
        pipe.fit(scans.data[train], scans.target[train])
        proba[test] = pipe.predict_proba(scans.data[test])
        tests.append(test)
    labels = classes[proba.argmax(axis=1)]
    report = EvaluationReport.from_predictions(
        scans.target,
        labels,
        proba,
        classes=classes,
        groups=scans.groups,
        healthy=healthy,
        random_state=0,
    )
    by_class = [
        [(labels[test] == name)[scans.target[test] == name].mean() for name in classes]
        for test in tests
    ]
    return report, [float(np.mean(recalls)) for recalls in by_class]


def print_table(scores, folds, seconds, n_images):
    print("| score | value | 95 % interval over groups |")
    print("|---|---|---|")
    for name in _SCORES:
        value, low, high = scores.loc[name, ["value", "low", "high"]]
        print(f"| {name.replace('_', ' ')} | {value:.3f} | {low:.3f} to {high:.3f} |")
    print(f"\nBalanced accuracy by fold: {' '.join(f'{fold:.3f}' for fold in folds)}")
    print(
        f"One fit on {n_images:,} images: {seconds['clock']} s by the clock, "
        f"{seconds['processor']} s of processor time"
    )


def main(argv=None):
    args = parse_arguments(argv)
    scans = load_grouped_scans(args.folder, args.groups)
    seconds = time_fit(make_pipeline(args), scans)
    with tempfile.TemporaryDirectory() as cache:
        report, folds = cross_validate(make_pipeline(args, cache), scans, args.healthy)
    print_table(report.scores, folds, seconds, len(scans.data))
    if args.json:
        found = {"seconds": seconds, "folds": folds, "report": report.to_dict()}
        Path(args.json).write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
