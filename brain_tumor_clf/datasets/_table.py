"""Read a table of scans: path, label, group and whatever else is known of each."""

import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from brain_tumor_clf._validation import nearest_name
from brain_tumor_clf.exceptions import DatasetError

ALONE = "An image that belongs with no other has a group of its own."
_N_NAMED = 5
_SAVE = "Save the table as CSV in UTF-8."
# Not "007", which is a name, nor more digits than a float holds.
_NUMBER = r"-?(0|[1-9]\d{0,14})(\.\d+)?(e[+-]?\d+)?"
# Bytes that are not UTF-8, as they were read, and those of no text at all.
_NO_TEXT = re.compile("[\ud800-\udfff\0]")


def load_mri_table(csv, root=None):
    """Load scans of any number of sources from a table with one row per image.

    As with :func:`load_mri_folder`, no image is opened.

    Parameters
    ----------
    csv : path-like or DataFrame
        A table with the columns ``path`` (or ``file``) and ``label``. A column
        ``group`` says which images belong together (of one patient, or copies of each
        other). Further columns, such as source, sequence, plane, age and sex, are
        kept. A CSV file is UTF-8 and separated by commas. Spaces around a path, label
        or group do not count.
    root : path-like, default=None
        The folder that paths are relative to. With None, the folder that the CSV file
        lies in, and for a DataFrame the current folder.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As :func:`load_mri_folder` returns it but for ``ignored``, in the order of the
        rows. Further columns of ``frame`` that come from a CSV file are numeric where
        every entry is a plain number, otherwise text; empty entries are missing values.

    Raises
    ------
    DatasetError
        If the table cannot be read, lacks a column or has no rows; if a path, label or
        group is empty, a file does not exist, or two rows name the same file; if a
        label or a further column is not UTF-8. The message names the rows; row 1 is
        the first below the header.

    See Also
    --------
    load_mri_folder : Load a folder that holds a sub-folder for each class.
    leave_one_source_out : Test on each source after training on the others.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from brain_tumor_clf import load_mri_table, write_brain_mri
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_brain_mri(folder, n_samples=8, image_size=32, random_state=0)
    ...     scans = load_mri_table(Path(folder) / "groups.csv")
    >>> list(scans.frame.columns), scans.data.shape
    (['path', 'label', 'group', 'plane'], (8,))
    """
    if isinstance(csv, pd.DataFrame):
        table, name, folder = csv.reset_index(drop=True), "the table", os.curdir
    elif not isinstance(csv, str | os.PathLike):
        raise TypeError(
            f"csv must be the path of a table or a DataFrame, got {type(csv).__name__}."
        )
    else:
        table, name, folder = read_table(csv), str(csv), Path(csv).parent
    if "path" not in table.columns:
        table = table.rename(columns={"file": "path"})
    check_columns(table, ["path", "label"], name)
    if table.empty:
        raise DatasetError(f"{name} has a header and no rows.")
    root = folder if root is None else root
    known = [column for column in ("path", "label", "group") if column in table.columns]
    frame = pd.DataFrame({column: as_column(trim(table[column])) for column in known})
    for column in known:
        hint = f" {ALONE}" if column == "group" else ""
        rows = np.flatnonzero(frame[column] == "")
        _refuse(f"{name} has no {column} in", rows, frame["path"], hint)
    frame["label"] = frame["label"].astype(str)
    frame["path"] = _find_files(frame["path"], root, name)
    frame = frame.join(table.drop(columns=known))
    return as_bunch(frame, sorted(set(frame["label"])), f" of {name}")


def _find_files(paths, root, name):
    """Return full paths of the files of a table; each must exist and be named once."""
    full = as_column(str(Path(root, normalize_path(path))) for path in paths)
    missing = [row for row, path in enumerate(full) if not os.path.isfile(path)]
    hint = f" Paths start from {str(root)!r}."
    _refuse(f"{name} names files that do not exist in", missing, paths, hint)
    places = [os.path.abspath(path) for path in full]
    counts = Counter(places)
    twice = [row for row, place in enumerate(places) if counts[place] > 1]
    _refuse(f"{name} names a file more than once in", twice, paths)
    return full


def _refuse(problem, rows, paths, hint=""):
    """Raise an error that names the rows, if there are any."""
    if len(rows):
        named = [f"row {row + 1} ({paths[row]})" for row in rows]
        count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
        raise DatasetError(f"{problem} {count}: {some(named)}.{hint}")


def read_table(csv):
    """Return a CSV file as a DataFrame whose path, label and group are text."""
    if Path(csv).is_dir():
        raise DatasetError(f"{os.fspath(csv)!r} is a folder, not a CSV table.")
    if not Path(csv).is_file():
        raise DatasetError(f"{os.fspath(csv)!r}: there is no such file.")
    try:
        # Text, or "007" and "7" would become one group and "NA" none at all; as
        # objects, because file names need not be UTF-8.
        table = pd.read_csv(
            csv,
            dtype=object,
            keep_default_na=False,
            encoding="utf-8-sig",
            encoding_errors="surrogateescape",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DatasetError(f"{csv} is not a CSV table: {str(error).strip()}") from error
    except UnicodeEncodeError as error:
        raise DatasetError(f"{csv}: its header is not UTF-8. {_SAVE}") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise DatasetError(f"{csv}: its rows have more entries than its header.")
    table.columns = table.columns.str.strip()
    _check_utf8(pd.Series(table.columns), f"{csv}: its header")
    table = table.fillna("")
    for column in table.columns.difference(["file", "path", "group"]):
        _check_utf8(table[column], f"{csv}: column {column!r}")
        if column != "label":
            table[column] = _infer(table[column])
    return table


def _check_utf8(column, where):
    """Refuse texts that are of another encoding, or of no text file at all."""
    wrong = [f"row {i} ({x!r})" for i, x in enumerate(column, 1) if _NO_TEXT.search(x)]
    if wrong:
        raise DatasetError(f"{where} is not UTF-8: {some(wrong)}. {_SAVE}")


def _infer(column):
    """Return numbers if every entry that is not empty is one, else text."""
    filled = column[column != ""]
    if len(filled) and filled.str.fullmatch(_NUMBER).all():
        return pd.to_numeric(filled).reindex(column.index)
    return filled.astype("str").reindex(column.index)


def check_columns(table, names, what):
    """Raise an error unless a table has all of `names`, and no column twice.

    It names a similar column for each one that the table lacks.
    """
    twice = table.columns[table.columns.duplicated()].unique()
    if len(twice):
        raise DatasetError(
            f"{what} has more than one column {', '.join(map(repr, twice))}. Rename or "
            "remove all but one."
        )
    missing = [column for column in names if column not in table.columns]
    if not missing:
        return
    others = [str(column) for column in table.columns if column not in names]
    near = {column: nearest_name(column, others) for column in missing}
    hints = [
        f" Is {found!r} the column {column!r}? Then rename it."
        for column, found in near.items()
        if found
    ]
    if len(table.columns) == 1 and re.search(r"[;\t|]", str(table.columns[0])):
        hints = [" Its columns must be separated by commas."]
    raise DatasetError(
        f"{what} needs the columns {' and '.join(map(repr, names))}, got "
        f"{list(map(str, table.columns))}.{''.join(hints)}"
    )


def normalize_path(path):
    """Return a path in a table with forward slashes."""
    return str(path).replace("\\", "/").removeprefix("./")


def some(names):
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + more


def trim(entries):
    """Return names without the spaces around them, and empty ones where missing."""
    entries = ["" if pd.isna(entry) else entry for entry in entries]
    return [x.strip() if isinstance(x, str) else x for x in entries]


def as_column(entries):
    """Return a column of names or numbers: pandas' own strings must be UTF-8."""
    entries = list(entries)
    try:
        "".join(map(str, entries)).encode()
    except UnicodeEncodeError:
        return pd.Series(entries, dtype=object)
    return pd.Series(entries)


def as_bunch(frame, target_names, origin, **more):
    """Return what a loader returns for a table of path, label and perhaps group."""
    groups = frame["group"].to_numpy() if "group" in frame.columns else None
    counts = frame["label"].value_counts().sort_index()
    per_class = ", ".join(f"{n} {label}" for label, n in counts.items())
    known = ", groups unknown" if groups is None else f" in {len(set(groups))} groups"
    return Bunch(
        data=frame["path"].to_numpy(dtype=object),
        target=np.asarray(frame["label"], dtype=str),
        target_names=target_names,
        groups=groups,
        frame=frame,
        DESCR=f"{len(frame)} images{known}{origin}: {per_class}.",
        **more,
    )
