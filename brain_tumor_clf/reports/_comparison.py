"""Comparison: what `compare` found."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy.stats import t as student
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.inspection import axes_row
from brain_tumor_clf.reports import _report
from brain_tumor_clf.reports._evaluation import EvaluationReport


class Comparison(_report.BaseReport):
    """Scores of several classifiers on the same folds, made by `compare`.

    Attributes
    ----------
    folds : DataFrame
        One row an estimator, seed and fold: "estimator", "seed", "fold", "held_out"
        (the group, where the fold tests on one alone, as one source of images),
        "score", "fit_time", "predict_time" (seconds), "n_train" and "n_test".
    predictions : DataFrame
        One row an estimator, seed and test image: "estimator", "seed", "fold", "index"
        (position in `X`), "label" (predicted) and "p_<class>", the probability of each
        class (0 of a class that the fold did not train on; missing without
        ``predict_proba``).
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

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from brain_tumor_clf import compare
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["glioma", "notumor"], 30)
    >>> X = rng.normal(size=(60, 2)) + 2 * (y == "glioma")[:, None]
    >>> result = compare({"logistic": LogisticRegression()}, X, y, cv=3)
    >>> result.report("logistic")  # every image predicted out of fold
    EvaluationReport(60 images, balanced accuracy 0.9...)
    """

    def __init__(self, folds, predictions, y, groups, names, scoring, protocol):
        self.folds = folds
        self.predictions = predictions
        self.names = names
        self.scoring = scoring
        self.protocol = protocol
        self._y = y
        self._groups = groups

    def to_frame(self, *, confidence=0.95):
        """Return one row an estimator, in the order given.

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
        table = self.folds.groupby("estimator").agg(
            mean=("score", "mean"), std=("score", "std"), lowest=("score", "min"),
            fit_time=("fit_time", "mean"), predict_time=("predict_time", "mean"),
        ).loc[self.names]  # fmt: skip
        seed_means = self.folds.groupby(["estimator", "seed"])["score"].mean()
        table.insert(3, "seed_std", seed_means.groupby("estimator").std())
        wide = self.folds.pivot(
            index=["seed", "fold"], columns="estimator", values="score"
        )
        test_share = (self.folds["n_test"] / self.folds["n_train"]).mean()
        for name in self.names[1:]:
            difference = (wide[name] - wide[self.names[0]]).to_numpy()
            paired = corrected_t_test(difference, test_share, confidence)
            for column, value in paired.items():
                table.loc[name, column] = value
        return table

    def report(self, name=None, *, seed=None, **options):
        """Return an evaluation of one estimator on its out-of-fold predictions.

        Parameters
        ----------
        name : str, default=None
            Name of the estimator; the first by default.
        seed : int, default=None
            Seed of the folds; the first by default.
        **options
            As of `EvaluationReport.from_predictions`: `healthy`, `per_group`, …

        Returns
        -------
        EvaluationReport
            Of all images, each predicted by a model that was not trained on it.

        Raises
        ------
        ValueError
            If there is no such estimator or seed, or the folds test on an image twice.
        """
        name = self.names[0] if name is None else check_choice("name", name, self.names)
        seeds = pd.unique(self.folds["seed"])
        seed = seeds[0] if seed is None else check_choice("seed", seed, seeds)
        chosen = self.predictions.query("estimator == @name and seed == @seed")
        chosen = chosen.sort_values("index")
        at = chosen["index"].to_numpy()
        if not chosen["index"].is_unique:
            raise ValueError(
                "The folds test on an image more than once, so that it has no single "
                "out-of-fold prediction. Compare on folds that share no test image."
            )
        classes = np.unique(self._y)
        proba = chosen[[f"p_{label}" for label in classes]].to_numpy(dtype=float)
        return EvaluationReport.from_predictions(
            self._y[at],
            chosen["label"].to_numpy(dtype=self._y.dtype),
            None if np.isnan(proba).all() else proba,
            classes=classes,
            groups=None if self._groups is None else self._groups[at],
            protocol=f"{self.protocol.split}, out of fold",
            **options,
        )

    def to_dict(self):
        """Return protocol, scoring, folds and table as a dict for JSON."""
        return {
            "protocol": self.protocol.to_dict(),
            "scoring": self.scoring,
            "folds": _report.records(self.folds),
            "table": _report.records(self.to_frame().rename_axis("estimator")),
        }

    def _draw(self, ax):
        axes = axes_row(ax, 1, width=6.4, height=1.2 + 0.6 * len(self.names))
        scores = self.folds.groupby("estimator")["score"]
        for position, name in enumerate(self.names):
            of_one = scores.get_group(name)
            axes[0].scatter(of_one, np.full(len(of_one), position), alpha=0.5, s=24)
            mark = {"marker": "|", "color": "black", "markersize": 18}
            axes[0].plot(of_one.mean(), position, **mark)
        axes[0].set_yticks(range(len(self.names)), self.names)
        axes[0].set_ylim(len(self.names) - 0.5, -0.5)
        axes[0].set_xlabel(f"{self.scoring}, one dot a fold")
        axes[0].grid(axis="x", alpha=0.3)
        return axes

    def _report(self):
        figure = self._figure(f"{self.scoring} of each fold")
        blocks = [figure, *self._tables(), self._computed_on()]
        return _report.Report("Comparison", blocks)

    def _tables(self):
        frame = self.to_frame().rename_axis("estimator")
        shown = pd.DataFrame(index=frame.index)
        pairs = zip(frame["mean"], frame["std"], strict=True)
        shown[self.scoring] = [f"{mean:.3f} ± {std:.3f}" for mean, std in pairs]
        shown["lowest"] = frame["lowest"]
        if frame["seed_std"].notna().any():
            shown["over seeds"] = [f"± {std:.3f}" for std in frame["seed_std"]]
        shown["fit s"], shown["predict s"] = frame["fit_time"], frame["predict_time"]
        note = "Mean ± standard deviation over folds, and the lowest of them."
        yield _report.Table(title="Scores", note=note, frame=shown)
        if len(frame) > 1:
            paired = frame.iloc[1:]
            signed = paired[["difference", "low", "high"]].map("{:+.3f}".format)
            table = signed[["difference"]].assign(
                **{"95 % interval": signed["low"] + " to " + signed["high"]},
                p=paired["p_value"],
            )
            title = f"Against {frame.index[0]}, corrected resampled t-test"
            yield _report.Table(title=title, frame=table)
        if self.folds["held_out"].notna().all():
            by_source = self.folds.pivot_table(
                index="held_out", columns="estimator", values="score", sort=False
            )[self.names]
            yield _report.Table(title="Score by the group held out", frame=by_source)

    def __repr__(self):
        return f"Comparison({', '.join(self.names)}; {len(self.folds)} fits)"


def make_folds(X, y, groups, cv, seed):
    """Return the folds of a number of folds, or of a splitter."""
    if not isinstance(cv, Integral):
        return cv.split(X, y, groups)
    if groups is None:
        return StratifiedKFold(cv, shuffle=True, random_state=seed).split(X, y)
    n_groups = len(np.unique(groups))
    if n_groups < cv:
        raise ValueError(f"cv={cv} folds need as many groups, got {n_groups}.")
    folds = StratifiedGroupKFold(cv, shuffle=True, random_state=seed)
    return folds.split(X, y, groups)


def split_notes(splits, y, groups):
    """Yield what a reader must know of splits that tear groups or lack a class."""
    found = {
        "a group lies on both sides: leakage": [
            groups is not None and len(np.intersect1d(groups[train], groups[test]))
            for _, _, train, test in splits
        ],
        "training lacks a class of the test images, which all count as errors": [
            len(np.setdiff1d(y[test], y[train])) for _, _, train, test in splits
        ],
        "no test image is of some class of training; means over classes leave it out": [
            len(np.setdiff1d(y[train], y[test])) for _, _, train, test in splits
        ],
    }
    for what, counts in found.items():
        if any(counts):
            yield f"in {np.count_nonzero(counts)} of {len(splits)} splits {what}"


def corrected_t_test(difference, test_share, confidence=0.95):
    """Return Nadeau and Bengio's corrected resampled t-test of paired differences.

    `test_share` is the number of images tested on by that of images trained on.
    """
    k, mean = len(difference), float(np.mean(difference))
    if k < 2:
        return {"difference": mean} | dict.fromkeys(("low", "high", "p_value"), np.nan)
    error = np.sqrt((1 / k + test_share) * np.var(difference, ddof=1))
    reach = error * student.ppf(0.5 + confidence / 2, k - 1)
    size = abs(mean) / error if error else np.inf if mean else 0
    p_value = float(2 * student.sf(size, k - 1))
    ends = {"low": float(mean - reach), "high": float(mean + reach)}
    return {"difference": mean, **ends, "p_value": p_value}
