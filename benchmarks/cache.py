"""What a grid search over classifier parameters saves by the preprocessing cache.

    python benchmarks/cache.py --json cache.json

Counted are the files that Pillow opens, with one process, so that none escapes. The
search refits nothing; six candidates on five folds read each image thirty times
without the cache (24 times to train, 6 times to score), and once with it.
"""

import argparse
import json
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
from PIL import Image
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from brain_tumor_clf import SimpleCNNClassifier, make_mri_pipeline, write_brain_mri

SEARCHES = ("ridge", "network")


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--file-size", type=int, default=512, help="pixels a side")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--over", nargs="+", choices=SEARCHES, default=SEARCHES)
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def make_searches():
    """Name of each search -> title, classifier and a grid of six candidates."""
    linear = make_pipeline(
        FunctionTransformer(flatten), StandardScaler(), RidgeClassifier()
    )
    network = SimpleCNNClassifier(filters=(8, 16), epochs=1, random_state=0)
    return {
        "ridge": (
            "ridge classifier on pixels",
            linear,
            {"classifier__ridgeclassifier__alpha": np.logspace(0, 5, 6)},
        ),
        "network": (
            "SimpleCNN, 1 epoch",
            network,
            {
                "classifier__dense_units": [16, 32, 64],
                "classifier__learning_rate": [1e-3, 3e-3],
            },
        ),
    }


def flatten(X):
    return X.reshape(len(X), -1) / 255.0


@contextmanager
def counted_reads():
    """Count the image files that Pillow opens."""
    opened, original = [], Image.open

    def open_and_count(*args, **kwargs):
        opened.append(1)
        return original(*args, **kwargs)

    Image.open = open_and_count
    try:
        yield opened
    finally:
        Image.open = original


def run(classifier, grid, scans, args, cache):
    pipeline = make_mri_pipeline(classifier, args.image_size, cache=cache)
    folds = StratifiedGroupKFold(args.folds, shuffle=True, random_state=0)
    search = GridSearchCV(pipeline, grid, cv=folds, refit=False)
    with counted_reads() as reads:
        start = time.perf_counter()
        search.fit(scans.data, scans.target, groups=scans.groups)
        seconds = time.perf_counter() - start
    return {"reads": len(reads), "seconds": seconds, "score": search.best_score_}


def main(argv=None):
    args = parse_arguments(argv)
    rows = []
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        scans = write_brain_mri(
            work / "scans", args.images, args.file_size, random_state=0
        )
        searches = make_searches()
        for name, classifier, grid in (searches[key] for key in args.over):
            without = run(classifier, grid, scans, args, None)
            with_cache = run(classifier, grid, scans, args, work / f"cache {name}")
            if without["score"] != with_cache["score"]:
                raise SystemExit(f"{name}: the cache changed the score")
            rows.append({"search": name, "without": without, "with": with_cache})
    print(f"{args.images} images, 6 candidates, {args.folds} folds\n")
    print("| search over | reads without | with | seconds without | with | faster |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        a, b = row["without"], row["with"]
        print(
            f"| {row['search']} | {a['reads']:,} | {b['reads']:,} | {a['seconds']:.1f} "
            f"| {b['seconds']:.1f} | {a['seconds'] / b['seconds']:.1f} times |"
        )
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
