"""Groups of images that belong together, from a table or one label per image."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from brain_tumor_clf.datasets._table import (
    ALONE,
    as_column,
    check_columns,
    normalize_path,
    read_table,
    some,
    trim,
)
from brain_tumor_clf.exceptions import DatasetError


def resolve_groups(groups, paths, bases):
    """Return a DataFrame of each image's group and the table's further columns.

    `groups` is a CSV file, a DataFrame or an array. The column ``file`` is relative to
    the CSV's own folder or one of `bases`.
    """
    if isinstance(groups, (str, os.PathLike)):
        return _groups_from_table(
            read_table(groups), paths, [Path(groups).parent, *bases], str(groups)
        )
    if isinstance(groups, pd.DataFrame):
        return _groups_from_table(groups, paths, bases, "the groups table")
    return _groups_from_array(groups, len(paths))


def _groups_from_table(table, paths, bases, name):
    check_columns(table, ["file", "group"], name)
    file = as_column(map(normalize_path, trim(table["file"])))
    group = as_column(trim(table["group"]))
    empty = file[group == ""].tolist()
    if empty:
        raise DatasetError(
            f"{name} has no group in {len(empty)} rows: {some(empty)}. {ALONE}"
        )
    rows = table.reset_index(drop=True).assign(file=file, group=group)
    row_of = _find_first_rows(rows, name)
    keys = _best_keys(row_of, paths, bases, name)
    lacking = [p for p, key in zip(paths, keys, strict=True) if key not in row_of]
    if lacking:
        raise DatasetError(
            f"{name} lacks {len(lacking)} of {len(paths)} images: {some(lacking)}. "
            f"Give each image a row. {ALONE}"
        )
    rows = rows.iloc[[row_of[key] for key in keys]].reset_index(drop=True)
    return rows[["group", *rows.columns.drop(["file", "group"])]]


def _find_first_rows(rows, name):
    """Return the first row of each file, which further rows must not contradict."""
    # Not by pandas' hashing: file names need not be UTF-8.
    row_of = {}
    for row, file in enumerate(rows["file"]):
        if row_of.setdefault(file, row) == row:
            continue
        first, other = rows.iloc[row_of[file]], rows.iloc[row]
        for column in ("group", *rows.columns):
            if str(first[column]) != str(other[column]):
                what = "groups" if column == "group" else f"values of {column!r}"
                raise DatasetError(
                    f"{name} gives {file} two {what}, {first[column]!r} and "
                    f"{other[column]!r}."
                )
    return row_of


def _best_keys(row_of, paths, bases, name):
    """Return the table's name for each image, under the base that explains the most."""
    # As text: 7,000 `Path.relative_to` take longer than listing the folders.
    names = [os.path.abspath(path).replace(os.sep, "/") for path in paths]
    roots = dict.fromkeys(Path(os.path.abspath(base)).as_posix() for base in bases)
    by_base = [
        [name.removeprefix(root.rstrip("/") + "/") for name in names] for root in roots
    ]
    best = max(by_base, key=lambda keys: sum(key in row_of for key in keys))
    if row_of.keys().isdisjoint(best):
        example = next(iter(row_of), "no row at all")
        raise DatasetError(
            f"{name} names none of the {len(paths)} images. Its first file is "
            f"{example!r}, the first image {paths[0]!r}; 'file' is relative to the "
            "folder that the table lies in."
        )
    return best


def _groups_from_array(groups, n_images):
    groups = np.asarray(groups)
    if groups.shape != (n_images,):
        raise DatasetError(
            f"groups must hold one label for each of the {n_images} images, in sorted "
            f"order of their paths, got shape {groups.shape}."
        )
    n_missing = int(pd.isna(groups).sum())
    if n_missing:
        raise DatasetError(f"groups has no label for {n_missing} images. {ALONE}")
    return pd.DataFrame({"group": as_column(trim(groups.tolist()))})
