"""Compare network architectures on one folder of scans, by groups.

A grid search picks each architecture's own parameters; then every architecture is
cross-validated on the same folds, in which no group (patient, copies of an image) is on
both sides. The spread over folds stands beside each score: a difference that is smaller
than the spread is none.

    python compare_architectures.py                              # phantoms
    python compare_architectures.py archive --subset train --n-images 1000
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
)

from brain_tumor_clf import (
    SimpleCNNClassifier,
    TransferCNNClassifier,
    load_mri_folder,
    make_mri_pipeline,
    write_brain_mri,
)

SCORING = "balanced_accuracy"
SIMPLE = "SimpleCNN"
LITE0 = "EfficientNetLite0"
DEFAULT_ARCHITECTURES = (SIMPLE, LITE0, "MobileNetV3Small")
BASELINE = "most frequent class"


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", help="class folders; phantoms if left out")
    parser.add_argument("--subset", choices=["train", "test", "all"])
    parser.add_argument("--n-images", type=int, help="draw at least so many, by groups")
    parser.add_argument("--architectures", nargs="+", default=DEFAULT_ARCHITECTURES)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", help="write everything measured")
    parser.add_argument("--markdown", metavar="FILE", help="write the two tables")
    return parser.parse_args(argv)


def load_scans(args, folder):
    """The scans of the folder, or phantoms written to `folder` if none is named."""
    if args.folder is None:
        return write_brain_mri(
            folder, args.n_images or 240, image_size=96, random_state=args.seed
        )
    scans = load_mri_folder(args.folder, subset=args.subset)
    if args.n_images and args.n_images < len(scans.data):
        chosen = draw_whole_groups(scans, args.n_images, args.seed)
        for name in ("data", "target", "groups"):
            if scans[name] is not None:
                scans[name] = scans[name][chosen]
    return scans


def draw_whole_groups(scans, n_images, seed):
    """Positions of at least `n_images` images, whole groups, classes in proportion."""
    n = len(scans.data)
    groups = np.arange(n) if scans.groups is None else scans.groups
    members = {}
    for i, group in enumerate(groups):
        members.setdefault(group, []).append(i)
    wanted = {
        label: np.ceil(n_images * (scans.target == label).sum() / n)
        for label in scans.target_names
    }
    chosen = []
    for group in np.random.default_rng(seed).permutation(list(members)):
        inside = members[group]
        label = scans.target[inside[0]]
        if wanted[label] > 0:
            wanted[label] -= len(inside)
            chosen += inside
    return np.sort(chosen)


def make_candidate(name, epochs, seed):
    """A classifier and the values of its own parameters to search."""
    common = {"epochs": epochs, "augmentation": "light", "random_state": seed}
    if name == SIMPLE:
        return SimpleCNNClassifier(**common), {"classifier__dense_units": [64, 128]}
    # This one's weights come with the package; the others' would be downloaded here.
    pretrained = name == LITE0
    classifier = TransferCNNClassifier(
        name,
        weights="imagenet" if pretrained else None,
        learning_rate=None if pretrained else 1e-3,
        **common,
    )
    return classifier, {"classifier__pooling": ["max", "avg"]}


def make_folds(scans, n_folds, seed):
    """The same folds for everyone, as lists of positions."""
    kind = StratifiedKFold if scans.groups is None else StratifiedGroupKFold
    splitter = kind(n_folds, shuffle=True, random_state=seed)
    return list(splitter.split(scans.data, scans.target, scans.groups))


def search_parameters(pipeline, candidates, scans, folds, n_jobs):
    """A grid search over architectures, each with a grid of its own."""
    grid = [
        {"classifier": [classifier], **values}
        for classifier, values in candidates.values()
    ]
    search = GridSearchCV(
        pipeline, grid, scoring=SCORING, cv=folds, n_jobs=n_jobs, refit=False
    )
    return search.fit(scans.data, scans.target).cv_results_


def describe_search(results, candidates):
    """One dict a candidate: its name, parameters, scores and time."""
    names = {id(classifier): name for name, (classifier, _) in candidates.items()}
    n_folds = sum(key.startswith("split") for key in results)
    rows = []
    for i, params in enumerate(results["params"]):
        own = {key: value for key, value in params.items() if key != "classifier"}
        rows.append(
            {
                "architecture": names[id(params["classifier"])],
                "parameters": {k.removeprefix("classifier__"): own[k] for k in own},
                "scores": [
                    float(results[f"split{k}_test_score"][i]) for k in range(n_folds)
                ],
                "fit_seconds": float(results["mean_fit_time"][i]),
            }
        )
    return rows


def compare(pipeline, candidates, found, scans, folds, n_jobs):
    """Cross-validate each architecture with the parameters that its search found."""
    contenders = {BASELINE: (DummyClassifier(), {})}
    for name, (classifier, _) in candidates.items():
        tried = [row for row in found if row["architecture"] == name]
        best = max(tried, key=lambda row: np.mean(row["scores"]))["parameters"]
        contenders[name] = clone(classifier).set_params(**best), best
    rows = []
    for name, (classifier, parameters) in contenders.items():
        start = time.perf_counter()
        scores = cross_val_score(
            clone(pipeline).set_params(classifier=classifier),
            scans.data,
            scans.target,
            scoring=SCORING,
            cv=folds,
            n_jobs=n_jobs,
        )
        rows.append(
            {
                "architecture": name,
                "weights": getattr(classifier, "weights", None),
                "parameters": parameters,
                "scores": scores.tolist(),
                "seconds": time.perf_counter() - start,
            }
        )
    return rows


def spread(scores):
    return f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1):.3f}"


def words(parameters):
    return ", ".join(f"{key}={value}" for key, value in parameters.items()) or "-"


def as_markdown(report):
    lines = [
        f"Search ({report['folds']} folds), {report['scoring']}:",
        "",
        "| architecture | parameters | mean ± std over folds | seconds a fit |",
        "|---|---|---|---|",
    ]
    for row in report["search"]:
        lines.append(
            f"| {row['architecture']} | {words(row['parameters'])} "
            f"| {spread(row['scores'])} | {row['fit_seconds']:.0f} |"
        )
    lines += [
        "",
        f"Comparison on {report['folds']} other folds, the same for all:",
        "",
        "| architecture | starts from | parameters | folds | mean ± std |",
        "|---|---|---|---|---|",
    ]
    for row in report["comparison"]:
        folds = ", ".join(f"{score:.3f}" for score in row["scores"])
        starts = "-" if row["architecture"] == BASELINE else row["weights"] or "scratch"
        lines.append(
            f"| {row['architecture']} | {starts} | {words(row['parameters'])} "
            f"| {folds} | {spread(row['scores'])} |"
        )
    return "\n".join(lines) + "\n"


def main(argv=None):
    args = parse_arguments(argv)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        scans = load_scans(args, Path(folder) / "phantoms")
        n_groups = None if scans.groups is None else len(set(scans.groups))
        grouped = (
            f"{n_groups} groups" if n_groups else "groups unknown: scores too high"
        )
        print(f"{len(scans.data)} images, {grouped}", file=sys.stderr)
        # Each image is read, cropped and resized once for all the fits below.
        pipeline = make_mri_pipeline(
            SimpleCNNClassifier(), args.image_size, cache=Path(folder) / "cache"
        )
        candidates = {
            name: make_candidate(name, args.epochs, args.seed)
            for name in args.architectures
        }
        # Parameters are chosen on other folds than those that compare.
        folds = [make_folds(scans, args.folds, args.seed + k) for k in (0, 1)]
        found = describe_search(
            search_parameters(pipeline, candidates, scans, folds[0], args.n_jobs),
            candidates,
        )
        compared = compare(pipeline, candidates, found, scans, folds[1], args.n_jobs)
    report = {
        "images": len(scans.data),
        "groups": n_groups,
        "image_size": args.image_size,
        "epochs": args.epochs,
        "folds": args.folds,
        "scoring": SCORING,
        "search": found,
        "comparison": compared,
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(as_markdown(report))
    print(f"{report['seconds']:.0f} s in all", file=sys.stderr)
    if args.markdown:
        Path(args.markdown).write_text(as_markdown(report), encoding="utf-8")
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
