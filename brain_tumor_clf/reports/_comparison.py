"""Comparison: what `compare` found."""

from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import t as student
from sklearn.utils import _safe_indexing

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.inspection import axes_row
from brain_tumor_clf.reports import _report
from brain_tumor_clf.reports._evaluation import EvaluationReport
from brain_tumor_clf.reports._render import estimates
from brain_tumor_clf.reports._subgroups import check_subgroups

_SOURCES = (
    "Each model was trained on the other sources. Those that are never left out are "
    "named below. Means over classes are of those that occur in the source."
)
_SHOWN = ("balanced_accuracy", "tumor_miss_rate", "false_alarm_rate")


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
    sources : DataFrame or None
        With `leave_out`, every score on each source left out, with its interval: one
        row an "estimator", "source" and "score", of the first seed.

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

    def __init__(
        self, folds, predictions, y, groups, names, scoring, protocol, sources=None
    ):
        self.folds = folds
        self.predictions = predictions
        self.names = names
        self.scoring = scoring
        self.protocol = protocol
        self._y = y
        self._groups = groups
        self._sources = sources

    @cached_property
    def sources(self):
        """Return the scores on each source left out, or None; see the attributes."""
        if self._sources is None:
            return None
        healthy = "notumor" if "notumor" in self._y else None
        reports = [(name, self.report(name, healthy=healthy)) for name in self.names]
        return _scores_by_source(reports)

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

    def report(self, name=None, *, seed=None, subgroups=None, **options):
        """Return an evaluation of one estimator on its out-of-fold predictions.

        Parameters
        ----------
        name : str, default=None
            Name of the estimator; the first by default.
        seed : int, default=None
            Seed of the folds; the first by default.
        subgroups : DataFrame or mapping of str to array-like of shape (n,)
            As of `evaluate`, with an entry for each image of `X`; the sources by
            default where they were left out.
        **options
            As of `EvaluationReport.from_predictions`: `healthy`, `per_group`,
            `label_issues`, the images `X`, …

        Returns
        -------
        EvaluationReport
            Of all images that a fold tests on, each predicted by a model that was not
            trained on it.

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
        if subgroups is None and self._sources is not None:
            subgroups = {"source": self._sources}
        if subgroups is not None:
            subgroups = check_subgroups(subgroups, len(self._y))
        classes = np.unique(self._y)
        proba = chosen[[f"p_{label}" for label in classes]].to_numpy(dtype=float)
        if "X" in options:
            options["X"] = _safe_indexing(options["X"], at)
        report = EvaluationReport.from_predictions(
            self._y[at],
            chosen["label"].to_numpy(dtype=self._y.dtype),
            None if np.isnan(proba).all() else proba,
            classes=classes,
            groups=None if self._groups is None else self._groups[at],
            subgroups=None if subgroups is None else subgroups.iloc[at],
            protocol=f"{self.protocol.split}, out of fold",
            **options,
        )
        if report.label_issues is not None:  # positions in `X`
            positions = at[report.label_issues["position"]]
            report.label_issues["position"] = positions
        return report

    def to_dict(self):
        """Return protocol, scoring, folds and tables as a dict for JSON."""
        return {
            "protocol": self.protocol.to_dict(),
            "scoring": self.scoring,
            "folds": _report.records(self.folds),
            "table": _report.records(self.to_frame().rename_axis("estimator")),
            "sources": _report.records(self.sources),
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
        if self._sources is not None:
            yield from _source_tables(self.sources, self.names)
        elif self.folds["held_out"].notna().all():
            by_source = self.folds.pivot_table(
                index="held_out", columns="estimator", values="score", sort=False
            )[self.names]
            yield _report.Table(title="Score by the group held out", frame=by_source)

    def __repr__(self):
        return f"Comparison({', '.join(self.names)}; {len(self.folds)} fits)"


def _source_tables(table, names):
    """Yield a table of each of the main scores: a row a source, a column an estimator.

    `table` has the scores of all estimators, as `EvaluationReport.subgroups`.
    """
    about = table.drop_duplicates("source").set_index("source")
    about = about[["images", "groups", "classes absent"]]
    about = about.replace("", np.nan).dropna(axis="columns", how="all")
    table = table.assign(estimate=estimates(table))
    for score in _SHOWN:
        rows = table[table["score"] == score]
        if len(rows):
            wide = rows.pivot(index="source", columns="estimator", values="estimate")
            yield _report.Table(
                title=f"{score.replace('_', ' ').capitalize()} by the source left out",
                note=_SOURCES,
                frame=about.join(wide[names]),
                detail_columns=about.columns.intersection(["classes absent"]),
            )


def _scores_by_source(reports):
    """Return the scores by source of several reports, given by name, in one table."""
    parts = [report.subgroups.assign(estimator=name) for name, report in reports]
    table = pd.concat(parts, ignore_index=True).drop(columns="column")
    table = table.rename(columns={"subgroup": "source"})
    first = table.pop("estimator")
    table.insert(0, "estimator", first)
    return table


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
