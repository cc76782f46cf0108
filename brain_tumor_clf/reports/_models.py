"""Scores of models: of a fitted one, and of several on the same folds."""

from numbers import Integral

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.utils import indexable
from sklearn.utils.validation import _check_sample_weight

from brain_tumor_clf.reports._checks import check_groups, check_labels
from brain_tumor_clf.reports._comparison import Comparison
from brain_tumor_clf.reports._evaluation import EvaluationReport
from brain_tumor_clf.reports._folds import (
    fit_and_score,
    leave_out_each,
    make_splits,
    split_notes,
)
from brain_tumor_clf.reports._report import describe


def evaluate(
    estimator,
    X,
    y,
    *,
    groups=None,
    subgroups=None,
    X_train=None,
    y_train=None,
    label_map=None,
    per_group=False,
    label_issues=False,
    healthy="notumor",
    n_resamples=1000,
    confidence=0.95,
    random_state=0,
    n_jobs=None,
):
    """Score a fitted classifier on images that it has not seen.

    Parameters
    ----------
    estimator : fitted classifier
        Any scikit-learn classifier; without ``predict_proba`` what needs
        probabilities is left out, and the report says so.
    X : sequence of n images
        What `estimator` takes.
    y : array-like of shape (n,)
        True labels, each a class of the estimator once mapped by `label_map`.
    groups : array-like of shape (n,), default=None
        Patient or duplicate group of each image. Intervals are then those of a
        bootstrap over groups.
    subgroups : DataFrame, or mapping of str to array-like of shape (n,), default=None
        Columns of categories, such as the source and the sequence of each image. The
        report then has every score in each subgroup of each column and in each
        combination that occurs, and begins with the worst. A missing category is a
        subgroup of its own.
    X_train, y_train : sequence of m images and labels, default=None
        What the estimator was trained on. The report then has the scores apart for
        images without a copy or mirror in training, and those of controls that see
        almost nothing of the tumor.
    label_map : dict, default=None
        Labels of `y` and `y_train` that the estimator calls by another name, with that
        name: ``{"no_tumor": "notumor"}``.
    per_group : bool, default=False
        Also score one vote a group: the class of the highest mean probability, or
        the most frequent one without probabilities. Needs `groups`.
    label_issues : bool, default=False
        Also list suspect labels (`find_label_issues`, which needs cleanlab), with
        pictures. A model that was trained on these images contradicts few of them.
    healthy : label or None, default="notumor"
        The class without a tumor; None leaves out what needs one.
    n_resamples : int, default=1000
        Draws of the bootstrap; 0 leaves out the intervals that need it.
    confidence : float, default=0.95
        Nominal coverage of the intervals, in (0, 1).
    random_state : int, default=0
        Seed of the bootstrap and of the controls.
    n_jobs : int or None, default=None
        Threads that read images for copies and controls.

    Returns
    -------
    EvaluationReport

    Raises
    ------
    ValueError
        If labels are missing or unknown to the estimator, lengths differ, no class is
        called `healthy`, or probabilities are not finite.

    See Also
    --------
    audit_dataset : What the data give away, before any training.
    compare : Several classifiers on the same folds.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from brain_tumor_clf import evaluate
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["glioma", "notumor"], 40)
    >>> X = rng.normal(size=(80, 2)) + 2 * (y == "glioma")[:, None]
    >>> clf = LogisticRegression().fit(X[::2], y[::2])
    >>> report = evaluate(clf, X[1::2], y[1::2])
    >>> bool(report.scores.loc["accuracy", "value"] > 0.8)
    True
    """
    has_proba = hasattr(estimator, "predict_proba")
    return EvaluationReport.from_predictions(
        y, estimator.predict(X), estimator.predict_proba(X) if has_proba else None,
        classes=estimator.classes_, groups=groups, subgroups=subgroups, X=X,
        X_train=X_train, y_train=y_train, label_map=label_map, per_group=per_group,
        label_issues=label_issues, healthy=healthy, n_resamples=n_resamples,
        confidence=confidence, random_state=random_state, n_jobs=n_jobs,
        protocol="a fitted model on these images; those it was trained on are "
        + ("given" if X_train is not None else "not known here"),
        model_id=getattr(estimator, "model_id_", None),
    )  # fmt: skip


def compare(
    estimators,
    X,
    y,
    *,
    groups=None,
    cv=5,
    leave_out=None,
    sample_weight=None,
    scoring="balanced_accuracy",
    seeds=(0,),
    n_jobs=None,
    progress=None,
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
        positions to train and to test on. The protocol counts groups that such splits
        tear apart.
    leave_out : array-like of shape (n,), default=None
        Source of each image, such as its hospital. In place of `cv`, each source in
        turn is scored by models trained on the others (`leave_one_source_out`), with
        its patients as `groups`. Sources without which training would lack a class are
        never left out, and named.
    sample_weight : array-like of shape (n,), default=None
        Weights for ``fit``, as of `source_balanced_weight`; scores have none.
    scoring : str or callable, default="balanced_accuracy"
        Scorer, as in scikit-learn.
    seeds : sequence of int, default=(0,)
        For each, every fold is fitted again with the parameter called `random_state`
        set to it; where an estimator has several, to it and to numbers drawn from it.
    n_jobs : int or None, default=None
        Fits at the same time, each in its own process; None is one, -1 one a processor.
    progress : callable, default=None
        Called after each fit, in order, with its row of `Comparison.folds` as a dict.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If there is no estimator, labels are missing, an image has no group, groups are
        fewer than folds, or no source can be left out.

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
            f"estimators must be a dict of at least one estimator, got {estimators!r}."
        )
    if len(seeds) == 0:
        raise ValueError("seeds must name at least one seed.")
    y = check_labels(y)
    groups = check_groups(groups, y)
    X, y = indexable(X, y)
    sources = check_groups(leave_out, y, "leave_out")
    if sources is not None:
        cv, source_notes = leave_out_each(sources, y, groups)
        how = "each source left out in turn"
    elif isinstance(cv, Integral) or hasattr(cv, "split"):
        how, source_notes = f"cv={cv!r}", []
    else:
        how, source_notes = "pairs of positions as given", []
    splits = make_splits(y, groups, cv, seeds, groups if sources is None else sources)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, y, dtype=np.float64)
    given = {"groups": groups, "sample_weight": sample_weight}
    fits = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(fit_and_score)(name, estimator, *split, X, y, given, scoring)
        for name, estimator in estimators.items()
        for split in splits
    )
    rows, predictions = [], []
    for row, predicted in fits:
        rows.append(row)
        predictions.append(predicted)
        if progress is not None:
            progress(row)
    split = f"{len(splits) // len(seeds)} folds, the same for all ({how})"
    notes = f"scores are {scoring}", *source_notes, *split_notes(splits, y, groups)
    protocol = describe(len(y), groups, split, tuple(seeds), notes)
    tables = pd.DataFrame(rows), pd.concat(predictions, ignore_index=True)
    about = list(estimators), str(scoring), protocol, sources
    return Comparison(*tables, y, groups, *about)
