"""Suspect labels of a source, by out-of-fold logits of a network trained on many.

    python benchmarks/label_issues.py benchmarks/many_sources/out_of_fold.csv \
        --root images --sheet suspects.png

The table has the columns path, label, group and source, and the logits of each class.
Labels that are no column are "other". The sheet shows the most suspect images of the
source, row by row, with label, suggestion and probability of the label.
"""

from pathlib import Path

import common
import matplotlib.pyplot as plt
import pandas as pd
from scipy.special import softmax

from brain_tumor_clf import ImageReader, find_label_issues

CLASSES = ["glioma", "meningioma", "notumor", "pituitary", "other"]


def parse_arguments():
    parser = common.make_parser(__doc__)
    parser.add_argument("logits", help="table of out-of-fold logits")
    parser.add_argument("--source", default="kaggle")
    parser.add_argument("--root", default=".", help="folder that paths start from")
    parser.add_argument("--sheet", metavar="PNG", help="picture to write")
    parser.add_argument("-n", type=int, default=50, help="number of images on it")
    return parser.parse_args()


def find_suspects(logits, source):
    """Return suspect images of a source; the statistics are those of all sources."""
    label = logits["label"].where(logits["label"].isin(CLASSES), "other")
    proba = softmax(logits[CLASSES].to_numpy(), axis=1)
    issues = find_label_issues(label, proba, CLASSES, groups=logits["group"])
    issues = issues.join(logits[["path", "source"]], on="position")
    return issues[issues["source"] == source].reset_index(drop=True)


def draw_sheet(suspects, root, file):
    paths = [str(Path(root) / path) for path in suspects["path"]]
    images = ImageReader("grayscale").fit_transform(paths)
    n_rows = -(-len(images) // 10)
    figure, axes = plt.subplots(n_rows, 10, figsize=(20, 2.5 * n_rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    rows = zip(axes.flat, images, suspects.itertuples(), strict=False)
    for number, (ax, image, row) in enumerate(rows, 1):
        ax.imshow(image, cmap="gray", vmin=0, vmax=255)
        title = f"{number}: {row.label}\n{row.suggested}? {row.quality:.3f}"
        ax.set_title(title, fontsize=9)
    figure.tight_layout()
    figure.savefig(file, dpi=80)


def main():
    args = parse_arguments()
    logits = pd.read_csv(args.logits)
    suspects = find_suspects(logits, args.source)
    n_images = (logits["source"] == args.source).sum()
    n_groups = suspects["group"].nunique()
    print(f"{len(suspects)} of {n_images} images are suspect, of {n_groups} groups.")
    counts = pd.crosstab(suspects["label"], suspects["suggested"])
    rows = [
        [label, *row] for label, row in zip(counts.index, counts.values, strict=True)
    ]
    print(common.table(["label \\ suggested", *counts], rows))
    common.write_json(args.json, suspects.to_dict("records"))
    if args.sheet:
        draw_sheet(suspects.head(args.n), args.root, args.sheet)


if __name__ == "__main__":
    main()
