"""Train the packaged model, and measure everything that its card says.

    python benchmarks/packaged_model/train.py archive --groups archive/groups.csv

The model is a stack of two: a network fine-tuned by the default recipe, and the fast
recipe's linear model on features of a frozen network, fitted on each image and a
degraded copy. Both are trained on five folds that keep groups whole, then on all
images. The weights of the members, the abstention threshold and the scores come from
out-of-fold predictions; the guard is fitted on all images. The output folder gets the
model (``brain-mri-lite0.btc``), its card (``model_card.md``) and the numbers
(``brain-mri-lite0.json``).

Finished fits are kept there: started again, the program continues with those that are
missing. ``--only`` trains some parts and assembles nothing, so that several processes
can share the work. Predictions of further seeds (``--seed``) in the folder count for
the spread over seeds.
"""

import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share

import common
import degradation
import model_card
import numpy as np
import out_of_fold
import robustness
from sklearn.ensemble import StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from brain_tumor_clf import ScanGuard, SelectiveClassifier, load, make_recipe, save

NAME = "brain-mri-lite0"
MEMBERS = FINE_TUNED, LINEAR = "fine_tuned", "linear"
ALL = "all"


def parse_arguments():
    parser = common.make_parser(__doc__, scans=True)
    parser.add_argument("-o", "--output", default="runs", help="folder of results")
    parser.add_argument(
        "--only", nargs="+", metavar="PART", help='train these folds, or "all"'
    )
    parser.add_argument("--n-folds", type=int, default=common.N_FOLDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--image-size", type=int, help="default: the recipe's")
    parser.add_argument(
        "--robustness-step", type=int, default=8, help="change every n-th image"
    )
    args = parser.parse_args()
    args.output = Path(args.output)
    args.parts = [*map(str, range(args.n_folds)), ALL]
    unknown = set(args.only or ()) - set(args.parts)
    if unknown:
        parser.error(f"--only: no part {min(unknown)!r}, of {', '.join(args.parts)}")
    return args


def model_file(args, member, part):
    name = f"seed-{args.seed}" if member == FINE_TUNED else member
    return args.output / f"{name}-{part}.btc"


def predictions_file(args, member, part):
    return model_file(args, member, part).with_suffix(".npz")


def fit_member(member, scans, at, args):
    """Fit one of the two pipelines on some of the scans."""
    paths, labels, cache = scans.data[at], scans.target[at], args.output / "images"
    if member == LINEAR:
        rng = np.random.default_rng(0)  # the same copies in every run
        copies = [
            np.asarray(degradation.degrade(robustness.open_image(path), rng))
            for path in scans.data
        ]
        pipe = make_recipe("fast", random_state=0, cache=cache)
        images = [*paths, *(copies[i] for i in at)]
        return pipe.fit(images, np.concatenate([labels, labels]))
    pipe = make_recipe(
        "default",
        image_size=args.image_size,
        cache=cache,
        # The mirror image would add 0.2 points, and a third to the time of predicting.
        test_time_augmentation=None,
        random_state=args.seed,
        verbose=2,
        **({"epochs": args.epochs} if args.epochs else {}),
    )
    return pipe.fit(paths, labels).set_params(classifier__verbose=0)


def fit(member, part, scans, splits, args):
    """Train one member on one part; keep the model and its out-of-fold logits."""
    print(f"{member}, seed {args.seed}, part {part}", flush=True)
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
    for part in args.only or args.parts:
        for member in MEMBERS:
            file = model_file if part == ALL else predictions_file
            if not file(args, member, part).exists():
                fit(member, part, scans, splits, args)


def stack(part, scans, combination, args):
    """Return the two members of a part, weighted."""
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
    # Its own fit would weight the members on images that they know: it is fitted on one
    # image of each class, and then gets the weights that were fitted out of fold.
    one_each = np.unique(scans.target, return_index=True)[1]
    classifier.fit(scans.data[one_each], scans.target[one_each])
    classifier.final_estimator_ = combination
    linear = members[MEMBERS.index(LINEAR)][1].estimator[-1]
    for regression in (combination, linear):
        # scikit-learn 1.7 needs this parameter to predict; 1.8 has none.
        regression.multi_class = "deprecated"
    return Pipeline([("classifier", classifier)])


def measure_robustness(scans, splits, combinations, args):
    """Return scores of changed images, each predicted out of fold."""
    kept = args.output / f"robustness-{args.seed}.json"
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
    common.write_json(kept, rows)
    return rows


def count_parameters(pipe):
    fine_tuned, linear = (member.estimator for member in pipe[-1].estimators_)
    networks = fine_tuned[-1].model_, linear["features"].network_
    head = linear[-1].coef_.size + linear[-1].intercept_.size
    return int(sum(network.count_params() for network in networks) + head)


def assemble(scans, splits, args):
    """Write the packaged model, its card and its numbers."""
    logits = {}
    for member in MEMBERS:
        files = [predictions_file(args, member, part) for part in args.parts[:-1]]
        logits[member], fold = out_of_fold.gather(files, len(scans.data))
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
        "seeds": out_of_fold.spread_over_seeds(scans, args.output),
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
    file = args.output / f"{NAME}.btc"
    manifest = save(model, file, metadata=metadata, half_precision=True)
    results["model_id"] = manifest.model_id
    (args.output / "model_card.md").write_text(card, encoding="utf-8")
    common.write_json(args.output / f"{NAME}.json", results)
    return results


def main():
    args = parse_arguments()
    args.output.mkdir(parents=True, exist_ok=True)
    scans = common.load_grouped_scans(args.folder, args.groups)
    splits = common.grouped_folds(scans, args.n_folds)
    fit_missing(scans, splits, args)
    if args.only is None:
        report = assemble(scans, splits, args)["report"]
        rows = [[row["score"], f"{row['value']:.3f}"] for row in report["scores"]]
        print(common.table(["score", "value"], rows))


if __name__ == "__main__":
    main()
