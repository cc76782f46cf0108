"""Which change to a training recipe pays: each against a base recipe, paired.

    python benchmarks/recipes.py archive --groups archive/groups.csv -o runs

The base is the default recipe: EfficientNetLite0, fine-tuned from its ImageNet weights
on fixed folds that keep groups whole. Each recipe is the base with a change. A run
(recipe, fold, seed) is written to the output folder when it ends; started again, the
program goes on with the runs that are missing. The table compares each recipe with the
base on the same test images; its standard error is that of a bootstrap over their
groups.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
from grouped_scans import grouped_folds, load_grouped_scans
from sklearn.metrics import balanced_accuracy_score

from brain_tumor_clf import Augmentation, make_recipe

BASE = "base"
_NOT_CROPPED = {"crop": "passthrough"}
# Name -> what differs from the base: parameters of the classifier and of the step
# that preprocesses.
RECIPES = {
    BASE: ({}, {}),
    "strong augmentation": ({"augmentation": "strong"}, {}),
    "no gamma, blur or noise": (
        {"augmentation": Augmentation(rotation=15.0, zoom=0.15)},
        {},
    ),
    "last 5 blocks": ({"trainable": 5}, {}),
    "weights averaged": (
        {"optimizer__use_ema": True, "optimizer__ema_momentum": 0.99},
        {},
    ),
    "groups weigh alike": ({"group_weight": 0.5}, {}),
    "not cropped": ({}, _NOT_CROPPED),
    "learning rate 1e-3": ({"learning_rate": 1e-3}, {}),
    "learning rate 2.5e-4": ({"learning_rate": 2.5e-4}, {}),
    "last 5 blocks, not cropped": ({"trainable": 5}, _NOT_CROPPED),
}


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="class folders, or Training/ above them")
    parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("-o", "--output", default="recipe-runs", help="folder of runs")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--folds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--table", action="store_true", help="train nothing more")
    return parser.parse_args(argv)


def group_weights(groups, power):
    """Weights with which a group of n images counts as n ** (1 - power) images."""
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    weights = 1.0 / sizes[codes] ** power
    return weights / weights.mean()


def train(recipe, scans, train_at, test_at, seed, args):
    """Logits of test images, and of their mirror images; seconds of training."""
    changes, preprocessing = RECIPES[recipe]
    params = dict(changes)
    power = params.pop("group_weight", 0)
    pipe = make_recipe(
        "default",
        image_size=args.image_size,
        random_state=seed,
        cache=Path(args.output) / "images",
        epochs=args.epochs,
        test_time_augmentation=None,  # both kinds of prediction are scored below
        verbose=2,
        **params,
    )
    pipe.set_params(**{f"preprocess__{k}": v for k, v in preprocessing.items()})
    weights = group_weights(scans.groups[train_at], power)
    start = time.perf_counter()
    pipe.fit(
        scans.data[train_at], scans.target[train_at], classifier__sample_weight=weights
    )
    seconds = time.perf_counter() - start
    images = pipe[:-1].transform(scans.data[test_at])
    logits = pipe[-1].decision_function(images)
    mirrored = pipe[-1].decision_function(images[:, :, ::-1])
    return logits, mirrored, seconds


def run_file(args, recipe, fold, seed):
    name = f"{recipe.replace(' ', '-').replace(',', '')}-{fold}-{seed}"
    return Path(args.output) / f"{name}-{args.image_size}px-{args.epochs}ep.npz"


def train_missing(scans, splits, args):
    for seed in args.seeds:
        for recipe in args.recipes:
            for fold in args.folds:
                target = run_file(args, recipe, fold, seed)
                if target.exists():
                    continue
                print(f"{recipe}, fold {fold}, seed {seed}", flush=True)
                logits, mirrored, seconds = train(
                    recipe, scans, *splits[fold], seed, args
                )
                part = target.with_suffix(".part.npz")
                np.savez(part, logits=logits, mirrored=mirrored, seconds=seconds)
                part.rename(target)


def gather(recipe, scans, splits, args):
    """Test positions and predicted codes, alone and averaged with the mirror image."""
    at, alone, both = [], [], []
    for seed in args.seeds:
        for fold in args.folds:
            path = run_file(args, recipe, fold, seed)
            if not path.exists():
                return None
            run = np.load(path)
            at.append(splits[fold][1])
            alone.append(run["logits"].argmax(axis=1))
            both.append((run["logits"] + run["mirrored"]).argmax(axis=1))
    return tuple(map(np.concatenate, (at, alone, both)))


def standard_error(true, ours, base, groups, n_draws=1000):
    """Of the difference in balanced accuracy, drawing whole groups."""
    rng = np.random.default_rng(0)
    _, codes = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    differences = []
    for _ in range(n_draws):
        drawn = rng.integers(len(members), size=len(members))
        at = np.concatenate([members[i] for i in drawn])
        differences.append(
            balanced_accuracy_score(true[at], ours[at])
            - balanced_accuracy_score(true[at], base[at])
        )
    return np.std(differences)


def print_table(scans, splits, args):
    base = gather(BASE, scans, splits, args)
    print("| recipe | balanced accuracy | with the mirror image | to base | error |")
    print("|---|---|---|---|---|")
    for recipe in args.recipes:
        found = gather(recipe, scans, splits, args)
        if found is None:
            continue
        at, alone, both = found
        codes = np.searchsorted(np.unique(scans.target), scans.target[at])
        scores = [balanced_accuracy_score(codes, each) for each in (alone, both)]
        against = "| |"
        if base is not None and recipe != BASE:
            gain = scores[0] - balanced_accuracy_score(codes, base[1])
            error = standard_error(codes, alone, base[1], scans.groups[at])
            against = f"| {gain:+.3f} | {error:.3f} |"
        print(f"| {recipe} | {scores[0]:.3f} | {scores[1]:.3f} {against}")


def main(argv=None):
    args = parse_arguments(argv)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    scans = load_grouped_scans(args.folder, args.groups)
    splits = grouped_folds(scans)
    if not args.table:
        train_missing(scans, splits, args)
    print_table(scans, splits, args)


if __name__ == "__main__":
    main()
