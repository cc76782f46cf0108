"""Train the packaged model again, and measure everything that its card says.

    python benchmarks/brain_mri_lite0.py archive --groups archive/groups.csv -o runs

The default recipe is trained on five folds that keep groups whole, then on all images.
Temperature, abstention threshold and scores come from the predictions out of fold; the
guard is fitted on all images. The output folder gets the model
(``brain-mri-lite0.btc``), its card (``model_card.md``) and the numbers
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

import model_card
import numpy as np
import out_of_fold
import robustness
from grouped_scans import N_FOLDS, grouped_folds, load_grouped_scans

from brain_tumor_clf import ScanGuard, load, make_recipe, save

NAME = "brain-mri-lite0"
ALL = "all"
PARTS = (*map(str, range(N_FOLDS)), ALL)


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="class folders, or Training/ above them")
    parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("-o", "--output", default="runs", help="folder of results")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="train these parts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--image-size", type=int, help="default: the recipe's")
    parser.add_argument(
        "--robustness-step", type=int, default=3, help="change every n-th image"
    )
    return parser.parse_args(argv)


def model_file(args, part):
    return Path(args.output) / f"seed-{args.seed}-{part}.btc"


def predictions_file(args, part):
    return Path(args.output) / f"seed-{args.seed}-{part}.npz"


def make_pipeline(args):
    params = {} if args.image_size is None else {"image_size": args.image_size}
    cache = Path(args.output) / "images"
    pipe = make_recipe("default", random_state=args.seed, cache=cache, **params)
    if args.epochs:
        pipe.set_params(classifier__epochs=args.epochs)
    return pipe.set_params(classifier__verbose=2)


def fit(part, scans, splits, args):
    """Train one part; keep the model, and its logits out of fold."""
    everything = np.arange(len(scans.data))
    train, test = (everything, []) if part == ALL else splits[int(part)]
    start = time.perf_counter()
    pipe = make_pipeline(args).fit(scans.data[train], scans.target[train])
    seconds = time.perf_counter() - start
    pipe.set_params(classifier__verbose=0)
    save(pipe, model_file(args, part), metadata={"seconds": seconds})
    if part != ALL:
        logits = pipe.decision_function(scans.data[test])
        np.savez(predictions_file(args, part), at=test, logits=logits, seconds=seconds)


def fit_missing(scans, splits, args):
    for part in args.only or PARTS:
        done = model_file(args, part) if part == ALL else predictions_file(args, part)
        if not done.exists():
            print(f"seed {args.seed}, part {part}", flush=True)
            fit(part, scans, splits, args)


def measure_robustness(scans, splits, args):
    """Scores of changed images, each predicted by the fold that did not see it."""
    kept = Path(args.output) / f"robustness-{args.seed}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    at, predicted = [], []
    for fold, (_, test) in enumerate(splits):
        print(f"robustness, fold {fold}", flush=True)
        at.append(test[:: args.robustness_step])
        pipe = load(model_file(args, str(fold)))
        predicted.append(robustness.predict_changed(pipe, scans.data[at[-1]]))
    together = {
        name: np.concatenate([labels[name] for labels in predicted])
        for name in robustness.CHANGES
    }
    rows = robustness.score(scans.target[np.concatenate(at)], together)
    kept.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    return rows


def scale_last_layer(pipe, temperature):
    """Divide the logits by the temperature, within the last layer's weights."""
    last = pipe[-1].model_.layers[-1]
    last.set_weights([weight / temperature for weight in last.get_weights()])


def seconds_of_fits(args):
    files = [predictions_file(args, str(fold)) for fold in range(N_FOLDS)]
    return float(sum(np.load(path)["seconds"] for path in files))


def assemble(scans, splits, args):
    """The packaged model, its card and its numbers, from what the fits left."""
    files = [predictions_file(args, str(fold)) for fold in range(N_FOLDS)]
    found = out_of_fold.measure(scans, files)
    pipe = load(model_file(args, ALL))
    params = pipe[-1].get_params()
    results = {
        "name": NAME,
        "recipe": {key: str(value) for key, value in sorted(params.items())},
        "image_size": list(pipe[-1].input_shape_[:2]),
        "n_parameters": int(pipe[-1].model_.count_params()),
        "data": out_of_fold.describe(scans),
        **found,
        "seeds": out_of_fold.spread_over_seeds(scans, Path(args.output)),
        "robustness": measure_robustness(scans, splits, args),
        "seconds_of_cross_validation": seconds_of_fits(args),
    }
    scale_last_layer(pipe, found["temperature"])
    pipe.guard_ = ScanGuard(pipe).fit(scans.data, scans.target)
    card = model_card.render(results)
    metadata = {
        "model_card": card,
        "abstention": found["abstention"],
        "reliability": found["reliability"],
        "risk_coverage": found["risk_coverage"],
        "confusion_matrix": found["report"]["confusion_matrix"],
        "temperature": found["temperature"],
    }
    output = Path(args.output)
    manifest = save(
        pipe, output / f"{NAME}.btc", metadata=metadata, half_precision=True
    )
    results["model_id"] = manifest.model_id
    (output / "model_card.md").write_text(card, encoding="utf-8")
    text = json.dumps(results, indent=1)
    (output / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    return results


def main(argv=None):
    args = parse_arguments(argv)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    scans = load_grouped_scans(args.folder, args.groups)
    splits = grouped_folds(scans)
    fit_missing(scans, splits, args)
    if args.only is None:
        print(model_card.score_table(assemble(scans, splits, args)))


if __name__ == "__main__":
    main()
