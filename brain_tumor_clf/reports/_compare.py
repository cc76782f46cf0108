"""compare: several classifiers on the same folds."""

import time
import warnings
from numbers import Integral

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.validation import has_fit_parameter

from brain_tumor_clf.reports._comparison import Comparison
from brain_tumor_clf.reports._inputs import check_groups, check_labels
from brain_tumor_clf.reports._protocol import Protocol


def compare(
    estimators,
    X,
    y,
    *,
    groups=None,
    cv=5,
    scoring="balanced_accuracy",
    seeds=(0,),
    n_jobs=None,
):
    """Fit and score several classifiers on the same folds.

    Parameters
    ----------
    estimators : dict of str to estimator
        Unfitted classifiers or pipelines by name. The first is the reference that the
        others are compared with.
    X : sequence of n images
        What the estimators take.
    y : array-like of shape (n,)
        Labels.
    groups : array-like of shape (n,), default=None
        Patient or duplicate group of each image. A classifier whose ``fit`` takes
        `groups`, for early stopping, is given them.
    cv : int, splitter or iterable, default=5
        Number of folds, which are stratified, shuffled anew for each seed and keep
        groups whole if there are any; or a splitter of scikit-learn; or pairs of
        positions to train and to test on, as of
        ``LeaveOneGroupOut().split(X, y, sources)``, which leaves one source out at a
        time while `groups` are still patients. Groups that such splits tear apart are
        counted in the protocol.
    scoring : str or callable, default="balanced_accuracy"
        Scorer, as in scikit-learn.
    seeds : sequence of int, default=(0,)
        For each, every fold is fitted again with the parameter called `random_state`
        set to it; where an estimator has several, to it and to numbers drawn from it.
    n_jobs : int or None, default=None
        Fits at the same time.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If there is no estimator, labels are missing, an image has no group, or groups
        are fewer than folds.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from brain_tumor_clf import compare
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["glioma", "notumor"], 30)
    >>> X = rng.normal(size=(60, 2)) + 2 * (y == "glioma")[:, None]
    >>> result = compare(
    ...     {"logistic": LogisticRegression(), "chance": DummyClassifier()}, X, y, cv=3
    ... )
    >>> list(result.to_frame().index)
    ['logistic', 'chance']
    """
    if not isinstance(estimators, dict) or not estimators:
        raise ValueError(
            "estimators must be a dict of at least one estimator by name, got "
            f"{estimators!r}."
        )
    if len(seeds) == 0:
        raise ValueError("seeds must name at least one seed.")
    y = check_labels(y)
    groups = check_groups(groups, y)
    X, y = indexable(X, y)
    how = f"cv={cv!r}"
    if not isinstance(cv, Integral):
        how = how if hasattr(cv, "split") else "pairs of positions as given"
        cv = check_cv(cv, y, classifier=True)  # once: pairs may be a generator
    splits = [
        (seed, fold, *split)
        for seed in seeds
        for fold, split in enumerate(_split(X, y, groups, cv, seed))
    ]
    jobs = [
        (name, seed, fold, estimator, train, test)
        for name, estimator in estimators.items()
        for seed, fold, train, test in splits
    ]
    rows = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_score)(*job, X, y, groups, scoring) for job in jobs
    )
    protocol = Protocol(
        data=f"{len(y):,} images",
        n=len(y),
        n_groups=None if groups is None else len(np.unique(groups)),
        groups="not known" if groups is None else "given",
        split=f"{len(splits) // len(seeds)} folds, the same for all ({how})",
        seed=tuple(seeds),
        notes=(f"scores are {scoring}", *_split_notes(splits, y, groups)),
    )
    return Comparison(pd.DataFrame(rows), list(estimators), str(scoring), protocol)


def _split(X, y, groups, cv, seed):
    if isinstance(cv, Integral):
        if groups is None:
            splitter = StratifiedKFold(cv, shuffle=True, random_state=seed)
        else:
            n_groups = len(np.unique(groups))
            if n_groups < cv:
                raise ValueError(f"cv={cv} folds need as many groups, got {n_groups}.")
            splitter = StratifiedGroupKFold(cv, shuffle=True, random_state=seed)
    else:
        splitter = cv
    return list(splitter.split(X, y, groups))


def _split_notes(splits, y, groups):
    """What a reader must know of splits that are not stratified or not grouped."""
    pairs = [(train, test) for _, _, train, test in splits]
    n = len(pairs)
    torn = sum(
        groups is not None and len(np.intersect1d(groups[train], groups[test])) > 0
        for train, test in pairs
    )
    if torn:
        yield f"in {torn} of {n} splits a group lies on both sides: memory is scored"
    unknown = sum(len(np.setdiff1d(y[test], y[train])) > 0 for train, test in pairs)
    if unknown:
        yield (
            f"in {unknown} of {n} splits training lacks a class of the test images, "
            "which all count as errors"
        )
    absent = sum(len(np.setdiff1d(y[train], y[test])) > 0 for train, test in pairs)
    if absent:
        yield (
            f"in {absent} of {n} splits no test image is of some class of training; "
            "means over classes leave it out"
        )


def _fit_and_score(name, seed, fold, estimator, train, test, X, y, groups, scoring):
    model = _seeded(estimator, seed)
    params = {} if groups is None else fit_groups(model, groups[train])
    start = time.perf_counter()
    model.fit(_safe_indexing(X, train), y[train], **params)
    fitted = time.perf_counter()
    with warnings.catch_warnings():
        # The protocol says it once for all splits.
        warnings.filterwarnings("ignore", "y_pred contains classes", UserWarning)
        score = check_scoring(model, scoring)(model, _safe_indexing(X, test), y[test])
    held_out = [] if groups is None else np.unique(groups[test]).tolist()
    return {
        "estimator": name,
        "seed": seed,
        "fold": fold,
        "held_out": held_out[0] if len(held_out) == 1 else None,
        "score": float(score),
        "fit_time": fitted - start,
        "predict_time": time.perf_counter() - fitted,
        "n_train": len(train),
        "n_test": len(test),
    }


def _seeded(estimator, seed):
    """A clone whose parameters called `random_state`, at any depth, are set.

    The first is the seed, the others are drawn from it: networks that vote together
    must not be all the same.
    """
    model = clone(estimator)
    names = [
        name
        for name in model.get_params(deep=True)
        if name == "random_state" or name.endswith("__random_state")
    ]
    drawn = np.random.SeedSequence(seed).generate_state(len(names)) >> 1
    seeds = [seed, *map(int, drawn[1:])]
    return model.set_params(**dict(zip(names, seeds, strict=False)))


def fit_groups(model, groups):
    """What `fit` of a classifier or pipeline takes for early stopping to keep groups.

    Parameters
    ----------
    model : estimator
        A classifier, or a pipeline that ends with one.
    groups : array-like
        Groups of the training images.

    Returns
    -------
    dict
        Empty where ``fit`` takes no groups.
    """
    name, last = model.steps[-1] if hasattr(model, "steps") else ("", model)
    if not has_fit_parameter(last, "groups"):
        return {}
    return {f"{name}__groups" if name else "groups": groups}
