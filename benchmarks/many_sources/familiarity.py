"""How well the unfamiliar scans of a source left out are found.

    python benchmarks/many_sources/familiarity.py table.csv --root images \
        --weights run/weights.npz --protocol out:radiopaedia44

The weights are those that ``train.py`` wrote for the same protocol. A
`FamiliarityGuard` is fitted on the images of the training, and tested on those left
out: the share that it finds unfamiliar, and the share of wrong classes among these and
among the others.
"""

import argparse

import numpy as np
import package
import pandas as pd
from protocols import HOME, read_table, split

from brain_tumor_clf import load_mri_table
from brain_tumor_clf.outlier_detection import FamiliarityGuard


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("table", help="columns path, label, group and source")
    parser.add_argument("--root", default=".", help="folder that paths start from")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--protocol", required=True, help="as of train.py")
    parser.add_argument("--image-size", type=int, default=224)
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_arguments(argv)
    table = read_table(args.table)
    paths = load_mri_table(args.table, root=args.root).data
    fitted, tested = split(table, args.protocol)
    pipe = package.make_pipeline(args, 1.0, np.zeros(len(package.CLASSES)))
    guard = FamiliarityGuard(pipe).fit(paths[fitted])
    test = table.iloc[tested]
    answers = pipe.decision_function(paths[tested])[:, package.CLASSES != "other"]
    rows = pd.DataFrame(
        {
            "part": np.where(test.source == HOME, HOME, "other sources"),
            "unfamiliar": guard.predict(paths[tested]) == -1,
            "wrong": package.KNOWN[answers.argmax(axis=1)] != test.label,
        }
    )
    rows.loc[(test.target == 4).to_numpy(), "part"] = "other diseases"
    print(rows.groupby("part")["unfamiliar"].agg(["size", "mean"]).round(3))
    print(rows.groupby(["part", "unfamiliar"])["wrong"].mean().unstack().round(3))


if __name__ == "__main__":
    main()
