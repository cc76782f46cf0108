"""A folder of scans with groups, and folds that keep them whole: used by programs."""

from pathlib import Path

from sklearn.model_selection import StratifiedGroupKFold

from brain_tumor_clf import load_mri_folder

N_FOLDS = 5


def load_grouped_scans(folder, groups=None):
    """Scans of a folder of classes, or of Training/ below it, with their groups.

    Parameters
    ----------
    folder : path
    groups : path, optional
        Table with the columns file and group; one in the folder is found by itself.

    Returns
    -------
    Bunch
        As of `load_mri_folder`.

    Raises
    ------
    SystemExit
        If no groups are found.
    """
    subset = "train" if (Path(folder) / "Training").is_dir() else None
    scans = load_mri_folder(folder, subset=subset, groups=groups)
    if scans.groups is None:
        raise SystemExit("Groups are needed: name a table with --groups.")
    return scans


def grouped_folds(scans, n_folds=N_FOLDS):
    """Positions to train and to test on of each fold, the same in every program."""
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
    return list(folds.split(scans.data, scans.target, scans.groups))
