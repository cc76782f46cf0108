"""The model card of the packaged model, from its numbers.

    python benchmarks/packaged_model/model_card.py runs/brain-mri-lite0.json

``train.py`` stores the same text in the model's file.
"""

import json
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share

from jinja2 import Environment, StrictUndefined
from robustness import to_markdown

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "roc_auc": "ROC AUC, mean of one class against the rest",
    "tumor_miss_rate": "tumors called healthy",
    "false_alarm_rate": "healthy scans called a tumor",
    "brier_score": "Brier score",
    "expected_calibration_error": "expected calibration error",
}
AT_LEAST = {"balanced_accuracy": 0.95, "accuracy": 0.96}
AT_MOST = {"tumor_miss_rate": 0.015, "expected_calibration_error": 0.02}
_COVERAGES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7)
TEXT = Path(__file__).with_name("model_card_text.md")


def aim(cell, name):
    """Return the target of a score, and whether it is reached."""
    value, reached = cell["value"], {True: "reached", False: "**missed**"}
    if name in AT_LEAST:
        return f"at least {AT_LEAST[name]}: {reached[value >= AT_LEAST[name]]}"
    if name in AT_MOST:
        return f"at most {AT_MOST[name]}: {reached[value <= AT_MOST[name]]}"
    return ""


def formatted(spec):
    """Return a filter that formats a number, or "none" if there is none."""
    return lambda value: "none" if value is None else format(value, spec)


def render(results):
    """Return the card as Markdown."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters |= {"aim": aim, "robustness_table": to_markdown}
    for name, spec in (("f3", ".3f"), ("pct", ".1%"), ("pct0", ".0%")):
        environment.filters[name] = formatted(spec)
    scores, votes = (
        {row["score"]: row for row in results["report"][key]}
        for key in ("scores", "group_scores")
    )
    bins, curve = results["reliability"], results["risk_coverage"]
    points = list(zip(curve["coverage"], curve["risk"], strict=True))
    template = environment.from_string(TEXT.read_text(encoding="utf-8"))
    card = template.render(
        results,
        titles=TITLES,
        scores=scores,
        votes=votes,
        bins=zip(
            bins["edges"][:-1],
            bins["edges"][1:],
            bins["n"],
            bins["accuracy"],
            strict=True,
        ),
        points=[min(points, key=lambda p, c=c: abs(p[0] - c)) for c in _COVERAGES],
    )
    return re.sub(r"\n{3,}", "\n\n", card)


if __name__ == "__main__":
    print(render(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), end="")
