"""The figures of the three reports."""

import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay

from brain_tumor_clf.inspection import ReliabilityDisplay, axes_row, require_pyplot
from brain_tumor_clf.reports._audit_report import ALL, copy_table
from brain_tumor_clf.reports._controls import control_tables
from brain_tumor_clf.reports._scan import KINDS

# Told apart without color vision, too: dark to light within each family.
_KIND_COLORS = ("#9b2226", "#ca6702", "#e9b44c", "#d8d3c4")
_COLORS = ("#1f5fa8", "#9cc3ec")


def draw_audit(audit):
    """Draw classes, copies, brightness and controls; return the four Axes."""
    _, axes = require_pyplot().subplots(2, 2, figsize=(11.5, 8), layout="constrained")
    axes = axes.ravel()
    counts = audit.counts.drop(index=ALL).filter(like=" images")
    _bars(counts, axes[0], "Images of each class", "Images", color=_COLORS)
    readable = audit.images[audit.images["failure"].isna()]
    table, title = audit.leakage, "Test images with a copy in training"
    if table is None:
        table, title = (
            copy_table(readable, "label"),
            "Images with a copy in the data set",
        )
    shares = table.filter(KINDS).div(table["images"].clip(lower=1), axis=0)
    options = {"stacked": True, "color": _KIND_COLORS, "xlim": (0, 1)}
    _bars(shares, axes[1], title, "Share of images", **options)
    values = {
        str(k): v.to_numpy(float) for k, v in readable.groupby("label")["brightness"]
    }
    if values:
        axes[2].violinplot(list(values.values()), showmedians=True, widths=0.8)
        axes[2].set_xticks(range(1, len(values) + 1), list(values))
    axes[2].set(ylabel="Mean intensity (0 to 255)", title="Brightness, with medians")
    title = "Accuracy of controls"
    tables = control_tables(audit.controls)
    if tables:
        scores = pd.concat([table.frame[table.bars] for table in tables])
        tasks = [t.title.rpartition(", ")[2] for t in tables for _ in t.frame.index]
        scores.index = scores.index + "\n" + tasks
        _bars(scores, axes[3], title, "Accuracy", color=_COLORS, xlim=(0, 1))
    else:
        axes[3].text(0.5, 0.5, "not run", ha="center", va="center")
        axes[3].set_axis_off()
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return axes


def _bars(frame, ax, title, xlabel, **options):
    """Draw a table as horizontal bars, its first row on top."""
    frame.rename_axis(None).plot.barh(ax=ax, width=0.8, **options)
    for bars in ax.containers if xlabel != "Share of images" else ():
        ax.bar_label(bars, fmt="{:.3g}", fontsize=8, padding=3)
    ax.invert_yaxis()
    ax.legend(frameon=False, fontsize=8)
    ax.set(title=title, xlabel=xlabel)


def draw_evaluation(report, ax=None):
    """Draw confusion matrix, rates of each class and reliability; return the Axes."""
    n_panels = 2 if report.reliability is None else 3
    axes = axes_row(ax, n_panels, width=5.2, height=4.6)
    labels = [str(label) for label in report.confusion.index]
    matrix = ConfusionMatrixDisplay(report.confusion.to_numpy(), display_labels=labels)
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
        ends = per_class[[f"{name}_low", f"{name}_high"]].to_numpy().T
        errors = np.clip(np.abs(ends - value), 0, None)
        ax.errorbar(positions + shift, value, errors, fmt="o", capsize=3, label=name)
    names = [str(label) for label in per_class.index]
    ax.set_xticks(positions, names, rotation=30, ha="right")
    ax.set(ylim=(-0.03, 1.03), title="Rates of each class, with intervals")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(frameon=False)


def draw_comparison(comparison, ax=None):
    """Draw the score of every fold and the mean of each estimator; return the Axes."""
    ax = axes_row(ax, 1, width=6.4, height=1.2 + 0.6 * len(comparison.names))[0]
    means = comparison.folds.groupby("estimator")["score"].mean()
    for position, name in enumerate(comparison.names):
        scores = comparison.folds.loc[comparison.folds["estimator"] == name, "score"]
        ax.scatter(scores, np.full(len(scores), position), alpha=0.5, s=24)
        ax.plot(means[name], position, marker="|", color="black", markersize=18)
    ax.set_yticks(range(len(comparison.names)), comparison.names)
    ax.set_ylim(len(comparison.names) - 0.5, -0.5)
    ax.set_xlabel(f"{comparison.scoring}, one dot a fold")
    ax.grid(axis="x", alpha=0.3)
    return ax
