"""Scores by subgroup: by source, sequence, or whatever else splits the images."""

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.utils.validation import check_consistent_length

from brain_tumor_clf.reports import _render, _scores
from brain_tumor_clf.reports._report import Table

MIN_GROUPS = 5  # a subgroup of fewer has no intervals
UNKNOWN = "not known"
RANKED_BY = "balanced_accuracy"
_MAX_NUMBERS = 20  # different numbers in a column that is taken for categories
_MAX_NAMED = 12  # of subgroups that are too small; the tables have them all
_ON_TERMINALS = ("balanced_accuracy", "tumor_miss_rate", "false_alarm_rate")
_SIZE, _CLASSES = ["images", "groups"], ["classes absent", "classes of one group"]
_SCORED = ["score", "value", "low", "high", "interval"]
_RULE = (
    "Subgroups of fewer than {} {} have no intervals and are not ranked. Means over "
    "classes are of those that occur in the subgroup; where one of these is a single "
    "group, intervals are too narrow. Kinds of interval: {}."
)


def check_subgroups(subgroups, n):
    """Return columns of subgroups as a table of text."""
    if isinstance(subgroups, pd.Series):
        subgroups = {subgroups.name or "subgroup": subgroups}
    elif not hasattr(subgroups, "keys"):
        raise TypeError("subgroups must be a DataFrame or a dict of columns.")
    columns = {}
    for name in subgroups:
        values = pd.Series(subgroups[name]).reset_index(drop=True).convert_dtypes()
        check_consistent_length(range(n), values)
        is_number = is_numeric_dtype(values) and not is_bool_dtype(values)
        if is_number and values.nunique() > _MAX_NUMBERS:
            raise ValueError(
                f"The column {name!r} of subgroups holds {values.nunique()} different "
                f"numbers. Make categories of it: pandas.cut(frame[{name!r}], 4)."
            )
        columns[str(name)] = values.astype(object).where(values.notna(), UNKNOWN)
    if not columns:
        raise ValueError("subgroups must hold at least one column, got none.")
    return pd.DataFrame(columns).astype(str)


def subgroup_table(predictions, groups, frame, **options):
    """Return every score of every subgroup: a row for each column, subgroup and score.

    Combinations of several columns are one more column. `options` are those of
    `bootstrap_interval`.
    """
    if frame.shape[1] > 1:
        frame = frame.assign(**{" x ".join(frame): frame.agg(" x ".join, axis=1)})
    parts = [
        _score_part(predictions, groups, at, options).assign(
            column=name, subgroup=value
        )
        for name in frame
        for value, at in frame.groupby(name).indices.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[["column", "subgroup", *_SIZE, *_CLASSES, *_SCORED]]


def _score_part(predictions, groups, at, options):
    """Return the scores of the images at some positions, and what they are of."""
    p, groups = predictions.take(at), None if groups is None else groups[at]
    n_units = len(at) if groups is None else len(np.unique(groups))
    is_small = n_units < MIN_GROUPS
    if is_small:
        options = options | {"n_resamples": 0}
    table = _scores.score_table(p, groups=groups, by_class=True, **options)
    if is_small:
        table[["low", "high"]], table["interval"] = np.nan, "none"
    table = table.reset_index()
    table["images"], table["groups"] = len(at), np.nan if groups is None else n_units
    n_groups = pd.Series(range(len(at)) if groups is None else groups).groupby(p.true)
    n_groups = n_groups.nunique().reindex(range(len(p.classes)), fill_value=0)
    for name, n in (("classes absent", 0), ("classes of one group", 1)):
        table[name] = ", ".join(map(str, p.classes[n_groups == n]))
    return table


def find_worst(table, *, joint=False):
    """Return the row of the lowest balanced accuracy, or None if none is ranked.

    Of subgroups of single columns, or else of their combinations.
    """
    rows = table[table["score"] == RANKED_BY]
    rows = rows[(rows["column"] == _joint_column(table)) == joint]
    rows = rows[_n_units(rows) >= MIN_GROUPS]
    return rows.loc[rows["value"].idxmin()] if len(rows) else None


def note_worst(table, overall):
    """Yield lines on the worst subgroups, and on those too small to be ranked."""
    score = RANKED_BY.replace("_", " ")
    for what, joint in (("subgroup", False), ("combination", True)):
        row = find_worst(table, joint=joint)
        if row is not None:
            value = _render.Estimate(row["value"], row["low"], row["high"]).text(3)
            absent = row["classes absent"]
            yield (
                f"Worst {what}: {row['column']} {row['subgroup']}, {score} {value}, "
                f"{_size(row)}; all images {overall:.3f}."
                + (f" It has no image of {absent}." if absent else "")
            )
    small = table[_n_units(table) < MIN_GROUPS].drop_duplicates(["column", "subgroup"])
    if len(small):
        is_joint = small["column"] == _joint_column(table)
        rows = small[~is_joint].to_dict("records")
        named = [f"{row['column']} {row['subgroup']} ({_size(row)})" for row in rows]
        n_more = len(named) - _MAX_NAMED
        named = named[:_MAX_NAMED] + ([f"{n_more:,} more"] if n_more > 0 else [])
        named += [_count(is_joint.sum(), "combination")] if is_joint.any() else []
        yield f"Too small for intervals, and not ranked: {', '.join(named)}."


def _joint_column(table):
    """Return the column of combinations, which is the last of several, or None."""
    columns = table["column"].unique()
    return columns[-1] if len(columns) > 1 else None


def _n_units(rows):
    return rows["groups"].fillna(rows["images"])


def _size(row):
    groups = "" if pd.isna(row["groups"]) else f" of {_count(row['groups'], 'group')}"
    return _count(row["images"], "image") + groups


def _count(n, what):
    return f"{n:,.0f} {what}{'s' if n != 1 else ''}"


def _score_order(name):
    """Return the place of a score in a table: sensitivities last, by class."""
    names = [*dict.fromkeys([*_ON_TERMINALS, *_scores.SCORE_NAMES])]
    return (names.index(name) if name in names else len(names), name)


def subgroup_blocks(table):
    """Yield a table of each column of subgroups, one row a subgroup."""
    unit = "images" if table["groups"].isna().all() else "groups"
    note = _RULE.format(MIN_GROUPS, unit, ", ".join(pd.unique(table["interval"])))
    joint = _joint_column(table)
    for name, rows in table.groupby("column", sort=False):
        scores = sorted(rows["score"].unique(), key=_score_order)
        rows = rows.assign(estimate=_render.estimates(rows))
        wide = rows.pivot(index="subgroup", columns="score", values="estimate")
        about = rows.drop_duplicates("subgroup").set_index("subgroup")
        classes = about[_CLASSES].map(lambda names: names or np.nan)
        frame = about[_SIZE].join([wide[scores], classes])
        frame = frame.dropna(axis="columns", how="all")
        frame.index.name = name if name not in frame else "subgroup"
        is_detail = ~frame.columns.isin([*_SIZE, *_ON_TERMINALS])
        yield Table(
            title=f"Scores by {name}", note=note, frame=frame,
            detail_columns=frame.columns[is_detail], is_detail=name == joint,
        )  # fmt: skip
        note = ""
