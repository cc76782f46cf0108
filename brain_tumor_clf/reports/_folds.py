"""The folds of a comparison, and what a reader must know of them."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from brain_tumor_clf.model_selection import leave_one_source_out


def make_splits(y, groups, cv, seeds, held_out):
    """Return (key, train, test) of each seed and fold; the key has what is held out."""
    if not isinstance(cv, Integral):
        cv = check_cv(cv, y, classifier=True)  # once: pairs may be a generator
    return [
        ({"seed": seed, "fold": fold, "held_out": _sole(held_out, test)}, train, test)
        for seed in seeds
        for fold, (train, test) in enumerate(_make_folds(y, groups, cv, seed))
    ]


def _sole(groups, at):
    """Return the group of all images at some positions, or None if it is not one."""
    found = [] if groups is None else np.unique(groups[at]).tolist()
    return found[0] if len(found) == 1 else None


def _make_folds(y, groups, cv, seed):
    """Return the folds of a number of folds, or of a splitter."""
    if not isinstance(cv, Integral):
        return cv.split(y, y, groups)
    if groups is None:
        return StratifiedKFold(cv, shuffle=True, random_state=seed).split(y, y)
    n_groups = len(np.unique(groups))
    if n_groups < cv:
        raise ValueError(f"cv={cv} folds need as many groups, got {n_groups}.")
    folds = StratifiedGroupKFold(cv, shuffle=True, random_state=seed)
    return folds.split(y, y, groups)


def split_notes(splits, y, groups):
    """Yield what a reader must know of splits that tear groups or lack a class."""
    found = {
        "a group lies on both sides: leakage": [
            groups is not None and len(np.intersect1d(groups[train], groups[test]))
            for _, train, test in splits
        ],
        "training lacks a class of the test images, which all count as errors": [
            len(np.setdiff1d(y[test], y[train])) for _, train, test in splits
        ],
        "no test image is of some class of training; means over classes leave it out": [
            len(np.setdiff1d(y[train], y[test])) for _, train, test in splits
        ],
    }
    for what, counts in found.items():
        if any(counts):
            yield f"in {np.count_nonzero(counts)} of {len(splits)} splits {what}"


def leave_out_each(sources, y, groups):
    """Return the folds that leave one source out, and what a reader must know."""
    folds = leave_one_source_out(sources, y, groups)
    left_out = [sources[test[0]] for _, test in folds]
    notes = [
        f"{source} is never left out: without it, training would lack "
        + ", ".join(map(str, _lacking(source, sources, y, groups)))
        for source in np.setdiff1d(sources, left_out)
    ]
    for source, (train, test) in zip(left_out, folds, strict=True):
        n_dropped = len(y) - len(train) - len(test)
        if n_dropped:
            notes.append(
                f"{n_dropped:,} images of other sources share a group with {source} "
                "and are not trained on when it is left out"
            )
    return folds, notes


def _lacking(source, sources, y, groups):
    """Return the classes that training lacks without a source and its groups."""
    others = sources != source
    if groups is not None:
        others &= ~np.isin(groups, groups[~others])
    return np.setdiff1d(y, y[others])
