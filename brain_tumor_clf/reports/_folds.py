"""The folds of a comparison, what a reader must know of them, and a fit on one."""

import time
import warnings
from functools import wraps
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import has_fit_parameter

from brain_tumor_clf.model_selection import leave_one_source_out
from brain_tumor_clf.reports._checks import check_finite


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
                f"images that share a group with {source}, and are not trained on when "
                f"it is left out: {n_dropped:,}"
            )
    return folds, notes


def _lacking(source, sources, y, groups):
    """Return the classes that training lacks without a source and its groups."""
    others = sources != source
    if groups is not None:
        others &= ~np.isin(groups, groups[~others])
    return np.setdiff1d(y, y[others])


def fit_and_score(name, estimator, key, train, test, X, y, given, scoring):
    """Return a row of `Comparison.folds`, which has a key, and rows of predictions.

    `given` are the arguments of `fit_parameters`, of all images.
    """
    seed = key["seed"]
    model = _seeded(estimator, seed)
    given = {k: None if v is None else v[train] for k, v in given.items()}
    params = fit_parameters(model, **given)
    start = time.perf_counter()
    model.fit(_safe_indexing(X, train), y[train], **params)
    fit_time = time.perf_counter() - start
    X_test = _safe_indexing(X, test)
    answers = _Answers(model, X_test)
    start = time.perf_counter()
    with warnings.catch_warnings():
        # The protocol says once for all splits that a source may lack classes.
        lacking = "y_pred contains classes|A single label was found"
        warnings.filterwarnings("ignore", lacking, UserWarning)
        scored = answers if isinstance(scoring, str) else model
        score = check_scoring(model, scoring)(scored, X_test, y[test])
    predict_time = time.perf_counter() - start
    row = {"estimator": name, **key}
    row |= {"score": float(score), "fit_time": fit_time, "predict_time": predict_time}
    row |= {"n_train": len(train), "n_test": len(test)}
    predicted = {"estimator": name, "seed": seed, "fold": key["fold"]}
    predicted |= {"index": test, "label": answers.predict(X_test)}
    columns = {}
    if hasattr(model, "predict_proba"):
        proba = answers.predict_proba(X_test)
        where = f"seed {seed}, fold {key['fold']}"
        check_finite(proba, f"predict_proba of {name!r}, {where},")
        columns = dict(zip(model.classes_, proba.T, strict=True))
    missing = 0.0 if columns else np.nan
    for label in np.unique(y):
        predicted[f"p_{label}"] = columns.get(label, missing)
    return row, pd.DataFrame(predicted)


class _Answers:
    """A fitted classifier that predicts the images of a fold only once."""

    def __init__(self, model, X):
        self._model, self._X = model, X

    def __getattr__(self, name):
        value = getattr(self._model, name)
        if name not in ("predict", "predict_proba"):
            return value
        predicted = value(self._X)
        answer = wraps(value)(lambda X: predicted)
        setattr(self, name, answer)  # found from now on without this method
        return answer


def _seeded(estimator, seed):
    """Return a clone whose parameters called `random_state`, at any depth, are set.

    The first to the seed, others to draws from it: networks that vote must differ.
    """
    model = clone(estimator)
    names = [x for x in model.get_params() if x.split("__")[-1] == "random_state"]
    drawn = np.random.SeedSequence(seed).generate_state(len(names)) >> 1
    seeds = [seed, *map(int, drawn[1:])]
    return model.set_params(**dict(zip(names, seeds, strict=False)))


def fit_parameters(model, groups=None, sample_weight=None):
    """Return the parameters of `fit` of a classifier, or a pipeline that ends in one.

    Groups, which early stopping keeps whole, are left out where it takes none; weights
    are not.
    """
    step, last = model.steps[-1] if hasattr(model, "steps") else ("", model)
    prefix = f"{step}__" if step else ""
    params = {}
    if groups is not None and has_fit_parameter(last, "groups"):
        params[f"{prefix}groups"] = groups
    if sample_weight is not None:
        params[f"{prefix}sample_weight"] = sample_weight
    return params
