"""A DatasetAudit as one figure."""

import numpy as np

from brain_tumor_clf.inspection._axes import require_pyplot
from brain_tumor_clf.reports._audit_copies import KINDS
from brain_tumor_clf.reports._audit_tables import ALL
from brain_tumor_clf.reports._controls import CONTROLS, TASKS

# Told apart without color vision, too: dark to light within each family.
_KIND_COLORS = ("#9b2226", "#ca6702", "#e9b44c", "#d8d3c4")
_PROTOCOL_COLORS = ("#1f5fa8", "#9cc3ec")
_GREY = "#8a93a0"


def plot(audit):
    """Classes, copies, brightness and controls in four panels."""
    figure, axes = require_pyplot().subplots(
        2, 2, figsize=(11.5, 8), layout="constrained"
    )
    _plot_counts(audit, axes[0, 0])
    _plot_copies(audit, axes[0, 1])
    _plot_brightness(audit, axes[1, 0])
    _plot_controls(audit, axes[1, 1])
    for ax in axes.ravel():
        ax.spines[["top", "right"]].set_visible(False)
        ax.title.set_fontsize(11)
    return figure


def _plot_counts(audit, ax):
    counts = audit.counts.drop(index=ALL)
    splits = [name for name in ("train", "test") if f"{name} images" in counts]
    height = 0.8 / len(splits)
    at = np.arange(len(counts))
    for k, split in enumerate(splits):
        shift = (k - (len(splits) - 1) / 2) * height
        values = counts[f"{split} images"].to_numpy()
        color = _PROTOCOL_COLORS[k]
        bars = ax.barh(at + shift, values, height * 0.94, color=color, label=split)
        groups = counts[f"{split} groups"]
        texts = [f"{v:,} in {g:,} groups" for v, g in zip(values, groups, strict=True)]
        ax.bar_label(bars, texts, fontsize=8, padding=3)
    ax.set_yticks(at, [str(label) for label in counts.index])
    ax.invert_yaxis()
    ax.margins(x=0.3)
    ax.set(xlabel="Images", title="Images and groups of each class")
    if len(splits) > 1:
        _legend_below(ax, len(splits))


def _plot_copies(audit, ax):
    """Shares of test images with a copy in training, or of images with any copy."""
    if audit.leakage is not None:
        table, title = audit.leakage, "Test images with a copy in training"
    else:
        table, title = _copies_by_class(audit), "Images with a copy in the data set"
    at = np.arange(len(table))
    left = np.zeros(len(table))
    n = np.maximum(table["images"].to_numpy(dtype=float), 1)
    for kind, color in zip(KINDS, _KIND_COLORS, strict=True):
        if kind not in table or not table[kind].any():
            continue
        share = table[kind].to_numpy(dtype=float) / n
        ax.barh(at, share, left=left, color=color, height=0.65, label=kind)
        left += share
    for y, share in zip(at, left, strict=True):
        ax.text(share + 0.01, y, f"{share:.0%}", va="center", fontsize=9)
    ax.set_yticks(at, [str(label) for label in table.index])
    ax.set(xlim=(0, 1.12), ylim=(len(at) - 0.5, -0.5))  # also where no bar is drawn
    ax.set(xlabel="Share of images", title=title)
    _percent_axis(ax)
    if left.any():
        ax.legend(frameon=False, loc="lower right", title="worst kind of copy")


def _copies_by_class(audit):
    readable = audit.images[audit.images["failure"].isna()]
    table = readable.groupby("label").size().to_frame("images")
    for kind in KINDS:
        has = (readable["copy"] == kind).groupby(readable["label"]).sum()
        table[kind] = has
    table.loc[ALL] = table.sum()
    return table


def _plot_brightness(audit, ax):
    readable = audit.images[audit.images["failure"].isna()]
    labels = sorted(readable["label"].unique(), key=str)
    values = [
        readable.loc[readable["label"] == label, "brightness"].to_numpy(dtype=float)
        for label in labels
    ]
    if values:
        at = np.arange(len(labels))
        parts = ax.violinplot(values, positions=at, showextrema=False, widths=0.8)
        for body in parts["bodies"]:
            body.set(facecolor=_PROTOCOL_COLORS[1], alpha=0.9)
        ax.plot(at, [np.median(v) for v in values], "o", color=_PROTOCOL_COLORS[0])
        ax.set_xticks(at, [str(label) for label in labels])
    ax.set(ylabel="Mean grey level (0 to 255)", title="Brightness, with medians")


def _plot_controls(audit, ax):
    table = audit.controls
    ax.set_title("Accuracy of controls that see almost nothing of a tumor")
    if len(table) == 0:
        ax.text(0.5, 0.5, "not run", ha="center", va="center", color=_GREY)
        ax.set_axis_off()
        return
    protocols = list(table["protocol"].unique())
    tasks = [task for task in TASKS if (table["task"] == task).any()]
    names = [f"{control}\n{task}" for task in tasks for control in CONTROLS]
    keys = [(control, task) for task in tasks for control in CONTROLS]
    at = np.arange(len(keys))
    height = 0.8 / len(protocols)
    for k, protocol in enumerate(protocols):
        part = table[table["protocol"] == protocol].set_index(["control", "task"])
        shift = (k - (len(protocols) - 1) / 2) * height
        values = part["accuracy"].reindex(keys).to_numpy(dtype=float)
        bars = ax.barh(
            at + shift, values, height * 0.94, color=_PROTOCOL_COLORS[k % 2],
            label=protocol,
        )  # fmt: skip
        for text in ax.bar_label(
            bars, [f"{100 * v:.1f}" for v in values], fontsize=8, padding=3
        ):
            # The line of the commonest class may lie behind it.
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
        majority = part["majority"].reindex(keys).to_numpy(dtype=float)
        for y, value in zip(at + shift, majority, strict=True):
            ax.plot(
                [value] * 2, [y - height / 2, y + height / 2], color="black", lw=1.4
            )
    ax.plot([], [], color="black", lw=1.4, label="always the commonest class")
    ax.set_yticks(at, names, fontsize=8)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.1), xlabel="Accuracy")
    _percent_axis(ax)
    _legend_below(ax, 3)


def _percent_axis(ax):
    shares = np.linspace(0, 1, 5)
    ax.set_xticks(shares, [f"{100 * share:.0f} %" for share in shares])


def _legend_below(ax, n_columns):
    place = {"loc": "upper center", "bbox_to_anchor": (0.4, -0.13)}
    ax.legend(frameon=False, fontsize=8, ncols=n_columns, **place)
