"""Comparison: the scores of several classifiers on the same folds."""

import numpy as np
import pandas as pd

from brain_tumor_clf.inspection._axes import axes_row
from brain_tumor_clf.reports import _html
from brain_tumor_clf.reports._markdown import markdown_table
from brain_tumor_clf.reports._paired_test import corrected_t_test

_BY_SOURCE = "Score by the group held out"


class Comparison:
    """Scores of several classifiers on the same folds, made by `compare`.

    Attributes
    ----------
    folds : DataFrame
        One row an estimator, seed and fold: "estimator", "seed", "fold", "held_out"
        (the group, where the fold tests on one alone, as one source of images),
        "score", "fit_time", "predict_time" (seconds), "n_train" and "n_test".
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
            "protocol", "scoring", "folds" and "table".
        """
        table = self.to_frame().reset_index(names="estimator")
        return {
            "protocol": self.protocol.to_dict(),
            "scoring": self.scoring,
            "folds": _records(self.folds),
            "table": _records(table),
        }

    def to_markdown(self):
        """The table and its protocol as Markdown.

        Returns
        -------
        str
        """
        parts = ["# Comparison", markdown_table(self._table())]
        by_source = self._by_source()
        if by_source is not None:
            parts += [f"## {_BY_SOURCE}", markdown_table(by_source)]
        return "\n\n".join([*parts, self.protocol.to_markdown()]) + "\n"

    def to_html(self, path=None):
        """The comparison as one HTML page that loads nothing from outside.

        Parameters
        ----------
        path : path-like, default=None
            File to write to.

        Returns
        -------
        str
            The page.
        """
        picture = _html.figure(self.plot().figure, f"{self.scoring} of each fold")
        blocks = [picture, *self._sections()]
        return _html.write_page(_html.page("Comparison", blocks), path)

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

    def _repr_html_(self):
        return _html.fragment("Comparison", self._sections())

    def _sections(self):
        blocks = [_html.section("Scores", _html.table(self._table(), index=True))]
        by_source = self._by_source()
        if by_source is not None:
            table = _html.table(by_source, index=True)
            blocks.append(_html.section(_BY_SOURCE, table))
        facts = _html.facts(self.protocol.rows())
        return [*blocks, _html.section("Computed on", facts)]

    def _table(self):
        return self.to_frame().rename_axis("estimator")

    def _by_source(self):
        """Scores by the group that was held out; None unless each fold has one."""
        if self.folds["held_out"].isna().any():
            return None
        return self.folds.pivot_table(
            index="held_out", columns="estimator", values="score", sort=False
        )[self.names]


def _records(table):
    return table.astype(object).where(table.notna(), None).to_dict("records")
