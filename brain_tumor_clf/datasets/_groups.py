"""Groups of images that belong together, from a table or one label an image."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from brain_tumor_clf._validation import nearest_name
from brain_tumor_clf.exceptions import DatasetError

_N_NAMED = 5
_ALONE = "An image that belongs with no other has a group of its own."


def resolve_groups(groups, paths, bases):
    """Return the group of each image, by a CSV file, a DataFrame or an array.

    The column ``file`` is relative to the CSV's own folder or one of `bases`.
    """
    if isinstance(groups, (str, os.PathLike)):
        csv = Path(groups)
        table = _read_table(csv)
        return _groups_from_table(table, paths, [csv.parent, *bases], str(csv))
    if isinstance(groups, pd.DataFrame):
        return _groups_from_table(groups, paths, bases, "the groups table")
    return _groups_from_array(groups, len(paths))


def _read_table(csv):
    if not csv.is_file():
        raise DatasetError(f"groups={str(csv)!r}: there is no such file.")
    try:
        # Text, or "007" and "7" would become one group and "NA" none at all; as
        # objects, because file names need not be UTF-8.
        return pd.read_csv(
            csv,
            dtype=object,
            keep_default_na=False,
            encoding="utf-8-sig",
            encoding_errors="surrogateescape",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DatasetError(f"{csv} is not a CSV table: {error}") from error


def _groups_from_table(table, paths, bases, name):
    for column in ("file", "group"):
        if column not in table.columns:
            near = nearest_name(column, table.columns)
            hint = f" Is it {near!r}? Then rename that column." if near else ""
            raise DatasetError(
                f"{name} needs the columns 'file' and 'group', got "
                f"{list(map(str, table.columns))}.{hint}"
            )
    by_file = _group_by_file(table, name)
    keys = _best_keys(by_file, paths, bases, name)
    lacking = [p for p, key in zip(paths, keys, strict=True) if key not in by_file]
    if lacking:
        raise DatasetError(
            f"{name} lacks {len(lacking)} of {len(paths)} images: {_some(lacking)}. "
            f"Give each image a row. {_ALONE}"
        )
    return np.asarray([by_file[key] for key in keys])


def _group_by_file(table, name):
    by_file, empty = {}, []
    for file, group in zip(table["file"], map(_trim, table["group"]), strict=True):
        file = str(file).strip().replace("\\", "/").removeprefix("./")
        if pd.isna(group) or group == "":
            empty.append(file)
        elif by_file.setdefault(file, group) != group:
            raise DatasetError(
                f"{name} puts {file} into two groups, {by_file[file]!r} and {group!r}."
            )
    if empty:
        raise DatasetError(
            f"{name} has no group in {len(empty)} rows: {_some(empty)}. {_ALONE}"
        )
    return by_file


def _trim(group):
    """Return a group's name without the spaces around it, which nobody sees."""
    return group.strip() if isinstance(group, str) else group


def _best_keys(by_file, paths, bases, name):
    """Return the table's name for each image, under the base that explains the most."""
    # As text: 7,000 `Path.relative_to` take longer than listing the folders.
    names = [os.path.abspath(path).replace(os.sep, "/") for path in paths]
    roots = dict.fromkeys(Path(os.path.abspath(base)).as_posix() for base in bases)
    by_base = [
        [name.removeprefix(root.rstrip("/") + "/") for name in names] for root in roots
    ]
    best = max(by_base, key=lambda keys: sum(key in by_file for key in keys))
    if by_file.keys().isdisjoint(best):
        example = next(iter(by_file), "no row at all")
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
    if pd.isna(groups).any():
        n_missing = int(pd.isna(groups).sum())
        raise DatasetError(f"groups has no label for {n_missing} images. {_ALONE}")
    return np.asarray([_trim(group) for group in groups.tolist()])


def _some(names):
    more = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + more
