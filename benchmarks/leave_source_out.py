"""The fast recipe on tumors of a source that it was not trained on.

    python benchmarks/leave_source_out.py archive --groups archive/groups.csv

In the public Kaggle set one source of tumors, figshare, names its patients: the column
``patient`` of the table. Tumors without a patient are of other sources. They are
classified twice: by models trained on other groups of all sources (five folds that keep
groups whole), and by one trained on nothing of their source. Healthy scans are of one
collection and always trained on. Figshare itself cannot be left out: the rest has no
glioma.
"""

import tempfile

import common
import numpy as np

from brain_tumor_clf import make_recipe


def parse_arguments():
    parser = common.make_parser(__doc__, scans=True)
    parser.add_argument("--healthy", default="notumor")
    parser.add_argument("--image-size", type=int, help="default: the recipe's")
    return parser.parse_args()


def find_left_out(scans, args):
    """Return which scans are tumors of patients that the table does not name."""
    if "patient" not in scans.frame:
        raise SystemExit("--groups must name a table with the column patient.")
    unknown = scans.frame["patient"].isna().to_numpy()
    left_out = unknown & (scans.target != args.healthy)
    if not left_out.any():
        raise SystemExit("No tumor is without a patient: there is no source to leave.")
    return left_out


def predict_with_source(pipe, scans, left_out):
    """Return labels of the left out scans, by models that saw their source."""
    labels = np.empty_like(scans.target)
    for train, test in common.grouped_folds(scans):
        asked = test[left_out[test]]
        if len(asked):
            pipe.fit(scans.data[train], scans.target[train])
            labels[asked] = pipe.predict(scans.data[asked])
    return labels[left_out]


def predict_without_source(pipe, scans, left_out):
    """Return labels of the left out scans, by a model that did not see it."""
    train = ~left_out & ~np.isin(scans.groups, scans.groups[left_out])
    pipe.fit(scans.data[train], scans.target[train])
    return pipe.predict(scans.data[left_out])


def main():
    args = parse_arguments()
    scans = common.load_grouped_scans(args.folder, args.groups)
    left_out = find_left_out(scans, args)
    target, groups = scans.target[left_out], scans.groups[left_out]
    with tempfile.TemporaryDirectory() as cache:
        options = {"image_size": args.image_size, "cache": cache, "random_state": 0}
        pipe = make_recipe("fast", **options)
        labels_by_training = {
            "all sources": predict_with_source(pipe, scans, left_out),
            "the others": predict_without_source(pipe, scans, left_out),
        }
    rows = []
    for name in np.unique(target):
        here = target == name
        counts = {"images": int(here.sum()), "groups": len(np.unique(groups[here]))}
        for training, labels in labels_by_training.items():
            shares = {
                "right": float((labels[here] == name).mean()),
                "missed": float((labels[here] == args.healthy).mean()),
            }
            row = {"class": str(name), **counts, "training": training, **shares}
            rows.append(row)
    head = ["class", "images", "groups", "trained on", "right", "called healthy"]
    cells = [
        [*list(row.values())[:4], f"{row['right']:.1%}", f"{row['missed']:.1%}"]
        for row in rows
    ]
    print(common.table(head, cells))
    common.write_json(args.json, rows)


if __name__ == "__main__":
    main()
