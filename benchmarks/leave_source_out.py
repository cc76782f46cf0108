"""The fast recipe on tumors of a source that it was not trained on.

    python benchmarks/leave_source_out.py archive --groups archive/groups.csv

In the public Kaggle set one source of tumors, figshare, names its patients: the column
``patient`` of the table. Tumors without one come from elsewhere. They are classified
twice: by models that were trained on other groups of all sources (five folds that keep
groups whole), and by one that was trained on nothing of their source. Healthy scans are
of one collection and always trained on. Figshare itself cannot be left out: the rest
has no glioma.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
import pandas as pd
from grouped_scans import grouped_folds, load_grouped_scans

from brain_tumor_clf import make_recipe

_UNKNOWN = "unknown"


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="class folders, or Training/ above them")
    parser.add_argument(
        "--groups",
        metavar="CSV",
        required=True,
        help="columns file (relative to the folder), group and patient",
    )
    parser.add_argument("--healthy", default="notumor")
    parser.add_argument("--image-size", type=int, help="default: the recipe's")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def find_left_out(scans, args):
    """Which scans are tumors of patients that the table does not name."""
    table = pd.read_csv(args.groups, dtype=str)
    if "patient" not in table:
        raise SystemExit(f"{args.groups} has no column 'patient'.")
    table["group"] = table["patient"].fillna(_UNKNOWN)
    patients = load_grouped_scans(args.folder, table).groups
    left_out = (patients == _UNKNOWN) & (scans.target != args.healthy)
    if not left_out.any():
        raise SystemExit("No tumor is without a patient: there is no source to leave.")
    return left_out


def predict_with_source(pipe, scans, left_out):
    """Labels of the left out scans, by models that saw others of their source."""
    labels = np.empty_like(scans.target)
    for train, test in grouped_folds(scans):
        asked = test[left_out[test]]
        if len(asked):
            pipe.fit(scans.data[train], scans.target[train])
            labels[asked] = pipe.predict(scans.data[asked])
    return labels[left_out]


def predict_without_source(pipe, scans, left_out):
    """Labels of the left out scans, by a model that saw nothing of their groups."""
    train = ~left_out & ~np.isin(scans.groups, scans.groups[left_out])
    pipe.fit(scans.data[train], scans.target[train])
    return pipe.predict(scans.data[left_out])


def count_labels(scans, left_out, labels_by_training, healthy):
    """A row a class and training: how many got their class, how many none."""
    target, groups = scans.target[left_out], scans.groups[left_out]
    rows = []
    for name in np.unique(target):
        here = target == name
        for training, labels in labels_by_training.items():
            rows.append(
                {
                    "class": str(name),
                    "training": training,
                    "images": int(here.sum()),
                    "groups": len(np.unique(groups[here])),
                    "right": float((labels[here] == name).mean()),
                    "missed": float((labels[here] == healthy).mean()),
                }
            )
    return rows


def print_table(rows):
    print("| class | images | groups | trained on | right | called healthy |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        shares = f"{row['right']:.1%} | {row['missed']:.1%}"
        cells = (row[key] for key in ("class", "images", "groups", "training"))
        print(f"| {' | '.join(map(str, cells))} | {shares} |")


def main(argv=None):
    args = parse_arguments(argv)
    scans = load_grouped_scans(args.folder, args.groups)
    left_out = find_left_out(scans, args)
    with tempfile.TemporaryDirectory() as cache:
        pipe = make_recipe(
            "fast", image_size=args.image_size, cache=cache, random_state=0
        )
        labels = {
            "all sources": predict_with_source(pipe, scans, left_out),
            "the others": predict_without_source(pipe, scans, left_out),
        }
    rows = count_labels(scans, left_out, labels, args.healthy)
    print_table(rows)
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
