"""Train the packaged model again, and measure everything that its card says.

    python benchmarks/brain_mri_lite0.py archive --groups archive/groups.csv -o runs

The model is a stack of two: a network fine-tuned by the default recipe, and the fast
recipe's linear model on features of a frozen network, fitted on each image and one
degraded copy. Both are trained on five folds that keep groups whole, then on all
images. How they are weighed, the abstention threshold and the scores come from the
predictions out of fold; the guard is fitted on all images. The output folder gets the
model (``brain-mri-lite0.btc``), its card (``model_card.md``) and the numbers
(``brain-mri-lite0.json``).

What is done is kept there: stopped and started again, the program goes on with the fits
that are missing. ``--only`` trains named parts and assembles nothing, so that several
processes may share the work. Predictions of further seeds (``--seed``) that lie there
count for the spread over seeds.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import degradation
import model_card
import numpy as np
import out_of_fold
import robustness
from grouped_scans import N_FOLDS, grouped_folds, load_grouped_scans
from sklearn.ensemble import StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from brain_tumor_clf import (
    ScanGuard,
    SelectiveClassifier,
    load,
    make_recipe,
    save,
)

NAME = "brain-mri-lite0"
MEMBERS = FINE_TUNED, LINEAR = "fine_tuned", "linear"
ALL = "all"


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="class folders, or Training/ above them")
    parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("-o", "--output", default="runs", help="folder of results")
    parser.add_argument(
        "--only", nargs="+", metavar="PART", help='train these folds, or "all"'
    )
    parser.add_argument("--n-folds", type=int, default=N_FOLDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--image-size", type=int, help="default: the recipe's")
    parser.add_argument(
        "--robustness-step", type=int, default=8, help="change every n-th image"
    )
    args = parser.parse_args(argv)
    unknown = set(args.only or ()) - set(parts(args))
    if unknown:
        parser.error(f"--only: no part {min(unknown)!r}, of {', '.join(parts(args))}")
    return args


def parts(args):
    """What is trained: each fold, by its number, and all images."""
    return [*map(str, range(args.n_folds)), ALL]


def stem(args, member, part):
    """Of the two files of one fit: its model, and its logits out of fold."""
    name = f"seed-{args.seed}" if member == FINE_TUNED else member
    return str(Path(args.output) / f"{name}-{part}")


def model_file(args, member, part):
    return Path(stem(args, member, part) + ".btc")


def predictions_file(args, member, part):
    return Path(stem(args, member, part) + ".npz")


def predictions_files(args, member):
    """Of all folds."""
    return [predictions_file(args, member, str(fold)) for fold in range(args.n_folds)]


def make_member(args, member):
    """One of the two pipelines, unfitted."""
    if member == LINEAR:
        return make_recipe("fast", random_state=0, cache=cache_folder(args))
    return make_recipe(
        "default",
        image_size=args.image_size,
        cache=cache_folder(args),
        # The mirror image would add 0.2 points, and a third to the time of predicting.
        test_time_augmentation=None,
        random_state=args.seed,
        verbose=2,
        **({"epochs": args.epochs} if args.epochs else {}),
    )


def cache_folder(args):
    return Path(args.output) / "images"


def degraded_copies(scans):
    """One worse copy of each image, the same in every run."""
    rng = np.random.default_rng(0)
    images = map(robustness.open_image, scans.data)
    return [np.asarray(degradation.degrade(image, rng)) for image in images]


def fit_member(member, scans, at, args):
    pipe = make_member(args, member)
    paths, labels = scans.data[at], scans.target[at]
    if member == LINEAR:
        copies = degraded_copies(scans)
        images = [*paths, *(copies[i] for i in at)]
        return pipe.fit(images, np.concatenate([labels, labels]))
    return pipe.fit(paths, labels).set_params(classifier__verbose=0)


def fit(member, part, scans, splits, args):
    """Train one member on one part; keep the model, and its logits out of fold."""
    everything = np.arange(len(scans.data))
    train, test = (everything, []) if part == ALL else splits[int(part)]
    start = time.perf_counter()
    pipe = fit_member(member, scans, train, args)
    seconds = time.perf_counter() - start
    save(pipe, model_file(args, member, part), metadata={"seconds": seconds})
    if part != ALL:
        logits = pipe.decision_function(scans.data[test])
        np.savez(predictions_file(args, member, part), at=test, logits=logits)


def fit_missing(scans, splits, args):
    for part in args.only or parts(args):
        for member in MEMBERS:
            files = model_file if part == ALL else predictions_file
            if not files(args, member, part).exists():
                print(f"{member}, seed {args.seed}, part {part}", flush=True)
                fit(member, part, scans, splits, args)


def stack(part, scans, combination, args):
    """The two members of a part, weighed."""
    # As read back, each takes its images from the files and keeps none.
    members = [
        (member, FrozenEstimator(load(model_file(args, member, part))))
        for member in MEMBERS
    ]
    classifier = StackingClassifier(
        members,
        final_estimator=LogisticRegression(),
        cv="prefit",
        stack_method="decision_function",
    )
    # Its own fit would weigh them on images that they know; what it is fitted on here,
    # one image a class, is replaced by what was fitted out of fold.
    one_each = np.unique(scans.target, return_index=True)[1]
    classifier.fit(scans.data[one_each], scans.target[one_each])
    classifier.final_estimator_ = combination
    linear = members[MEMBERS.index(LINEAR)][1].estimator[-1]
    for regression in (combination, linear):
        # scikit-learn 1.7 asks for this parameter when predicting; 1.8 has none.
        regression.multi_class = "deprecated"
    return Pipeline([("classifier", classifier)])


def measure_robustness(scans, splits, combinations, args):
    """Scores of changed images, each predicted by the fold that did not see it."""
    kept = Path(args.output) / f"robustness-{args.seed}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    at, predicted = [], []
    for fold, (_, test) in enumerate(splits):
        print(f"robustness, fold {fold}", flush=True)
        at.append(test[:: args.robustness_step])
        pipe = stack(str(fold), scans, combinations[fold], args)
        predicted.append(robustness.predict_changed(pipe, scans.data[at[-1]]))
    together = {
        name: np.concatenate([labels[name] for labels in predicted])
        for name in robustness.CHANGES
    }
    rows = robustness.score(scans.target[np.concatenate(at)], together)
    kept.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    return rows


def assemble(scans, splits, args):
    """The packaged model, its card and its numbers, from what the fits left."""
    members = [
        out_of_fold.gather(predictions_files(args, member), len(scans.data))
        for member in MEMBERS
    ]
    fold = members[0].fold
    logits = dict(zip(MEMBERS, (member.logits for member in members), strict=True))
    found, combinations = out_of_fold.measure(scans, logits, fold)
    combination = out_of_fold.combine(scans.target, logits)
    pipe = stack(ALL, scans, combination, args)
    network = pipe[-1].estimators_[0].estimator[-1]
    results = {
        "name": NAME,
        "recipe": {key: str(value) for key, value in network.get_params().items()},
        "image_size": list(network.input_shape_[:2]),
        "n_parameters": count_parameters(pipe),
        "data": out_of_fold.describe(scans),
        **found,
        "combination": out_of_fold.describe_combination(
            combination, MEMBERS, pipe.classes_
        ),
        "seeds": out_of_fold.spread_over_seeds(scans, Path(args.output)),
        "robustness_step": args.robustness_step,
        "robustness": measure_robustness(scans, splits, combinations, args),
    }
    frozen, threshold = FrozenEstimator(pipe), found["abstention"]["threshold"]
    model = SelectiveClassifier(frozen, ScanGuard(frozen), threshold)
    model.fit(scans.data, scans.target)
    card = model_card.render(results)
    metadata = {
        "model_card": card,
        "reliability": found["reliability"],
        "risk_coverage": found["risk_coverage"],
        "confusion_matrix": found["report"]["confusion_matrix"],
    }
    if threshold is not None:
        metadata["abstention"] = found["abstention"]
    output = Path(args.output)
    manifest = save(
        model, output / f"{NAME}.btc", metadata=metadata, half_precision=True
    )
    results["model_id"] = manifest.model_id
    (output / "model_card.md").write_text(card, encoding="utf-8")
    text = json.dumps(results, indent=1)
    (output / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    return results


def count_parameters(pipe):
    fine_tuned, linear = (member.estimator for member in pipe[-1].estimators_)
    networks = fine_tuned[-1].model_, linear["features"].network_
    head = linear[-1].coef_.size + linear[-1].intercept_.size
    return int(sum(network.count_params() for network in networks) + head)


def main(argv=None):
    args = parse_arguments(argv)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    scans = load_grouped_scans(args.folder, args.groups)
    splits = grouped_folds(scans, args.n_folds)
    fit_missing(scans, splits, args)
    if args.only is None:
        print(model_card.score_table(assemble(scans, splits, args)))


if __name__ == "__main__":
    main()
