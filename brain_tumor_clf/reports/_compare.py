"""compare: several classifiers on the same folds."""

import time
from numbers import Integral

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import indexable
from sklearn.utils.validation import column_or_1d, has_fit_parameter

from brain_tumor_clf.inspection._axes import axes_row
from brain_tumor_clf.reports._markdown import markdown_table
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
        Patient or duplicate group of each image, never on both sides of a split. A
        classifier whose ``fit`` takes `groups`, for early stopping, is given them.
    cv : int, splitter or iterable, default=5
        Number of folds, which are stratified, shuffled anew for each seed and grouped
        if `groups` are given; or any splitter of scikit-learn, as
        ``LeaveOneGroupOut()`` with the sources of the images as `groups`.
    scoring : str or callable, default="balanced_accuracy"
        Scorer, as in scikit-learn.
    seeds : sequence of int, default=(0,)
        For each, all parameters called `random_state` are set to it and every fold is
        fitted again.
    n_jobs : int or None, default=None
        Fits at the same time.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If there is no estimator, or `groups` are fewer than folds.

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
    y = column_or_1d(y)
    X, y, groups = indexable(X, y, groups)
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
        split=f"{len(splits) // len(seeds)} folds, the same for all (cv={cv!r})",
        seed=tuple(seeds),
        notes=(f"scores are {scoring}",),
    )
    return Comparison(pd.DataFrame(rows), list(estimators), str(scoring), protocol)


class Comparison:
    """Scores of several classifiers on the same folds, made by `compare`.

    Attributes
    ----------
    folds : DataFrame
        One row an estimator, seed and fold: "estimator", "seed", "fold", "score",
        "fit_time", "predict_time" (seconds), "n_train" and "n_test".
    scoring : str
        Name of the score.
    protocol : Protocol
        What the scores were computed on.

    Notes
    -----
    Folds share training images, so that their scores are not independent. The paired
    differences have the variance of Nadeau and Bengio's corrected resampled t-test
    [1]_: the usual one times ``1 / k + n_test / n_train`` of `k` fits.

    References
    ----------
    .. [1] Nadeau and Bengio, "Inference for the generalization error", Machine
       Learning 52, 2003.
    """

    def __init__(self, folds, names, scoring, protocol):
        self.folds = folds
        self.names = names
        self.scoring = scoring
        self.protocol = protocol

    def to_frame(self, *, confidence=0.95):
        """One row an estimator, in the order given.

        Parameters
        ----------
        confidence : float, default=0.95
            Nominal coverage of the interval of the difference.

        Returns
        -------
        DataFrame
            "mean" and "std" of the scores over folds, "lowest" of them, "seed_std"
            (spread of the means over seeds; NaN of one seed), "fit_time" and
            "predict_time" (mean seconds a fold), and against the first estimator
            "difference" with "low", "high" and "p_value".
        """
        by_name = self.folds.groupby("estimator")
        seed_means = self.folds.groupby(["estimator", "seed"])["score"].mean()
        table = pd.DataFrame(
            {
                "mean": by_name["score"].mean(),
                "std": by_name["score"].std(),
                "lowest": by_name["score"].min(),
                "seed_std": seed_means.groupby("estimator").std(),
                "fit_time": by_name["fit_time"].mean(),
                "predict_time": by_name["predict_time"].mean(),
            }
        ).loc[self.names]
        for name in self.names[1:]:
            paired = self._paired_difference(name, confidence)
            for column, value in paired.items():
                table.loc[name, column] = value
        return table

    def _paired_difference(self, name, confidence):
        wide = self.folds.pivot(
            index=["seed", "fold"], columns="estimator", values="score"
        )
        difference = (wide[name] - wide[self.names[0]]).to_numpy()
        one = self.folds[self.folds["estimator"] == name]
        share = (one["n_test"] / one["n_train"]).mean()
        return corrected_t_test(difference, share, confidence)

    def to_dict(self):
        """The comparison as plain data for JSON.

        Returns
        -------
        dict
            "protocol", "folds" and "table".
        """
        table = self.to_frame().reset_index(names="estimator")
        return {
            "protocol": self.protocol.to_dict(),
            "scoring": self.scoring,
            "folds": self.folds.to_dict("records"),
            "table": table.astype(object).where(table.notna(), None).to_dict("records"),
        }

    def to_markdown(self):
        """The table and its protocol as Markdown.

        Returns
        -------
        str
        """
        table = markdown_table(self.to_frame().rename_axis("estimator"))
        return f"# Comparison\n\n{table}\n\n{self.protocol.to_markdown()}\n"

    def plot(self, ax=None):
        """Draw the score of every fold, and the mean of each estimator.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_row(ax, 1, width=6.4, height=1.2 + 0.6 * len(self.names))[0]
        means = self.folds.groupby("estimator")["score"].mean()
        for position, name in enumerate(self.names):
            scores = self.folds.loc[self.folds["estimator"] == name, "score"]
            ax.scatter(scores, np.full(len(scores), position), alpha=0.5, s=24)
            ax.plot(means[name], position, marker="|", color="black", markersize=18)
        ax.set_yticks(range(len(self.names)), self.names)
        ax.set_ylim(len(self.names) - 0.5, -0.5)
        ax.set_xlabel(f"{self.scoring}, one dot a fold")
        ax.grid(axis="x", alpha=0.3)
        return ax

    def __repr__(self):
        return f"Comparison({', '.join(self.names)}; {len(self.folds)} fits)"

    def _repr_markdown_(self):
        return self.to_markdown()


def corrected_t_test(difference, test_share, confidence=0.95):
    """Nadeau and Bengio's corrected resampled t-test of paired differences.

    Parameters
    ----------
    difference : ndarray of shape (k,)
        Difference of the scores of each fit.
    test_share : float
        Images tested on by images trained on.
    confidence : float, default=0.95
        Nominal coverage of the interval.

    Returns
    -------
    dict of str to float
        "difference" (mean), "low", "high" and "p_value" (two-sided); the last three
        are NaN of fewer than two fits.
    """
    k = len(difference)
    mean = float(np.mean(difference))
    if k < 2:
        nan = float("nan")
        return {"difference": mean, "low": nan, "high": nan, "p_value": nan}
    error = np.sqrt((1 / k + test_share) * np.var(difference, ddof=1))
    reach = error * student.ppf(0.5 + confidence / 2, k - 1)
    if error == 0:
        p_value = 1.0 if mean == 0 else 0.0
    else:
        p_value = float(2 * student.sf(abs(mean) / error, k - 1))
    return {
        "difference": mean,
        "low": float(mean - reach),
        "high": float(mean + reach),
        "p_value": p_value,
    }


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
        splitter = check_cv(cv, y, classifier=True)
    return list(splitter.split(X, y, groups))


def _fit_and_score(name, seed, fold, estimator, train, test, X, y, groups, scoring):
    model = _seeded(estimator, seed)
    params = {} if groups is None else fit_groups(model, np.asarray(groups)[train])
    start = time.perf_counter()
    model.fit(_take(X, train), y[train], **params)
    fitted = time.perf_counter()
    score = check_scoring(model, scoring)(model, _take(X, test), y[test])
    return {
        "estimator": name,
        "seed": seed,
        "fold": fold,
        "score": float(score),
        "fit_time": fitted - start,
        "predict_time": time.perf_counter() - fitted,
        "n_train": len(train),
        "n_test": len(test),
    }


def _seeded(estimator, seed):
    """A clone whose parameters called `random_state`, at any depth, are the seed."""
    model = clone(estimator)
    names = [
        name
        for name in model.get_params(deep=True)
        if name == "random_state" or name.endswith("__random_state")
    ]
    return model.set_params(**dict.fromkeys(names, seed))


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


def _take(X, at):
    return X.iloc[at] if hasattr(X, "iloc") else np.asarray(X, dtype=_dtype(X))[at]


def _dtype(X):
    return None if hasattr(X, "dtype") else object
