"""What a plain split is worth: the same models by image and by group.

    python benchmarks/honest_scores.py archive/Training --groups archive/groups.csv

Five folds, shuffled; "by image" splits image by image, "by group" keeps the groups of
the table, joined with near-duplicates, whole. The controls see almost nothing of a
tumor; SimpleCNNClassifier is trained on images of 64 pixels.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from brain_tumor_clf import (
    SimpleCNNClassifier,
    audit_dataset,
    load_mri_folder,
    make_mri_pipeline,
)

_N_SPLITS = 5
NETWORK = "SimpleCNNClassifier"


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="class folders")
    parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("--healthy", default="notumor")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-network", action="store_true")
    parser.add_argument("--html", metavar="FILE", help="write the audit, too")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def cross_validate_network(X, y, groups, args):
    """Accuracy over all images, each predicted by the network that did not see it."""
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = kind(_N_SPLITS, shuffle=True, random_state=args.seed)
    predicted = np.empty(len(y), dtype=y.dtype)
    for train, test in folds.split(X, y, groups):
        network = SimpleCNNClassifier(epochs=args.epochs, random_state=args.seed)
        pipe = make_mri_pipeline(network, args.image_size)
        predicted[test] = pipe.fit(X[train], y[train]).predict(X[test])
    return predicted


def network_scores(X, y, groups, args):
    """Rows as those of an audit's controls."""
    rows = []
    for how, by in (("grouped", groups), ("ungrouped", None)):
        predicted = cross_validate_network(X, y, by, args)
        pairs = {
            "all classes": (y, predicted),
            "tumor or not": (y != args.healthy, predicted != args.healthy),
        }
        for task, (true, called) in pairs.items():
            rows.append(
                {
                    "control": NETWORK,
                    "task": task,
                    "protocol": f"{how} {_N_SPLITS}-fold",
                    "accuracy": accuracy_score(true, called),
                    "balanced_accuracy": balanced_accuracy_score(true, called),
                    "n": len(y),
                }
            )
    return pd.DataFrame(rows)


def print_table(scores):
    table = scores.pivot_table(
        index=["task", "control"],
        columns=scores["protocol"].str.split().str[0],
        values="accuracy",
        sort=False,
    )
    print("| what is scored | model | by image | by group | difference |")
    print("|---|---|---|---|---|")
    for (task, model), row in table.iterrows():
        by_image, by_group = 100 * row["ungrouped"], 100 * row["grouped"]
        print(
            f"| {task} | {model} | {by_image:.1f} % | {by_group:.1f} % | "
            f"{by_image - by_group:.1f} |"
        )


def main(argv=None):
    args = parse_arguments(argv)
    scans = load_mri_folder(args.folder, groups=args.groups)
    start = time.perf_counter()
    audit = audit_dataset(
        scans.data,
        scans.target,
        groups=scans.groups,
        healthy=args.healthy,
        n_splits=_N_SPLITS,
        random_state=args.seed,
        n_jobs=-1,
    )
    seconds = {"audit": round(time.perf_counter() - start, 1)}
    scores = audit.controls
    if not args.no_network:
        start = time.perf_counter()
        rows = network_scores(scans.data, scans.target, audit.groups, args)
        scores = pd.concat([scores, rows], ignore_index=True)
        seconds["network"] = round(time.perf_counter() - start, 1)
    n_groups = len(np.unique(audit.groups))
    print(f"{len(scans.data):,} images in {n_groups:,} groups, {_N_SPLITS} folds\n")
    print_table(scores)
    print(f"\n{seconds}")
    if args.html:
        audit.to_html(args.html)
    if args.json:
        found = {
            "scores": scores.to_dict("records"),
            "seconds": seconds,
            "audit": audit.to_dict(),
        }
        Path(args.json).write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
