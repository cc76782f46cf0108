"""Scores of the same models with splits by image and by group.

    python benchmarks/honest_scores.py archive/Training --groups archive/groups.csv

Five shuffled folds; "by image" splits image by image, "by group" keeps the groups of
the table, joined with near-duplicates, whole. The controls see almost nothing of a
tumor; SimpleCNNClassifier is trained on images of 64 pixels.
"""

import common
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from brain_tumor_clf import SimpleCNNClassifier, audit_dataset, make_mri_pipeline


def parse_arguments():
    parser = common.make_parser(__doc__, scans=True)
    parser.add_argument("--healthy", default="notumor")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def network_scores(X, y, groups, args):
    """Yield rows like those of an audit's controls, of out-of-fold predictions."""
    for how, by in (("grouped", groups), ("ungrouped", None)):
        predicted = np.empty(len(y), dtype=y.dtype)
        for train, test in common.split(X, y, by, seed=args.seed):
            network = SimpleCNNClassifier(epochs=args.epochs, random_state=args.seed)
            pipe = make_mri_pipeline(network, args.image_size)
            predicted[test] = pipe.fit(X[train], y[train]).predict(X[test])
        for task, true, called in (
            ("all classes", y, predicted),
            ("tumor or not", y != args.healthy, predicted != args.healthy),
        ):
            yield {
                "control": "SimpleCNNClassifier",
                "task": task,
                "protocol": f"{how} {common.N_FOLDS}-fold",
                "accuracy": accuracy_score(true, called),
                "balanced_accuracy": balanced_accuracy_score(true, called),
                "n": len(y),
            }


def main():
    args = parse_arguments()
    scans = common.load_grouped_scans(args.folder, args.groups)
    audit = audit_dataset(
        scans.data,
        scans.target,
        groups=scans.groups,
        healthy=args.healthy,
        n_splits=common.N_FOLDS,
        random_state=args.seed,
        n_jobs=-1,
    )
    rows = network_scores(scans.data, scans.target, audit.groups, args)
    scores = pd.concat([audit.controls, pd.DataFrame(rows)], ignore_index=True)
    n_groups = len(np.unique(audit.groups))
    print(
        f"{len(scans.data):,} images in {n_groups:,} groups, {common.N_FOLDS} folds\n"
    )
    by = scores["protocol"].str.split().str[0]
    shares = scores.pivot_table("accuracy", ["task", "control"], by, sort=False) * 100
    shares = shares[["ungrouped", "grouped"]]
    shares["difference"] = shares["ungrouped"] - shares["grouped"]
    rows = [
        [*names, *(f"{share:.1f} %" for share in row)]
        for names, row in zip(shares.index, shares.to_numpy(), strict=True)
    ]
    head = ["what is scored", "model", "by image", "by group", "difference"]
    print(common.table(head, rows))
    common.write_json(args.json, {"scores": scores.to_dict("records")})


if __name__ == "__main__":
    main()
