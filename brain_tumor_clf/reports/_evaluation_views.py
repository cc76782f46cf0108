"""An EvaluationReport as data, text, page and picture."""

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report

from brain_tumor_clf.inspection import ReliabilityDisplay
from brain_tumor_clf.inspection._axes import axes_row
from brain_tumor_clf.reports import _html
from brain_tumor_clf.reports._markdown import markdown_table

_SCORE_TABLES = (
    ("Scores", "scores"),
    ("Scores of one vote a group", "group_scores"),
    ("Scores of images without a copy or mirror in training", "unseen_scores"),
)
_SHARES = ("accuracy", "balanced", "commonest")  # columns shown as per cent
_SKLEARN = "Classification report of scikit-learn"


def to_dict(report):
    """Plain data for JSON; what is not defined is None."""
    return {
        "protocol": report.protocol.to_dict(),
        "model_id": report.model_id,
        "notes": list(report.notes),
        **{name: _records(getattr(report, name)) for _, name in _SCORE_TABLES},
        "per_class": _records(report.per_class),
        "confusion_matrix": {
            "classes": [_plain(label) for label in report.confusion.index],
            "counts": report.confusion.to_numpy().tolist(),
        },
        "classification_report": _report_dict(report._predictions),
        "reliability": _records(report.reliability),
        "controls": _records(report.controls),
    }


def to_markdown(report):
    """The report as Markdown."""
    parts = ["# Evaluation", "\n".join(f"- {note}" for note in report.notes)]
    for title, table in tables(report):
        parts += [f"## {title}", markdown_table(table)]
    parts += [f"## {_SKLEARN}", f"```text\n{report.classification_report}```"]
    parts += ["## Computed on", report.protocol.to_markdown()]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_html(report, path):
    """The report as one HTML page."""
    blocks = [_tiles(report.scores), *map(_html.paragraph, report.notes)]
    blocks.append(_html.figure(plot(report), "Confusion matrix, rates and reliability"))
    blocks += _sections(report)
    blocks.append(_html.section(_SKLEARN, _html.code(report.classification_report)))
    blocks.append(_html.section("Computed on", _html.facts(report.protocol.rows())))
    subtitle = f"Model {report.model_id}" if report.model_id else ""
    return _html.write_page(_html.page("Evaluation", blocks, subtitle=subtitle), path)


def to_fragment(report):
    """What a notebook shows: the tables, and what they were computed on."""
    blocks = [_tiles(report.scores), *map(_html.paragraph, report.notes)]
    blocks += _sections(report)
    blocks.append(_html.facts(report.protocol.rows()))
    return _html.fragment("Evaluation", blocks)


def _sections(report):
    return [
        _html.section(title, _html.table(table, index=True, percent=_SHARES))
        for title, table in tables(report)
    ]


def _tiles(scores):
    shown = ("balanced_accuracy", "accuracy", "tumor_miss_rate", "false_alarm_rate")
    return _html.tiles(
        [
            (f"{100 * scores.loc[name, 'value']:.1f} %", name.replace("_", " "), None)
            for name in shown
            if name in scores.index
        ]
    )


def tables(report):
    """The tables of a report, titled, in the order in which they are read."""
    for title, name in _SCORE_TABLES:
        table = getattr(report, name)
        is_same = name == "unseen_scores" and table is report.scores
        if table is not None and not is_same:
            yield title, _with_interval(table)
    yield "Classes", _class_table(report.per_class)
    yield "Confusion matrix (rows: true class)", report.confusion
    if report.controls is not None:
        yield (
            "Beside controls that see almost nothing of the tumor",
            report.controls.set_index("control").rename(
                columns={"balanced_accuracy": "balanced", "majority": "commonest"}
            ),
        )


def plot(report):
    """Confusion matrix, rates of each class, and reliability, side by side."""
    n_panels = 2 if report.reliability is None else 3
    axes = axes_row(None, n_panels, width=5.2, height=4.6)
    _plot_confusion(report.confusion, axes[0])
    _plot_rates(report.per_class, axes[1])
    if report.reliability is not None:
        error = report.scores.loc["expected_calibration_error", "value"]
        ReliabilityDisplay(report.reliability, error).plot(ax=axes[2])
        axes[2].set_title("Reliability of the probabilities")
    return axes[0].figure


def _plot_confusion(confusion, ax):
    counts = confusion.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.5 else "black"
        ax.text(column, row, str(count), ha="center", va="center", color=color)
    names = [str(label) for label in confusion.index]
    ax.set_xticks(range(len(names)), names, rotation=30, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set(
        xlabel="Predicted", ylabel="True", title="Images by true and predicted class"
    )


def _plot_rates(per_class, ax):
    positions = np.arange(len(per_class))
    for shift, name in ((-0.12, "sensitivity"), (0.12, "specificity")):
        value = per_class[name].to_numpy()
        ends = per_class[[f"{name}_low", f"{name}_high"]].to_numpy().T
        errors = np.clip(np.abs(ends - value), 0, None)
        ax.errorbar(positions + shift, value, errors, fmt="o", capsize=3, label=name)
    names = [str(label) for label in per_class.index]
    ax.set_xticks(positions, names, rotation=30, ha="right")
    ax.set(ylim=(-0.03, 1.03), title="Rates of each class, with intervals")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(frameon=False)


def _with_interval(table):
    """Score, value and interval as a reader wants them."""
    shown = table[["value"]].copy()
    shown["interval"] = [
        "-" if np.isnan(low) else f"{low:.3f} to {high:.3f}"
        for low, high in table[["low", "high"]].to_numpy()
    ]
    shown["kind of interval"] = table["interval"]
    return shown


def _with_bounds(value, low, high):
    if np.isnan(value):
        return "-"
    return f"{value:.3f}" + ("" if np.isnan(low) else f" ({low:.3f} to {high:.3f})")


def _class_table(per_class):
    shown = per_class[["support"]].copy()
    for name in ("sensitivity", "specificity", "precision"):
        shown[name] = [
            _with_bounds(value, low, high)
            for value, low, high in per_class[
                [name, f"{name}_low", f"{name}_high"]
            ].to_numpy()
        ]
    shown["kind of interval"] = per_class["interval"]
    return shown


def _report_dict(predictions):
    """scikit-learn's report as numbers; of a class without images they are None."""
    p = predictions
    found = classification_report(
        p.classes[p.true],
        p.classes[p.predicted],
        labels=p.classes,
        zero_division=np.nan,
        output_dict=True,
    )
    return {
        name: {key: _plain(value) for key, value in row.items()}
        if isinstance(row, dict)
        else _plain(row)
        for name, row in found.items()
    }


def _records(table):
    if table is None:
        return None
    index = [] if isinstance(table.index, pd.RangeIndex) else [table.index.name]
    records = (table.reset_index() if index else table).to_dict("records")
    return [{key: _plain(value) for key, value in row.items()} for row in records]


def _plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value
