"""The model card of the packaged model, from its numbers.

    python benchmarks/model_card.py runs/brain-mri-lite0.json -o docs/model_card.md

``brain_mri_lite0.py`` puts the same text into the model's file.
"""

import argparse
import json
from pathlib import Path

from robustness import to_markdown

SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "roc_auc": "ROC AUC, mean of one class against the rest",
    "tumor_miss_rate": "tumors called healthy",
    "false_alarm_rate": "healthy scans called a tumor",
    "brier_score": "Brier score",
    "expected_calibration_error": "expected calibration error",
}
TARGETS = {
    "balanced_accuracy": (0.95, True),
    "accuracy": (0.96, True),
    "tumor_miss_rate": (0.015, False),
    "expected_calibration_error": (0.02, False),
}
TEXT = Path(__file__).with_name("model_card_text.md")


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", help="JSON that brain_mri_lite0.py wrote")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: print")
    return parser.parse_args(argv)


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines)


def by_name(records, key):
    return {record[key]: record for record in records}


def score_table(results):
    """Scores by image and by group, with intervals, beside what was aimed at."""
    images = by_name(results["report"]["scores"], "score")
    groups = by_name(results["report"]["group_scores"], "score")
    rows = []
    for name, title in SCORES.items():
        if name not in images:
            continue
        cell = images[name]
        interval = f"{cell['low']:.3f} to {cell['high']:.3f}"
        vote = f"{groups[name]['value']:.3f}" if name in groups else ""
        rows.append([title, f"{cell['value']:.3f}", interval, vote, aim(name, cell)])
    head = ["score", "by image", "95 % interval over groups", "one vote a group", "aim"]
    return table(head, rows)


def aim(name, cell):
    if name not in TARGETS:
        return ""
    bound, at_least = TARGETS[name]
    reached = cell["value"] >= bound if at_least else cell["value"] <= bound
    words = f"at least {bound}" if at_least else f"at most {bound}"
    return f"{words}: {'reached' if reached else '**missed**'}"


def confusion_table(results):
    matrix = results["report"]["confusion_matrix"]
    head = ["true class", *(f"called {name}" for name in matrix["classes"])]
    pairs = zip(matrix["classes"], matrix["counts"], strict=True)
    return table(head, [[name, *counts] for name, counts in pairs])


def class_rates(results):
    head = ["class", "sensitivity", "specificity", "precision"]
    rows = []
    for row in results["report"]["per_class"]:
        cells = [
            f"{row[rate]:.3f} ({row[f'{rate}_low']:.3f} to {row[f'{rate}_high']:.3f})"
            for rate in head[1:]
        ]
        rows.append([row["class"], *cells])
    return table(head, rows)


def fold_table(results):
    rows = [
        [
            k,
            fold["n_test"],
            f"{fold['accuracy']:.3f}",
            f"{fold['balanced_accuracy']:.3f}",
        ]
        for k, fold in enumerate(results["folds"])
    ]
    return table(["fold", "test images", "accuracy", "balanced accuracy"], rows)


def seed_sentence(results):
    seeds = results["seeds"]
    if len(seeds) < 2:
        return "One seed was trained; the spread over seeds is not measured."
    numbers = listed(row["seed"] for row in seeds)
    values = listed(f"{row['balanced_accuracy']:.3f}" for row in seeds)
    return (
        "Balanced accuracy of the fine-tuned member alone, of the seeds "
        f"{numbers} on the folds {listed(seeds[0]['folds'])}: {values}."
    )


def listed(values):
    return " and ".join(map(str, values))


def reliability_table(results):
    bins = results["reliability"]
    rows = []
    bounds = zip(bins["edges"][:-1], bins["edges"][1:], strict=True)
    for (low, high), accuracy, n in zip(
        bounds, bins["accuracy"], bins["n"], strict=True
    ):
        if n:
            rows.append([f"{low:.0%} to {high:.0%}", n, f"{accuracy:.1%}"])
    return table(["confidence", "images", "of them right"], rows)


def risk_table(results):
    curve = results["risk_coverage"]
    rows = []
    for wanted in (1.0, 0.95, 0.9, 0.85, 0.8, 0.7):
        pairs = zip(curve["coverage"], curve["risk"], strict=True)
        coverage, risk = min(pairs, key=lambda pair: abs(pair[0] - wanted))
        rows.append([f"{coverage:.0%}", f"{risk:.1%}"])
    return table(["images that get a class", "of them wrong"], rows)


def or_none(value, spec):
    return "none" if value is None else format(value, spec)


def member_table(results):
    """Scores of each member alone, and of both."""
    rows = [
        [
            row["member"].replace("_", "-"),
            f"{row['balanced_accuracy']:.3f}",
            f"{row['accuracy']:.3f}",
        ]
        for row in results["members"]
    ]
    both = by_name(results["report"]["scores"], "score")
    cells = [f"{both[name]['value']:.3f}" for name in ("balanced_accuracy", "accuracy")]
    head = ["member alone", "balanced accuracy", "accuracy"]
    return table(head, [*rows, ["**both**", *cells]])


def combination_table(results):
    """How the members' logits are weighed, and the bias of each class."""
    combination = results["combination"]
    rows = [
        *(
            [f"weight of the {name.replace('_', '-')} member", f"{value:.2f}"]
            for name, value in combination["weights"].items()
        ),
        *(
            [f"bias of {name}", f"{value:+.2f}"]
            for name, value in combination["biases"].items()
        ),
    ]
    return table(["parameter", "value"], rows)


def abstention_sentence(chosen):
    """What `predict --abstain auto` does, and what came of it on other folds."""
    rate = f"{chosen['error_rate']:.0%}"
    if chosen["threshold"] is None:
        return (
            f"No threshold keeps errors among the given classes to {rate}; the model "
            "stores none."
        )
    sentence = (
        "`predict --abstain auto` gives no class below the confidence "
        f"{chosen['threshold']:.3f}, chosen so that at most {rate} of the classes "
        "given are wrong. Chosen on four folds and measured on the fifth, it gave a "
        f"class to {chosen['coverage']:.1%} of the images"
    )
    if chosen["measured_error_rate"] is None:
        return f"{sentence}."
    return f"{sentence}, and {chosen['measured_error_rate']:.1%} of those were wrong."


def rate_table(results):
    rows = [
        [
            f"{chosen['error_rate']:.0%}",
            or_none(chosen["threshold"], ".3f"),
            f"{chosen['coverage']:.1%}",
            or_none(chosen["measured_error_rate"], ".1%"),
        ]
        for chosen in results["error_rates"]
    ]
    head = ["wrong at most", "threshold", "images that get a class", "of them wrong"]
    return table(head, rows)


def data_table(results):
    data = results["data"]
    rows = [
        [name, n, data["groups_per_class"][name]]
        for name, n in data["images_per_class"].items()
    ]
    return table(["class", "images", "groups"], rows)


def render(results):
    """The card as Markdown."""
    recipe = results["recipe"]
    values = {
        "data_table": data_table(results),
        "n_images": f"{results['data']['n_images']:,}",
        "n_groups": f"{results['data']['n_groups']:,}",
        "n_parameters": f"{results['n_parameters'] / 1e6:.1f}",
        "image_size": results["image_size"][0],
        "epochs": recipe["epochs"],
        "learning_rate": recipe["learning_rate"],
        "score_table": score_table(results),
        "confusion_table": confusion_table(results),
        "class_rates": class_rates(results),
        "fold_table": fold_table(results),
        "seed_sentence": seed_sentence(results),
        "member_table": member_table(results),
        "combination_table": combination_table(results),
        "reliability_table": reliability_table(results),
        "risk_table": risk_table(results),
        "rate_table": rate_table(results),
        "abstention_sentence": abstention_sentence(results["abstention"]),
        "robustness_step": results["robustness_step"],
        "robustness_table": to_markdown(results["robustness"]),
    }
    text = TEXT.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", str(value))
    if "{{" in text:
        raise ValueError(f"{TEXT.name} names a value that the results do not have.")
    return text


def main(argv=None):
    args = parse_arguments(argv)
    card = render(json.loads(Path(args.results).read_text(encoding="utf-8")))
    if args.output:
        Path(args.output).write_text(card, encoding="utf-8")
    else:
        print(card)


if __name__ == "__main__":
    main()
