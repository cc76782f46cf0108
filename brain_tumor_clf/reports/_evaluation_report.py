"""The figure of an evaluation, and the report that it fills."""

import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay

from brain_tumor_clf.inspection import ReliabilityDisplay, axes_row
from brain_tumor_clf.reports._controls import control_tables
from brain_tumor_clf.reports._label_issues import issue_blocks
from brain_tumor_clf.reports._render import estimates
from brain_tumor_clf.reports._report import Report, Table, Text
from brain_tumor_clf.reports._scores import RATES
from brain_tumor_clf.reports._subgroups import find_worst, subgroup_blocks

SCORE_TABLES = {
    "scores": "Scores",
    "group_scores": "Scores of one vote a group",
    "unseen_scores": "Scores of images without a copy or mirror in training",
}
_TILES = ("balanced_accuracy", "accuracy", "tumor_miss_rate", "false_alarm_rate")


def fill_report(report):
    """Return the `Report` of an `EvaluationReport`."""
    figure = report._figure("Confusion matrix, rates and reliability")
    blocks = [Text(lines=report.notes), figure, *_score_tables(report)]
    if report.subgroups is not None:
        blocks += subgroup_blocks(report.subgroups)
    confusion = "Confusion matrix (rows: true class)"
    blocks += [_class_table(report), Table(title=confusion, frame=report.confusion)]
    if report.controls is not None:
        blocks += control_tables(report.controls)
    if report.label_issues is not None:
        blocks += issue_blocks(report.label_issues, report._suspects)
    title = "Classification report of scikit-learn"
    lines = report.classification_report.splitlines()
    code = {"lines": lines, "is_code": True, "is_detail": True}
    blocks += [Text(title=title, **code), report._computed_on()]
    subtitle = f"Model {report.model_id}" if report.model_id else ""
    return Report("Evaluation", blocks, subtitle, [*_tiles(report)])


def _score_tables(report):
    for name, title in SCORE_TABLES.items():
        table = getattr(report, name)
        # Where no image has a copy in training, those without are all of them.
        if table is not None and (name == "scores" or table is not report.scores):
            kinds = {"kind of interval": table["interval"]}
            frame = pd.DataFrame({"value": estimates(table), **kinds})
            yield Table(title=title, frame=frame)


def _class_table(report):
    table = report.per_class
    note = f"Kind of interval: {', '.join(pd.unique(table['interval']))}."
    frame = table[["support"]].set_axis(["images"], axis=1)
    for name in RATES:
        frame[name] = estimates(table, (name, f"{name}_low", f"{name}_high"))
    return Table(title="Classes, with intervals", note=note, frame=frame)


def _tiles(report):
    for name, row in report.scores.reindex(_TILES).dropna(subset="value").iterrows():
        yield _tile(row, name)
    row = None if report.subgroups is None else find_worst(report.subgroups)
    if row is not None:
        name = f"{row['score']} of {row['column']} {row['subgroup']}, the worst"
        yield _tile(row, name, "warning")


def _tile(row, name, severity=None):
    low, high = 100 * row["low"], 100 * row["high"]
    ends = "" if np.isnan(low) else f" ({low:.1f} to {high:.1f} %)"
    return f"{100 * row['value']:.1f} %", name.replace("_", " ") + ends, severity


def draw_evaluation(report, ax=None):
    """Draw confusion matrix, rates of each class and reliability; return the Axes."""
    n_panels = 2 if report.reliability is None else 3
    axes = axes_row(ax, n_panels, width=5.2, height=4.6)
    counts, labels = report.confusion.to_numpy(), report.confusion.index.astype(str)
    matrix = ConfusionMatrixDisplay(counts, display_labels=labels)
    matrix.plot(ax=axes[0], cmap="Blues", colorbar=False, xticks_rotation=30)
    axes[0].set(title="Images by true and predicted class")
    _draw_rates(report.per_class, axes[1])
    if report.reliability is not None:
        error = report.scores.loc["expected_calibration_error", "value"]
        ReliabilityDisplay(report.reliability, error).plot(ax=axes[2])
        axes[2].set_title("Reliability of the probabilities")
    return axes


def _draw_rates(per_class, ax):
    positions = np.arange(len(per_class))
    for shift, name in ((-0.12, "sensitivity"), (0.12, "specificity")):
        value = per_class[name].to_numpy()
        errors = np.abs(per_class[[f"{name}_low", f"{name}_high"]].to_numpy().T - value)
        ax.errorbar(positions + shift, value, errors, fmt="o", capsize=3, label=name)
    ax.set_xticks(positions, per_class.index.astype(str), rotation=30, ha="right")
    ax.set(ylim=(-0.03, 1.03), title="Rates of each class, with intervals")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(frameon=False)
