"""A DatasetAudit as data, text and page."""

import numpy as np
import pandas as pd

from brain_tumor_clf.reports import _html
from brain_tumor_clf.reports._audit_tables import ALL, worst_pairs
from brain_tumor_clf.reports._markdown import markdown_table
from brain_tumor_clf.reports._scan import read_for_display

_PICTURE_SIDE = 240
_NOTES = {
    "leakage": "A test image counts once, with its worst kind of copy: equal in every "
    "pixel, near (re-encoded, resized, brighter), or mirrored. The same group is a "
    "copy, a copy of a copy, or a patient where both sides name them.",
    "controls": "Classifiers that see almost nothing of a tumor. What they score, the "
    "data give away for free; a model has shown nothing until it scores more. "
    '"Commonest" is the accuracy of always naming the commonest class.',
    "copies": "Images with a copy in their own split, by worst kind. Distinct: how "
    "many would be left with one a group of copies.",
    "pairs": "Of each kind the least similar first, so that you can judge where "
    "copies end and scans that only look alike begin. One pair a group.",
    "appearance": "Where classes differ in these, a model can tell them by their "
    "source. Brightness is the mean grey level, 0 to 255.",
}


def to_dict(audit):
    """Plain data for JSON; what is not defined is None."""
    unreadable = audit.to_frame("unreadable")
    return {
        "protocol": audit.protocol.to_dict(),
        "healthy": _plain(audit.healthy),
        "findings": [finding._asdict() for finding in audit.findings],
        "counts": _records(audit.counts),
        "unreadable": _records(unreadable[["split", "index", "name", "failure"]]),
        "appearance": _records(audit.appearance),
        "copies": _records(audit.copies),
        "n_pairs": len(audit.pairs),
        "n_pairs_of_different_labels": int(audit.pairs["labels_differ"].sum()),
        "leakage": _records(audit.leakage),
        "controls": _records(audit.controls),
    }


def to_markdown(audit):
    """The audit as Markdown."""
    parts = ["# Audit of a data set", "## Findings"]
    for finding in audit.findings:
        parts.append(f"**{finding.severity.capitalize()}: {finding.title}**")
        parts += [finding.detail] if finding.detail else []
        parts += [f"```python\n{finding.fix}\n```"] if finding.fix else []
    for title, name, table, percent in _tables(audit):
        shown = table.copy()
        for column in percent:
            shown[column] = [
                "-" if pd.isna(v) else f"{100 * v:.1f} %" for v in shown[column]
            ]
        if isinstance(shown.index, pd.RangeIndex):
            shown = shown.set_index(shown.columns[0])
        parts += [f"## {title}", _NOTES.get(name, ""), markdown_table(shown, digits=1)]
    parts += ["## Computed on", audit.protocol.to_markdown()]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_html(audit, path, n_pairs):
    """The audit as one HTML page."""
    blocks = [_tiles(audit), _html.section("Findings", _findings(audit))]
    sections = {name: block for name, block in _sections(audit)}
    blocks += [sections[name] for name in ("leakage", "controls") if name in sections]
    blocks += _gallery(audit, n_pairs)
    others = ("copies", "counts", "appearance", "unreadable")
    blocks += [sections[name] for name in others if name in sections]
    blocks.append(_html.section("Computed on", _html.facts(audit.protocol.rows())))
    page = _html.page(
        "Audit of a data set",
        blocks,
        subtitle=f"{audit.protocol.data}. What these images give away before anything "
        "is trained on them.",
    )
    return _html.write_page(page, path)


def to_fragment(audit):
    """What a notebook shows: figures, findings and the two tables that matter most."""
    sections = {name: block for name, block in _sections(audit)}
    blocks = [_tiles(audit), _findings(audit)]
    blocks += [sections[name] for name in ("leakage", "controls") if name in sections]
    return _html.fragment("Audit of a data set", blocks)


def _tables(audit):
    """Title, name, table and columns of shares, in the order of reading."""
    if audit.leakage is not None:
        shares = ["share", "share of same group"]
        yield "Test images that training has seen", "leakage", audit.leakage, shares
    if len(audit.controls):
        names = {"balanced_accuracy": "balanced", "majority": "commonest"}
        table = audit.controls.rename(columns=names)
        shares = ["accuracy", "balanced", "commonest"]
        yield "Controls", "controls", table, shares
    yield "Copies", "copies", audit.copies, []
    counts = audit.counts.loc[:, [
        name for name in audit.counts
        if not name.endswith("unreadable") or audit.counts[name].any()
    ]]  # fmt: skip
    yield "Classes", "counts", counts, []
    if len(audit.appearance):
        yield "What files look like", "appearance", audit.appearance, []
    unreadable = audit.to_frame("unreadable")
    if len(unreadable):
        columns = ["name", "split", "index", "failure"]
        yield "Images that cannot be read", "unreadable", unreadable[columns], []


def _sections(audit):
    for title, name, table, percent in _tables(audit):
        bars = [c for c in percent if c in ("share", "accuracy")]
        index = not isinstance(table.index, pd.RangeIndex) and name != "unreadable"
        block = _html.table(table, percent=percent, bars=bars, index=index)
        yield name, _html.section(title, block, note=_NOTES.get(name, ""))


def _tiles(audit):
    n = len(audit.images)
    n_bad = int(audit.images["failure"].notna().sum())
    n_distinct = int(audit.copies["distinct"].sum())
    entries = [(f"{n:,}", "images", None)]
    if n_bad:
        entries.append((f"{n_bad:,}", "cannot be read", "warning"))
    if audit.leakage is not None:
        share = audit.leakage.loc[ALL, "share"]
        if not np.isnan(share):
            tone = "severe" if share >= 0.01 else "warning" if share else "good"
            entries.append(
                (f"{share:.0%}", "of test images have a copy in training", tone)
            )
    else:
        entries.append((f"{n_distinct:,}", "are left with one a group of copies", None))
    n_differ = int(audit.pairs["labels_differ"].sum())
    entries.append(
        (f"{n_differ:,}", "pairs of copies with different labels",
         "severe" if n_differ else "good")
    )  # fmt: skip
    fair = audit.controls[
        (audit.controls["task"] == "all classes")
        & ~audit.controls["protocol"].str.startswith("ungrouped")
    ]
    if len(fair):
        best = fair.loc[fair["accuracy"].idxmax()]
        entries.append(
            (f"{best['accuracy']:.1%}", f"by {best['control']}, the best control", None)
        )
    return _html.tiles(entries)


def _findings(audit):
    return _html.findings([tuple(finding) for finding in audit.findings])


def _gallery(audit, n_pairs):
    chosen = worst_pairs(audit.pairs, audit.images, n_pairs)
    if len(chosen) == 0:
        return []
    entries = []
    for pair in chosen.to_dict("records"):
        words = [f"{pair['kind']}, similarity {pair['similarity']:.3f}"]
        words += ["different labels"] if pair["labels_differ"] else []
        words += ["across the split"] if pair["crosses"] else []
        tone = "severe" if pair["labels_differ"] or pair["crosses"] else None
        sides = [_side(audit, pair, side) for side in ("i", "j")]
        entries.append((", ".join(words).capitalize(), tone, sides))
    title = f"{len(chosen):,} of {len(audit.pairs):,} pairs of copies"
    return [_html.section(title, _html.gallery(entries), note=_NOTES["pairs"])]


def _side(audit, pair, side):
    split = pair[f"split_{side}"]
    picture = read_for_display(audit._sources[split][pair[side]], _PICTURE_SIDE)
    name = str(pair[f"name_{side}"]).replace("\\", "/").rsplit("/", 1)[-1]
    return picture, f"{split}, {pair[f'label_{side}']}: {name}"


def _records(table):
    if table is None:
        return None
    if not isinstance(table.index, pd.RangeIndex) and table.index.name:
        table = table.reset_index()
    return [
        {str(key): _plain(value) for key, value in row.items()}
        for row in table.to_dict("records")
    ]


def _plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return None if np.isnan(value) else value
    return str(value)
