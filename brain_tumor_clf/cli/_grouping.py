"""What a cross-validation keeps whole: groups given, near duplicates, or nothing."""

from dataclasses import dataclass, replace

from brain_tumor_clf.cli._console import note, print_warning
from brain_tumor_clf.cli._options import describe_data

_NEAR = "near duplicates, mirror images included; patients are not known"


@dataclass
class Grouping:
    """Groups of scans, and what a report must say of them.

    Attributes
    ----------
    labels : ndarray of shape (n,) or None
        Group of each image; None splits image by image.
    kind : str
        What a group is, in words.
    are_patients : bool
        Whether groups were given, so that each may have a vote.
    warning : str
        What must stand beside every score; empty if nothing.
    """

    labels: object
    kind: str
    are_patients: bool = False
    warning: str = ""

    def describe(self, protocol, scans, n_splits):
        """A report's protocol with the words for these images, groups and folds."""
        if self.labels is None:
            how = "StratifiedKFold, image by image"
        else:
            how = "StratifiedGroupKFold, no group on both sides"
        notes = [*protocol.notes, *([self.warning] if self.warning else [])]
        return replace(
            protocol,
            data=describe_data(scans),
            groups=self.kind,
            split=f"{n_splits}-fold {how}; each image is predicted by a model that "
            "was not trained on it",
            notes=tuple(notes),
        )


def choose_groups(scans, no_groups, n_splits, seed):
    """The groups to keep whole, and a word on stderr about them.

    Parameters
    ----------
    scans : Bunch
        As `load_mri_folder` gives it.
    no_groups : bool
        Split image by image, with a warning that counts the copies shared.
    n_splits : int
        Number of folds, for that count.
    seed : int
        Seed of the folds, for that count.

    Returns
    -------
    Grouping
    """
    if no_groups:
        warning = _count_shared(scans, n_splits, seed)
        print_warning(warning)
        return Grouping(None, "ignored (--no-groups)", warning=warning)
    if scans.groups is not None:
        return Grouping(scans.groups, "given", are_patients=True)
    labels = _near_duplicates(scans.data)
    note(
        f"No groups were given: {len(set(labels)):,} groups of near duplicates, mirror "
        "images included, are kept whole. Patients are not known; name them with "
        "--groups CSV."
    )
    return Grouping(labels, _NEAR)


def _near_duplicates(paths):
    from brain_tumor_clf import NearDuplicateGrouper

    note(f"Looking for copies among {len(paths):,} images")
    return NearDuplicateGrouper(n_jobs=-1).fit_predict(paths)


def _count_shared(scans, n_splits, seed):
    """How many images of a plain split have a copy where their model was trained."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    n = len(scans.data)
    folds = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
    splits = list(folds.split(np.zeros(n), scans.target))

    def shared(labels):
        return sum(int(np.isin(labels[b], labels[a]).sum()) for a, b in splits)

    copies = shared(_near_duplicates(scans.data))
    text = (
        f"--no-groups: {copies:,} of {n:,} images ({copies / n:.0%}) have a copy or "
        "mirror image in the training part of their fold"
    )
    if scans.groups is not None:
        text += f", {shared(scans.groups):,} are of a group that is there too"
    return text + ". These scores measure memory as well."
