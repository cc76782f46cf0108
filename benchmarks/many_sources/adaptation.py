"""Adapt a network to a few cases of a source that it has not seen: learning curve.

    python benchmarks/many_sources/adaptation.py table.csv network.npz --root images \
        --source radiopaedia44

The table has the columns path, label, group and source. The network is a file of
weights as `train.py` writes it (of --protocol out:SOURCE), or a model file whose first
network is taken. Cases (groups) of the source are drawn, 5 to 50 of each class;
`choose_correction`, which `adapt` calls, sees all their slices, and the rest of the
source is scored. The cost is scored on slices of --home: held out of the training, if
the table has no others. README.md beside this file has the numbers.
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from brain_tumor_clf import load, make_mri_pipeline
from brain_tumor_clf.adaptation import choose_correction
from brain_tumor_clf.classifiers import predict_logits
from brain_tumor_clf.networks import CorrectedLogits, stage_layers, transfer_cnn
from brain_tumor_clf.pipeline import first_member, split_image_steps

CLASSES = ["glioma", "meningioma", "notumor", "pituitary", "other"]
SIZES = (5, 10, 20, 50)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("table")
    parser.add_argument("network", help="weights (.npz) or a model file")
    parser.add_argument("--root", default=".", help="folder that paths start from")
    parser.add_argument("--source", default="radiopaedia44", help="joined by +")
    parser.add_argument("--home", default="kaggle")
    parser.add_argument("--n-home", type=int, default=1000, help="slices, at random")
    parser.add_argument("--image-size", type=int, default=160, help="for .npz")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def read_network(args):
    """Return image steps, a network and the classes of its logits."""
    if args.network.endswith(".npz"):
        size = (args.image_size, args.image_size, 1)
        network = transfer_cnn(
            "EfficientNetLite0", size, len(CLASSES), pooling="avg", dense_units=0
        )
        with np.load(args.network) as arrays:
            network.set_weights([arrays[name].astype("float32") for name in arrays])
        return [make_mri_pipeline(None, args.image_size)[0]], network, CLASSES
    steps, classifier = split_image_steps(load(args.network))
    while (member := first_member(classifier)) is not None:
        more, classifier = split_image_steps(member)
        steps += more
    return steps, classifier.model_, classifier.classes_.tolist()


def read_table(args):
    """Return slices of the source, and of home, whose labels the network may know."""
    table = pd.read_csv(args.table)
    if "near_kaggle" in table:
        table = table[table["near_kaggle"] == 0]
    table = table[table["label"].isin(CLASSES)]
    away = table[table["source"].isin(args.source.split("+"))]
    home = table[table["source"] == args.home]
    return away, home.sample(min(args.n_home, len(home)), random_state=args.seed)


def embed(steps, network, table, root):
    """Return the features that `adapt` uses, and logits."""
    X = [str(Path(root) / path) for path in table["path"]]
    for step in steps:
        X = step.fit_transform(X)
    maps = stage_layers(network)[-2].output
    features = keras.layers.GlobalAveragePooling2D()(maps)
    both = keras.ops.concatenate([features, network.output], -1)
    found = predict_logits(keras.Model(network.inputs, both), X, 64).astype(float)
    return np.split(found, [-network.output_shape[-1]], axis=1)


def recalls(logits, codes, classes):
    """Return the recall of classes; the class "other" is never predicted."""
    predicted = logits[:, : CLASSES.index("other")].argmax(axis=1)
    return np.array([(predicted[codes == code] == code).mean() for code in classes])


def draw_cases(away, n, rng):
    """Return which slices are of n cases of each class, drawn at random."""
    drawn = [
        rng.choice(groups.unique(), min(n, groups.nunique() - 1), replace=False)
        for _, groups in away.groupby("label")["group"]
    ]
    return away["group"].isin(np.concatenate(drawn)).to_numpy()


def score_draw(drawn, away, home):
    """Return scores before and after an adaptation to the drawn slices."""
    features, logits, codes, groups = away
    present, own = np.unique(codes[drawn], return_inverse=True)
    start = time.perf_counter()
    kernel, bias, record = choose_correction(
        features[drawn], logits[drawn][:, present], own, groups[drawn]
    )
    row = {"seconds": time.perf_counter() - start}
    row["unchanged"] = record["penalty"] is None
    correct = CorrectedLogits(present)
    absent = np.setdiff1d(np.unique(home[2]), present)
    for name, (features, logits, codes, _), classes in (
        ("away", [part[~drawn] for part in away], present),
        ("home", home, np.unique(home[2])),
        ("absent", home, absent),
    ):
        after = np.asarray(correct([logits, features @ kernel + bias]))
        before, after = (recalls(each, codes, classes) for each in (logits, after))
        row |= {f"{name}_before": before.mean(), f"{name}_after": after.mean()}
    row["gain"] = row["away_after"] - row["away_before"]
    return row


def main():
    args = parse_arguments()
    steps, network, classes = read_network(args)
    assert classes == CLASSES[: len(classes)]
    parts = []
    for table in read_table(args):
        codes = table["label"].map(CLASSES.index).to_numpy()
        parts.append((*embed(steps, network, table, args.root), codes, table["group"]))
    away, home = ([*part[:3], part[3].to_numpy()] for part in parts)
    table = read_table(args)[0]
    print(pd.crosstab(table["source"], table["label"]), "\n")
    for n in SIZES:
        rows = []
        for i in range(args.draws):
            rng = np.random.default_rng([args.seed, n, i])
            rows.append(score_draw(draw_cases(table, n, rng), away, home))
        rows = pd.DataFrame(rows)
        gains = rows["gain"].quantile([0, 0.1, 0.5, 0.9, 1]).round(3).tolist()
        print(f"{n} cases a class: gain {rows['gain'].mean():.3f}, quantiles {gains}")
        print(rows.mean().round(3).to_dict(), flush=True)


if __name__ == "__main__":
    main()
