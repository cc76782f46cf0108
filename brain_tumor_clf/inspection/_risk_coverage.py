"""What abstaining buys, as a picture."""

from brain_tumor_clf.inspection._axes import axes_row, last_step
from brain_tumor_clf.metrics import risk_coverage_curve


class RiskCoverageDisplay:
    """Errors among the surest predictions, by the share of predictions that are kept.

    Parameters
    ----------
    coverage, risk : ndarray of shape (k,)
        From `risk_coverage_curve`.
    thresholds : ndarray of shape (k,)
        Least highest probability that is kept, falling.
    threshold : float, default=None
        An abstention threshold to mark.
    name : str, default=None
        Name of the model for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    brain_tumor_clf.metrics.abstention_threshold : Chooses the threshold to mark.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from brain_tumor_clf.inspection import RiskCoverageDisplay
    >>> proba = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]
    >>> display = RiskCoverageDisplay.from_predictions(
    ...     ["a", "b", "a"], proba, classes=["a", "b"], threshold=0.8
    ... )
    >>> display.risk.round(2).tolist()
    [0.0, 0.0, 0.33]
    """

    def __init__(self, coverage, risk, thresholds, *, threshold=None, name=None):
        self.coverage = coverage
        self.risk = risk
        self.thresholds = thresholds
        self.threshold = threshold
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, threshold=None, name=None, ax=None):
        """Plot the curve of a fitted classifier on images it has not seen.

        Parameters
        ----------
        estimator : fitted classifier
            With ``predict_proba``.
        X : sequence of n images
            What `estimator` takes.
        y : array-like of shape (n,)
            True labels.
        threshold : float, default=None
            An abstention threshold to mark.
        name : str, default=None
            Name for the legend; that of the estimator's class by default.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        RiskCoverageDisplay
        """
        last = last_step(estimator)
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            classes=estimator.classes_,
            threshold=threshold,
            name=type(last).__name__ if name is None else name,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls, y_true, y_proba, *, classes, threshold=None, name=None, ax=None
    ):
        """Plot the curve of probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels.
        y_proba : array-like of shape (n, n_classes)
            Probability of each class.
        classes : array-like of shape (n_classes,)
            Labels of the columns.
        threshold : float, default=None
            An abstention threshold to mark.
        name : str, default=None
            Name for the legend.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        RiskCoverageDisplay
        """
        curve = risk_coverage_curve(y_true, y_proba, classes=classes)
        return cls(*curve, threshold=threshold, name=name).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the curve, and a dot where the threshold is.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        self : RiskCoverageDisplay
        """
        self.ax_ = axes_row(ax, 1, width=4.8, height=3.8)[0]
        self.figure_ = self.ax_.figure
        (line,) = self.ax_.plot(self.coverage, self.risk, label=self.name)
        kept = self.thresholds >= (0 if self.threshold is None else self.threshold)
        if self.threshold is not None and kept.any():
            at = kept.nonzero()[0][-1]
            self.ax_.plot(
                self.coverage[at],
                self.risk[at],
                marker="o",
                linestyle="none",
                color=line.get_color(),
                label=f"threshold {self.threshold:.3g}: "
                f"{self.coverage[at]:.1%} kept, {self.risk[at]:.1%} wrong",
            )
        self.ax_.set(
            xlabel="Share of predictions that are kept",
            ylabel="Share of wrong ones among them",
            xlim=(0, 1.02),
        )
        self.ax_.set_ylim(bottom=0)
        self.ax_.grid(alpha=0.3)
        if self.ax_.get_legend_handles_labels()[1]:
            self.ax_.legend(frameon=False, loc="upper left", fontsize=8)
        return self
