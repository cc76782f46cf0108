"""Cross-validation of a pipeline on a folder of scans, groups kept whole."""

import time

from brain_tumor_clf.cli._scores import score

_SCORES = ("accuracy", "balanced_accuracy")


def make_splitter(n_splits, groups, seed):
    """The splitter for scans with or without groups, and what it does in words."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    splitter = kind(n_splits, shuffle=True, random_state=seed)
    if groups is None:
        how = "groups unknown, images of one patient may be on both sides"
    else:
        how = "no group on both sides"
    return splitter, f"{n_splits}-fold {kind.__name__}, {how}"


def fit_params(pipeline, groups):
    """What `fit` of a pipeline needs for early stopping to keep groups whole."""
    from sklearn.utils.validation import has_fit_parameter

    if groups is None or not has_fit_parameter(pipeline.steps[-1][1], "groups"):
        return {}
    return {f"{pipeline.steps[-1][0]}__groups": groups}


def cross_validate(pipeline, scans, n_splits, seed, advance=lambda: None):
    """Fit and score a pipeline on each fold.

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted; each fold fits a clone.
    scans : Bunch
        With `data`, `target` and `groups` (or None).
    n_splits : int
        Number of folds.
    seed : int
        Seed of the shuffling.
    advance : callable
        Called after each fold.

    Returns
    -------
    dict
        ``protocol``, ``folds`` (scores of each), ``mean`` and ``std`` over folds,
        ``seconds``, ``out_of_fold`` (scores of all images, each predicted by the model
        that did not see it) and ``predicted`` (the labels predicted so).
    """
    import numpy as np
    from sklearn.base import clone

    splitter, protocol = make_splitter(n_splits, scans.groups, seed)
    predicted = np.empty(len(scans.target), dtype=scans.target.dtype)
    folds, start = [], time.monotonic()
    for train, test in splitter.split(scans.data, scans.target, scans.groups):
        groups = None if scans.groups is None else scans.groups[train]
        model = clone(pipeline)
        model.fit(scans.data[train], scans.target[train], **fit_params(model, groups))
        predicted[test] = model.predict(scans.data[test])
        fold = score(scans.target[test], predicted[test])
        folds.append({"n_test": len(test), **{key: fold[key] for key in _SCORES}})
        advance()
    values = {key: np.array([fold[key] for fold in folds]) for key in _SCORES}
    return {
        "protocol": protocol,
        "folds": folds,
        "mean": {key: float(value.mean()) for key, value in values.items()},
        "std": {key: float(value.std(ddof=1)) for key, value in values.items()},
        "seconds": round(time.monotonic() - start, 1),
        "out_of_fold": score(scans.target, predicted),
        "predicted": predicted,
    }
