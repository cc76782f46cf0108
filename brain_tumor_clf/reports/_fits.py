"""One classifier fitted and scored on one fold."""

import time
import warnings
from functools import wraps

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import has_fit_parameter

from brain_tumor_clf.reports._checks import check_finite


def fit_and_score(name, estimator, key, train, test, X, y, groups, scoring):
    """Return a row of `Comparison.folds`, which has a key, and rows of predictions."""
    seed = key["seed"]
    model = _seeded(estimator, seed)
    params = {} if groups is None else fit_groups(model, groups[train])
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


def fit_groups(model, groups):
    """Return the parameters of `fit` that make early stopping keep groups whole."""
    name, last = model.steps[-1] if hasattr(model, "steps") else ("", model)
    if not has_fit_parameter(last, "groups"):
        return {}
    return {f"{name}__groups" if name else "groups": groups}
