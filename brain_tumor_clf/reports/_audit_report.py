"""The tables of an audit, its figure, and the report that it fills."""

from functools import partial

import numpy as np
import pandas as pd

from brain_tumor_clf.inspection import axes_row, require_pyplot
from brain_tumor_clf.reports import _report
from brain_tumor_clf.reports._controls import control_tables
from brain_tumor_clf.reports._label_issues import small_picture
from brain_tumor_clf.reports._report import Protocol, Report, Table, Text
from brain_tumor_clf.reports._scan import KINDS

ALL = "all images"
# Told apart without color vision, too: dark to light within each family.
_KIND_COLORS = ("#9b2226", "#ca6702", "#e9b44c", "#d8d3c4")
_COLORS = ("#1f5fa8", "#9cc3ec")
_LEAKAGE = (
    "A test image counts once, with its worst kind of copy: equal in every pixel, near "
    "(re-encoded, resized, brighter), or mirrored. The same group is a copy, a copy of "
    "a copy, or a patient where both sides name them."
)
_PAIRS = (
    "Of each kind the least similar first, so that you can judge where copies end and "
    "scans that only look alike begin. One pair a group."
)
_COPIES = (
    "Images with a copy in their own split, by worst kind. Distinct: how many would be "
    "left with one a group of copies."
)
_FILES = (
    "Where classes differ in these, a model can tell them by their source. Brightness "
    "is the mean intensity, 0 to 255."
)


def count_table(images):
    """Return images, groups and unreadable images of each class, by split."""
    parts = _of_classes(images).groupby(["label", "split"], sort=False)
    columns = {"images": ("index", "size"), "groups": ("group", "nunique")}
    table = parts.agg(**columns, unreadable=("failure", "count"))
    table = table.unstack(fill_value=0).swaplevel(axis=1)
    # Training first; the order of the counts stays.
    table = table.sort_index(axis=1, level=0, ascending=False, sort_remaining=False)
    table.columns = table.columns.map(" ".join)
    return table.rename_axis("class")


def appearance_table(images):
    """Return sizes, modes, bits and brightness of the readable images of each class."""
    size = images["width"].astype(str) + "x" + images["height"].astype(str)
    readable = images.assign(size=size)[images["failure"].isna()]
    readable = readable.rename(columns={"label": "class"}).sort_values("class")
    table = readable.groupby(["split", "class"], sort=False).agg(
        **{
            "images": ("size", "size"),
            "distinct sizes": ("size", "nunique"),
            "commonest sizes": ("size", lambda size: _shares(size, 2)),
            "modes": ("mode", _shares),
            "bits": ("bits", _shares),
            "brightness": ("brightness", "mean"),
            "brightness sd": ("brightness", lambda values: values.std(ddof=0)),
        }
    )
    return table.sort_index(
        level="split", ascending=False, sort_remaining=False
    ).reset_index()


def _shares(values, n_named=None):
    """Return values by how common they are: "gray 62 %, RGB 38 %"."""
    shares = values.value_counts(normalize=True)
    if len(shares) == 1:
        return str(shares.index[0])
    words = [f"{value} {100 * share:.0f} %" for value, share in shares.items()]
    if n_named is not None and len(words) > n_named:
        words = [*words[:n_named], "…"]
    return ", ".join(words)


def copy_table(images, by="split"):
    """Return how many readable images have a copy in their own split, by worst kind."""
    images = _of_classes(images) if by == "label" else images
    table = _count_kinds(images, by, "copy")
    distinct = images["copy_group"].where(images["failure"].isna())
    table["distinct"] = distinct.groupby(images[by]).nunique()
    return table


def leakage_table(images):
    """Return how many readable test images of each class have a copy in training."""
    if "copy_in_training" not in images:
        return None
    test = _of_classes(images[images["split"] == "test"])
    table = _count_kinds(test, "label", "copy_in_training").rename_axis("class")
    table["share"] = table["with a copy"] / table["images"]
    shared = test["group_in_training"] & test["failure"].isna()
    table["same group"] = shared.groupby(test["label"]).sum()
    table["share of same group"] = table["same group"] / table["images"]
    return table


def _count_kinds(images, by, column):
    """Return the numbers of readable images, of copies of each kind, and of copies."""
    is_readable = images["failure"].isna()
    found = images[column].where(is_readable)
    flags = {"images": is_readable, **{kind: found == kind for kind in KINDS}}
    if not flags["rotated"].any():  # they are rarely looked for
        del flags["rotated"]
    flags["with a copy"] = found.notna()
    return pd.DataFrame(flags).groupby(images[by], sort=False).sum()


def _of_classes(images):
    """Return images by class, and all of them once more as a class of their own."""
    return pd.concat([images.sort_values("label"), images.assign(label=ALL)])


def describe(audit, grouper, seed):
    """Return the `Protocol` of an audit."""
    n_train, n_test = len(audit.groups), len(audit.test_groups)
    data = f"{n_train:,} training images, {n_test:,} test images"
    split = "training and test images as given"
    if not n_test:
        data = f"{n_train:,} images, no test images"
        protocols = ", ".join(pd.unique(audit.controls["protocol"]))
        split = f"cross-validation: {protocols or 'not possible'}"
    notes = [
        f"copies are found by {grouper!r}",
        "every score is of images that its control was not trained on",
    ]
    n_bad = int(audit.images["failure"].notna().sum())
    if n_bad:
        what = "images cannot be read and are in no figure but the counts"
        notes.append(f"{n_bad:,} {what}")
    groups = "groups given, joined with copies" if audit.knows_groups else "copies"
    n, n_groups = len(audit.images), int(audit.images["group"].nunique())
    return Protocol(data, n, n_groups, groups, split, seed, tuple(notes))


def fill_report(audit, n_pairs=12):
    """Return the `Report` of a `DatasetAudit`."""
    blocks = [_report.Findings(title="Findings", findings=audit.findings)]
    unreadable = audit.to_frame("unreadable")
    if len(unreadable):
        line = "{name}: {failure} ({split}, position {index})"
        lines = [line.format_map(row) for row in unreadable.to_dict("records")]
        title = "Images that cannot be read"
        blocks.append(Text(title=title, lines=lines, is_long=True))
    if audit.leakage is not None:
        table = Table(
            title="Test images with a copy in training", note=_LEAKAGE,
            frame=audit.leakage, percent=["share", "share of same group"],
            bars=["share"], detail_columns=["share of same group"],
        )  # fmt: skip
        blocks.append(table)
    blocks += control_tables(audit.controls)
    pairs = _worst_pairs(audit.pairs, audit.images, n_pairs)
    if len(pairs):
        title = f"{len(pairs):,} of {len(audit.pairs):,} pairs of copies"
        make = partial(_pair_cards, audit._sources, pairs)
        blocks.append(_report.Figure(title=title, note=_PAIRS, make_cards=make))
    used = audit.counts.any() | ~audit.counts.columns.str.endswith("unreadable")
    for title, note, frame in (
        ("Copies", _COPIES, audit.copies),
        ("Classes", "", audit.counts.loc[:, used]),
        ("Properties of the files", _FILES, audit.appearance),
    ):
        blocks.append(Table(title=title, note=note, frame=frame, is_detail=True))
    blocks.append(audit._computed_on())
    subtitle = f"{audit.protocol.data}. What these images give away before training."
    return Report("Audit of a data set", blocks, subtitle, [*_tiles(audit)])


def _tiles(audit):
    n_bad = int(audit.images["failure"].notna().sum())
    yield f"{len(audit.images):,}", "images", None
    if n_bad:
        yield f"{n_bad:,}", "cannot be read", "warning"
    if audit.leakage is None:
        n_distinct = int(audit.copies["distinct"].sum())
        yield f"{n_distinct:,}", "are left with one a group of copies", None
    elif not np.isnan(share := audit.leakage.loc[ALL, "share"]):
        tone = "severe" if share >= 0.01 else "warning" if share else "good"
        yield f"{share:.0%}", "of test images have a copy in training", tone
    n_differ = int(audit.pairs["labels_differ"].sum())
    tone = "severe" if n_differ else "good"
    yield f"{n_differ:,}", "pairs of copies with different labels", tone
    is_fair = ~audit.controls["protocol"].str.startswith("ungrouped")
    fair = audit.controls[is_fair & (audit.controls["task"] == "all classes")]
    if len(fair):
        best = fair.loc[fair["accuracy"].idxmax()]
        yield f"{best['accuracy']:.1%}", f"by {best['control']}, the best control", None


def _worst_pairs(pairs, images, n_pairs):
    """Return the pairs to look at: of each kind of trouble, the least similar first.

    One pair a group of copies. Different labels come first, then pairs across a split.
    """
    group = images.set_index(["split", "index"])["copy_group"]
    keys = pd.MultiIndex.from_frame(pairs[["split_i", "i"]])
    order = ["trouble", "kind"]
    ranked = pairs.assign(
        position=np.arange(len(pairs)),
        group=group.reindex(keys).to_numpy(),
        trouble=np.select([pairs["labels_differ"], pairs["crosses"]], [0, 1], 2),
        kind=pairs["kind"].map(KINDS.index),
    ).sort_values([*order, "similarity"], kind="stable")
    ranked = ranked.drop_duplicates("group")
    ranked["turn"] = ranked.groupby(order).cumcount()
    chosen = ranked.sort_values(["turn", *order], kind="stable").head(n_pairs)
    return pairs.iloc[chosen.sort_values(order, kind="stable")["position"]]


def _pair_cards(sources, pairs):
    """Return a card for each pair of copies; their images are read again."""
    cards = []
    for pair in pairs.to_dict("records"):
        words = f"{pair['kind']}, similarity {pair['similarity']:.3f}"
        words += ", different labels" if pair["labels_differ"] else ""
        words += ", across the split" if pair["crosses"] else ""
        tone = "severe" if pair["labels_differ"] or pair["crosses"] else None
        pictures = []
        for side in ("i", "j"):
            split = pair[f"split_{side}"]
            name = str(pair[f"name_{side}"]).replace("\\", "/").rsplit("/", 1)[-1]
            caption = f"{split}, {pair[f'label_{side}']}: {name}"
            pictures.append((small_picture(sources[split][pair[side]]), caption))
        cards.append((words.capitalize(), tone, pictures))
    return cards


def draw_audit(audit, ax=None):
    """Draw classes, copies, brightness and controls; return the four Axes."""
    if ax is None:
        options = {"figsize": (11.5, 8), "layout": "constrained"}
        _, ax = require_pyplot().subplots(2, 2, **options)
    axes = axes_row(ax, 4)
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
    light = readable.groupby("label")["brightness"].agg(list)
    if len(light):
        axes[2].violinplot(light.tolist(), showmedians=True, widths=0.8)
        axes[2].set_xticks(range(1, len(light) + 1), light.index.astype(str))
    axes[2].set(ylabel="Mean intensity (0 to 255)", title="Brightness, with medians")
    tables = control_tables(audit.controls)
    if tables:
        scores = pd.concat([table.frame[table.bars] for table in tables])
        tasks = [t.title.rpartition(", ")[2] for t in tables for _ in t.frame.index]
        scores.index = scores.index + "\n" + tasks
        options = {"color": _COLORS, "xlim": (0, 1)}
        _bars(scores, axes[3], "Accuracy of controls", "Accuracy", **options)
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
