"""Make the packaged model of many sources from its weights, and its card.

    python benchmarks/many_sources/package.py table.csv --root images -o run

The weights are those that ``train.py --protocol all`` wrote. The temperature and the
bias of each class, which calibrate the logits, and the abstention threshold come from
``out_of_fold.csv``; ``left_out.csv`` has the logits of sources left out of training.
The two guards are fitted on the images of the table. The output folder gets
``brain-mri-multisource.btc`` and ``model_card.md``.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from protocols import HOME
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import recall_score

from brain_tumor_clf import (
    ScanGuard,
    SelectiveClassifier,
    load_mri_table,
    make_recipe,
    save,
    source_balanced_weight,
)
from brain_tumor_clf.metrics import abstention_threshold, risk_coverage_curve
from brain_tumor_clf.outlier_detection import FamiliarityGuard

NAME = "brain-mri-multisource"
HERE = Path(__file__).parent
OTHER = "other"
CLASSES = np.array(["glioma", "meningioma", "notumor", OTHER, "pituitary"])
KNOWN = CLASSES[CLASSES != OTHER]
ERROR_RATE = 0.05  # of the answers on other sources, out of fold
BIAS = 0.5  # share of the fitted biases, see the card
_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
_EDGES = np.array([0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1])  # of bins of probability


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("table", help="columns path, label, group and source")
    parser.add_argument("--root", default=".", help="folder that paths start from")
    parser.add_argument("--weights", default=HERE / "weights.npz")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("-o", "--output", default="run")
    return parser.parse_args(argv)


def read_logits(name):
    """Return a table of images, and their logits in the order of `CLASSES`."""
    table = pd.read_csv(HERE / name)
    table["target"] = table.label.where(table.label.isin(KNOWN), OTHER)
    return table, table[list(CLASSES)].to_numpy()


def calibrate(logits, targets, sources):
    """Return a temperature's inverse and a bias for each class.

    Bias-corrected temperature scaling (Alexandari et al., "Maximum likelihood with
    bias-corrected calibration", ICML 2020), with the weights of the training.
    """
    weights = source_balanced_weight(targets, sources, home=HOME, home_share=0.55)
    codes = np.searchsorted(CLASSES, targets)

    def loss(parameters):
        log_p = log_softmax(logits * np.exp(parameters[0]) + parameters[1:], axis=1)
        fit = -np.average(log_p[np.arange(len(codes)), codes], weights=weights)
        return fit + 1e-3 * (parameters[1:] ** 2).sum()

    scale, *biases = minimize(loss, np.zeros(len(CLASSES) + 1)).x
    return np.exp(scale), BIAS * np.array(biases)


def spread(logits, scale, biases):
    """Return probabilities of the known classes, that of "other" spread over them."""
    proba = softmax(logits * scale + biases, axis=1)
    is_other = CLASSES == OTHER
    rejected = proba[:, is_other]
    return proba[:, ~is_other] + rejected / len(KNOWN), rejected[:, 0]


def make_pipeline(args, scale, biases):
    """Return the robust recipe with the stored weights, as if it had been fitted."""
    pipe = make_recipe("robust", image_size=args.image_size, random_state=0)
    shape = (len(CLASSES), args.image_size, args.image_size, 1)
    blank = np.zeros(shape, np.uint8)
    classifier = pipe["classifier"].initialize(blank, CLASSES)
    with np.load(args.weights) as file:
        *body, kernel, bias = (file[name].astype(np.float32) for name in file.files)
    order = [0, 1, 2, 4, 3]  # the file has "other" last
    kernel, bias = kernel[:, order] * scale, bias[order] * scale + biases
    classifier.model_.set_weights([*body, kernel, bias])
    return pipe


def score(table, proba):
    """Return the scores of the card, of one set of predictions."""
    known = (table.target != OTHER).to_numpy()
    truth, answers = table.target[known], KNOWN[proba[known].argmax(axis=1)]
    tumors = truth != "notumor"
    return {
        "n": len(truth),
        "groups": table.group[known].nunique(),
        "classes": ", ".join(sorted(truth.unique())),
        "score": recall_score(truth, answers, labels=truth.unique(), average="macro"),
        "missed": (answers[tumors] == "notumor").mean() if tumors.any() else None,
    }


def count_answers(table, proba, rejected, threshold):
    """Return how many images get a class, and how many of the classes are wrong."""
    best = proba.max(axis=1)
    answered = (best >= threshold) & (rejected <= best - rejected / len(KNOWN))
    known = (table.target != OTHER).to_numpy()
    wrong = KNOWN[proba.argmax(axis=1)] != table.target
    return {
        "answered": answered[known].mean(),
        "wrong": wrong[known & answered].mean(),
        "others": answered[~known].mean() if (~known).any() else None,
    }


def measure():
    """Return everything that the card says, and what calibrates the model."""
    table, logits = read_logits("out_of_fold.csv")
    scale, biases = calibrate(logits, table.target, table.source)
    proba, rejected = np.zeros((len(table), len(KNOWN))), np.zeros(len(table))
    for fold in table.fold.unique():
        here = (table.fold == fold).to_numpy()
        found = calibrate(logits[~here], table.target[~here], table.source[~here])
        proba[here], rejected[here] = spread(logits[here], *found)
    home = (table.source == HOME).to_numpy()
    others = ~home & (table.target != OTHER).to_numpy()
    threshold = float(
        abstention_threshold(
            table.target[others], proba[others], error_rate=ERROR_RATE, classes=KNOWN
        )
    )
    left_out, left_logits = read_logits("left_out.csv")
    left_proba, left_rejected = spread(left_logits, scale, biases)
    easy = (table.sequence == "T1C") | (table.label == "notumor")
    parts = {"Kaggle set": home, "other sources": ~home}
    parts["other sources: contrast-enhanced, and healthy"] = ~home & easy
    rows = [{"part": name, **score(table[at], proba[at])} for name, at in parts.items()]
    return {
        "scale": float(scale),
        "biases": dict(zip(CLASSES.tolist(), biases.round(2).tolist(), strict=True)),
        "threshold": threshold,
        "rows": rows,
        "by_source": by(table, proba, "source"),
        "by_sequence": by(table[~home], proba[~home], "sequence"),
        "left_out": by(left_out, left_proba, "source"),
        "answers": [
            {"part": part, **count_answers(t[at], p[at], r[at], threshold)}
            for part, t, p, r, at in (
                ("Kaggle set, out of fold", table, proba, rejected, home),
                ("other sources, out of fold", table, proba, rejected, ~home),
                (
                    "sources left out",
                    left_out,
                    left_proba,
                    left_rejected,
                    np.ones(len(left_out), dtype=bool),
                ),
            )
        ],
        "curves": {
            "other sources, out of fold": curve(table[~home], proba[~home]),
            "sources left out": curve(left_out, left_proba),
        },
        "reliability": reliability(left_out, left_proba),
        "confusion": pd.crosstab(table.target, KNOWN[proba.argmax(axis=1)]),
    }


def by(table, proba, column):
    """Return the scores in each part of a table."""
    rows = []
    for name in table[column].value_counts().index:
        at = ((table[column] == name) & (table.target != OTHER)).to_numpy()
        if at.any():
            rows.append({"part": name, **score(table[at], proba[at])})
    return rows


def curve(table, proba):
    """Return coverage, selective risk and the share of other diseases answered."""
    known = (table.target != OTHER).to_numpy()
    best = proba.max(axis=1)
    coverage, risk, thresholds = risk_coverage_curve(
        table.target[known], proba[known], classes=KNOWN
    )
    at = [int(np.abs(coverage - wanted).argmin()) for wanted in _COVERAGES]
    return [
        (float(coverage[i]), float(risk[i]), float((best[~known] >= t).mean()))
        for i, t in zip(at, thresholds[at], strict=True)
    ]


def reliability(table, proba):
    """Return how often the most probable class is right, by its probability."""
    known = (table.target != OTHER).to_numpy()
    bins = np.digitize(proba[known].max(axis=1), _EDGES[1:-1])
    right = KNOWN[proba[known].argmax(axis=1)] == table.target[known]
    found = right.groupby(bins).agg(["mean", "size"]).reindex(range(len(_EDGES) - 1))
    return {
        "edges": _EDGES.tolist(),
        "accuracy": found["mean"].round(3).fillna(0).tolist(),
        "n": found["size"].fillna(0).astype(int).tolist(),
    }


def formatted(spec):
    """Return a filter that formats a number; a missing one is a dash."""
    return lambda value: "-" if value is None else format(value, spec)


def main(argv=None):
    args = parse_arguments(argv)
    found = measure()
    scans = load_mri_table(args.table, root=args.root)
    biases = np.array([found["biases"][name] for name in CLASSES])
    pipe = FrozenEstimator(make_pipeline(args, found["scale"], biases))
    familiar = FamiliarityGuard(pipe).fit(scans.data)
    guard = ScanGuard(pipe).fit(scans.data[::4])
    model = SelectiveClassifier(
        pipe,
        FrozenEstimator(guard),
        found["threshold"],
        reject=OTHER,
        familiarity=FrozenEstimator(familiar),
    ).fit(None, None)
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    for name, spec in (("f3", ".3f"), ("pct", ".1%"), ("pct0", ".0%")):
        environment.filters[name] = formatted(spec)
    text = (HERE / "model_card_text.md").read_text(encoding="utf-8")
    card = environment.from_string(text).render(found)
    answers, left_out = found["answers"][1], found["curves"]["sources left out"]
    four = found["confusion"].loc[KNOWN, KNOWN]
    metadata = {
        "model_card": card,
        "license": "research and non-commercial use only; see the model card",
        "abstention": {
            "threshold": found["threshold"],
            "error_rate": ERROR_RATE,
            "coverage": answers["answered"],
        },
        "reliability": found["reliability"],
        "risk_coverage": {
            "coverage": [point[0] for point in left_out],
            "risk": [point[1] for point in left_out],
        },
        "confusion_matrix": {
            "classes": KNOWN.tolist(),
            "counts": four.to_numpy().tolist(),
        },
    }
    output = Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    save(model, output / f"{NAME}.btc", metadata=metadata, half_precision=True)
    (output / "model_card.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
