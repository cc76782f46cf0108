"""Read a folder of scans: which image has which label, and which belong together."""

import os
import warnings
from pathlib import Path

import pandas as pd

from brain_tumor_clf._validation import check_choice, nearest_name
from brain_tumor_clf.datasets._class_folders import list_classes, sub_folders
from brain_tumor_clf.datasets._groups import resolve_groups
from brain_tumor_clf.datasets._table import as_bunch, as_column
from brain_tumor_clf.exceptions import DatasetError

SUBSETS = ("train", "test", "all")
_SPLIT_NAMES = {"train": ("training", "train"), "test": ("testing", "test")}
_GROUPS_FILE = "groups.csv"


def load_mri_folder(path, subset=None, groups=None, classes=None):
    """Load a folder that holds one sub-folder of scans for each class.

    No image is opened: the result holds paths, which scikit-learn splits, clones
    and pickles for free and the package's pipelines read.

    Parameters
    ----------
    path : path-like
        A folder of class sub-folders, or a folder that holds ``Training`` and
        ``Testing`` (or ``train`` and ``test``, in any case) with class sub-folders
        in each. Images may lie in sub-folders of a class. Files named jpg, jpeg,
        png, bmp, tif, tiff, webp or dcm in any case are images, and so is any file
        that is DICOM by its content. Hidden files and folders
        (``.ipynb_checkpoints``, ``.DS_Store``, ``Thumbs.db``) are never counted.
    subset : {"train", "test", "all"}, default=None
        Which part of a folder that holds ``Training`` and ``Testing`` to load. It
        must be given for such a folder, and only for such a folder.
    groups : path-like, DataFrame or array-like of shape (n,), default=None
        Which images belong together (of one patient, or copies of each other). A
        CSV file or DataFrame has the columns ``file`` (path relative to the folder
        that the CSV lies in, or to `path`) and ``group``; further columns are kept.
        An array holds one label an image, in sorted order of their paths. With None,
        a ``groups.csv`` beside the class folders, or beside ``Training``, is used
        if there is one. Spaces around a name do not count.
    classes : sequence of str, default=None
        Names of the sub-folders that are classes; others are left out. With None all
        are, unless some cannot be: see `DatasetError` below.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n,), dtype object
            Paths of the images as strings, sorted.
        target : ndarray of shape (n,), dtype str
            Class of each image.
        target_names : list of str
            Class names, sorted.
        groups : ndarray of shape (n,) or None
            Group of each image, None where nothing names them.
        frame : DataFrame of n rows
            Columns ``path`` and ``label``, ``group`` where groups are known, further
            columns of the table of groups as :func:`load_mri_table` has them, and
            ``split`` (``"train"`` or ``"test"``) with ``subset="all"``. Labels and
            splits are those of the folders, whatever the table says.
        ignored : list of str
            Files that are no images, images outside of a class folder, and folders
            beside ``Training`` and ``Testing``. A warning names them too.
        DESCR : str
            What was loaded, in words.

    Raises
    ------
    DatasetError
        If the folder is missing, empty, no folder, or holds a single class; if a
        class folder holds no image, holds another class folder, or does not look like
        a class (``pred``, ``masks``) and `classes` does not name it; if `subset` is
        missing or out of place; if `groups` does not give every image one group.
    ValueError
        If `subset` is unknown.

    Warns
    -----
    UserWarning
        If files or folders were left out.

    See Also
    --------
    load_mri_table : Load a table of scans, wherever the files lie.

    Examples
    --------
    >>> import tempfile
    >>> from brain_tumor_clf import load_mri_folder, write_brain_mri
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_brain_mri(folder, n_samples=8, image_size=32, random_state=0)
    ...     scans = load_mri_folder(folder)
    >>> scans.target_names
    ['glioma', 'meningioma', 'notumor', 'pituitary']
    >>> scans.data.shape, scans.target.shape, scans.groups.shape
    ((8,), (8,), (8,))
    """
    if subset is not None:
        check_choice("subset", subset, SUBSETS)
    folder = _check_folder(path)
    roots, ignored = _split_roots(folder, subset, classes)
    rows, names_by_root = [], {}
    for split, root in roots:
        found, left_out = list_classes(root, classes)
        ignored += left_out
        found = {_as_text(name): files for name, files in found.items()}
        names_by_root[root] = sorted(found)
        rows += [(str(f), label, split) for label in found for f in found[label]]
    names = _check_same_classes(names_by_root)
    _warn_ignored(folder, ignored)

    path, label, split = zip(*sorted(rows), strict=True)
    frame = pd.DataFrame({"path": as_column(path), "label": label})
    source = _find_groups_file(folder, roots) if groups is None else groups
    if source is not None:
        bases = [folder, *(root.parent for _, root in roots)]
        more = resolve_groups(source, path, bases)
        own = ["path", "label", "split"] if subset == "all" else ["path", "label"]
        frame = frame.join(more.drop(columns=own, errors="ignore"))
    if subset == "all":
        frame["split"] = split
    part = f", subset {subset!r}" if subset else ""
    return as_bunch(frame, names, f" of {folder}{part}", ignored=ignored)


def _as_text(name):
    """Return a folder's name as a label: what is not valid UTF-8 becomes escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def has_subsets(path):
    """Return whether a folder holds ``Training`` or ``Testing``: one must be chosen."""
    return bool(_find_splits(sub_folders(_check_folder(path))))


def _check_folder(path):
    folder = Path(path)
    if not folder.exists():
        raise DatasetError(f"There is no folder {str(folder)!r}. {_nearest(folder)}")
    if not folder.is_dir():
        raise DatasetError(
            f"{str(folder)!r} is a file; expected a folder with one sub-folder of "
            "images for each class (unpack an archive first)."
        )
    return folder


def _nearest(missing):
    """Say how far a path leads, and what there is most like its next part."""
    missing = Path(os.path.abspath(missing))
    last = next(folder for folder in missing.parents if folder.is_dir())
    wanted = missing.relative_to(last).parts[0]
    near = nearest_name(wanted, [child.name for child in sub_folders(last)])
    hint = f"; did you mean {near!r}?" if near else "."
    return f"{str(last)!r} holds no {wanted!r}{hint}"


def _find_splits(children):
    """Return the folders that are a split, by split."""
    by_split = {
        split: [child for child in children if child.name.lower() in names]
        for split, names in _SPLIT_NAMES.items()
    }
    return {split: roots for split, roots in by_split.items() if roots}


def _split_roots(folder, subset, classes):
    """Return the folders that hold the class folders, each with its split."""
    children = sub_folders(folder)
    found = _find_splits(children)
    if not found:
        _refuse_unneeded_subset(folder, subset, children, classes)
        return [(None, folder)], []
    for split, roots in found.items():
        if len(roots) > 1:
            raise DatasetError(
                f"{str(folder)!r} holds {' and '.join(r.name for r in roots)}: which "
                f"one is subset={split!r}? Rename the other or load its path."
            )
    known = [roots[0] for roots in found.values()]
    there = " and ".join(sorted(root.name for root in known))
    if subset is None:
        raise DatasetError(
            f"{str(folder)!r} holds {there}: say which to load with subset='train', "
            "subset='test' or subset='all'."
        )
    if subset != "all" and subset not in found:
        raise DatasetError(
            f"subset={subset!r}: {str(folder)!r} holds {there} but no folder "
            f"{' or '.join(_SPLIT_NAMES[subset])}."
        )
    wanted = found if subset == "all" else {subset: found[subset]}
    others = [str(child) for child in children if child not in known]
    return [(split, roots[0]) for split, roots in wanted.items()], others


def _refuse_unneeded_subset(folder, subset, children, classes):
    if subset is not None:
        raise DatasetError(
            f"subset={subset!r}, but {str(folder)!r} holds no Training and Testing "
            f"(got {[child.name for child in children][:8]}). Leave subset out to load "
            "all of it."
        )
    for child in children if classes is None else ():
        # "Training set" is no class, and reading it as one would go unnoticed.
        if child.name.lower().startswith(("train", "test", "valid")):
            raise DatasetError(
                f"{child.name!r} in {str(folder)!r} looks like a split, not like a "
                "class. Rename it to Training or Testing, or load its path."
            )


def _check_same_classes(names_by_root):
    first, *others = names_by_root.items()
    for root, names in others:
        if names != first[1]:
            raise DatasetError(
                f"{first[0].name} and {root.name} hold different classes: {first[1]} "
                f"and {names}. Rename or add the folders that differ."
            )
    return first[1]


def _find_groups_file(folder, roots):
    places = [folder, *(root for _, root in roots)]
    # A split loaded by its own path: the table lies beside it.
    resolved = Path(os.path.abspath(folder))
    if _find_splits([resolved]):
        places.append(resolved.parent)
    tables = [place / _GROUPS_FILE for place in dict.fromkeys(places)]
    return next((table for table in tables if table.is_file()), None)


def _warn_ignored(folder, ignored):
    if ignored:
        some = ", ".join(ignored[:5]) + (", …" if len(ignored) > 5 else "")
        warnings.warn(
            f"{len(ignored)} files or folders of {str(folder)!r} are no images of a "
            f"class and were left out: {some}. All of them are in `ignored`.",
            UserWarning,
            stacklevel=3,
        )
