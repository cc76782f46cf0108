"""Displays of calibration and of selective risk."""

import numpy as np
from sklearn.pipeline import Pipeline

from brain_tumor_clf.inspection._axes import axes_row
from brain_tumor_clf.metrics import (
    expected_calibration_error,
    reliability_curve,
    risk_coverage_curve,
)


class _ConfidenceDisplay:
    """Base of displays of predicted probabilities."""

    @classmethod
    def from_estimator(cls, estimator, X, y, *, name=None, **options):
        """Plot the predictions of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier
            With ``predict_proba``.
        X : sequence of n images
            Images that the classifier was not fitted on.
        y : array-like of shape (n,)
            True labels.
        name : str, default=None
            Name for the legend; by default that of the estimator's class.
        **options : dict
            Further arguments of `from_predictions`.

        Returns
        -------
        display
            The display, drawn.
        """
        if name is None:
            last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
            name = type(last).__name__
        proba, classes = estimator.predict_proba(X), estimator.classes_
        return cls.from_predictions(y, proba, classes=classes, name=name, **options)

    @classmethod
    def from_predictions(
        cls, y_true, y_proba, *, classes, name=None, ax=None, **options
    ):
        """Plot the curve of predicted probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels.
        y_proba : array-like of shape (n, n_classes)
            Predicted probability of each class.
        classes : array-like of shape (n_classes,)
            Labels of the columns.
        name : str, default=None
            Name for the legend.
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.
        **options : dict
            `n_bins` and `strategy` as of `reliability_curve`; for `RiskCoverageDisplay`
            an abstention `threshold` to mark.

        Returns
        -------
        display
            The display, drawn.
        """
        options |= {"classes": classes, "name": name}
        return cls._compute(y_true, y_proba, **options).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        self : object
            The display.
        """
        (self.ax_,) = axes_row(ax, 1, width=4.7, height=4.1)
        self.figure_ = self.ax_.figure
        self._draw()
        self.ax_.grid(alpha=0.3)
        return self


class ReliabilityDisplay(_ConfidenceDisplay):
    """Reliability diagram of a classifier with any number of classes.

    It shows accuracy against confidence, the probability of the predicted class. The
    curve of a calibrated model follows the diagonal; below it, the model is
    overconfident.

    Parameters
    ----------
    curve : DataFrame
        Columns "confidence", "accuracy" and "count", from `reliability_curve`.
    calibration_error : float
        Expected calibration error.
    name : str, default=None
        Name of the model for the legend.

    Attributes
    ----------
    figure_, ax_ : matplotlib Figure, Axes
        The figure and the Axes with the diagram.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : The same for one class against the rest.

    Examples
    --------
    >>> from brain_tumor_clf.inspection import ReliabilityDisplay
    >>> proba = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]
    >>> display = ReliabilityDisplay.from_predictions(
    ...     ["a", "b", "a"], proba, classes=["a", "b"]
    ... )
    >>> round(display.calibration_error, 2)
    0.3
    """

    def __init__(self, curve, calibration_error, *, name=None):
        self.curve = curve
        self.calibration_error = calibration_error
        self.name = name

    @classmethod
    def _compute(cls, y_true, y_proba, *, name, **options):
        curve = reliability_curve(y_true, y_proba, **options)
        error = expected_calibration_error(y_true, y_proba, **options)
        return cls(curve, error, name=name)

    def _draw(self):
        """Draw the diagram; the size of a dot shows the number of images in its bin."""
        label = f"calibration error {self.calibration_error:.3f}"
        if self.name:
            label = f"{self.name}, {label}"
        points = self.curve["confidence"], self.curve["accuracy"]
        share = self.curve["count"] / self.curve["count"].sum()
        self.ax_.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
        (line,) = self.ax_.plot(*points, linewidth=1, label=label)
        sizes = 20 + 380 * np.sqrt(share)
        self.ax_.scatter(*points, s=sizes, color=line.get_color(), alpha=0.6)
        self.ax_.set(
            xlabel="Confidence (probability of the predicted class)",
            ylabel="Accuracy",
            xlim=(0, 1.03),
            ylim=(0, 1.03),
        )
        self.ax_.legend(frameon=False, loc="lower right", fontsize=8)


class RiskCoverageDisplay(_ConfidenceDisplay):
    """Selective risk as a function of coverage.

    Parameters
    ----------
    coverage, risk, thresholds : ndarray of shape (k,)
        From `risk_coverage_curve`.
    threshold : float, default=None
        An abstention threshold to mark.
    name : str, default=None
        Name of the model for the legend.

    Attributes
    ----------
    figure_, ax_ : matplotlib Figure, Axes
        The figure and the Axes with the curve.

    See Also
    --------
    brain_tumor_clf.metrics.abstention_threshold : Find the threshold to mark.

    Examples
    --------
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
    def _compute(cls, y_true, y_proba, *, classes, name, threshold=None):
        curve = risk_coverage_curve(y_true, y_proba, classes=classes)
        return cls(*curve, threshold=threshold, name=name)

    def _draw(self):
        """Draw the curve, and a dot at the threshold."""
        (line,) = self.ax_.plot(self.coverage, self.risk, label=self.name)
        if self.threshold is not None and self.threshold <= self.thresholds[0]:
            at = np.flatnonzero(self.thresholds >= self.threshold)[-1]
            coverage, risk = self.coverage[at], self.risk[at]
            label = f"threshold {self.threshold:.3g}: {coverage:.1%} accepted, "
            style = {"marker": "o", "linestyle": "none", "color": line.get_color()}
            self.ax_.plot(coverage, risk, label=f"{label}{risk:.1%} wrong", **style)
        self.ax_.set(
            xlabel="Coverage (share of predictions that are accepted)",
            ylabel="Selective risk (error rate among them)",
            xlim=(0, 1.02),
        )
        self.ax_.set_ylim(bottom=0)
        if self.ax_.get_legend_handles_labels()[1]:
            self.ax_.legend(frameon=False, loc="upper left", fontsize=8)
