"""Whether probabilities are what they say, as a picture."""

import numpy as np

from brain_tumor_clf.inspection._axes import axes_row, last_step
from brain_tumor_clf.metrics import expected_calibration_error, reliability_curve


class ReliabilityDisplay:
    """Reliability diagram of a classifier of any number of classes.

    The predicted class is taken: how sure the model was, against how often it was
    right. A calibrated model lies on the diagonal; below it, it is too sure.

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
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : The same of one class against the rest.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
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
    def from_estimator(
        cls, estimator, X, y, *, n_bins=15, strategy="uniform", name=None, ax=None
    ):
        """Plot the reliability of a fitted classifier on images it has not seen.

        Parameters
        ----------
        estimator : fitted classifier
            With ``predict_proba``.
        X : sequence of n images
            What `estimator` takes.
        y : array-like of shape (n,)
            True labels.
        n_bins : int, default=15
            Number of bins.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of equal width, or of an equal number of images.
        name : str, default=None
            Name for the legend; that of the estimator's class by default.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        ReliabilityDisplay
        """
        last = last_step(estimator)
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            classes=estimator.classes_,
            n_bins=n_bins,
            strategy=strategy,
            name=type(last).__name__ if name is None else name,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_proba,
        *,
        classes,
        n_bins=15,
        strategy="uniform",
        name=None,
        ax=None,
    ):
        """Plot the reliability of probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels.
        y_proba : array-like of shape (n, n_classes)
            Probability of each class.
        classes : array-like of shape (n_classes,)
            Labels of the columns.
        n_bins : int, default=15
            Number of bins.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of equal width, or of an equal number of images.
        name : str, default=None
            Name for the legend.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        ReliabilityDisplay
        """
        options = {"classes": classes, "n_bins": n_bins, "strategy": strategy}
        curve = reliability_curve(y_true, y_proba, **options)
        error = expected_calibration_error(y_true, y_proba, **options)
        return cls(curve, error, name=name).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the diagram; dots grow with the number of images of their bin.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        self : ReliabilityDisplay
        """
        self.ax_ = axes_row(ax, 1, width=4.6, height=4.4)[0]
        self.figure_ = self.ax_.figure
        label = f"calibration error {self.calibration_error:.3f}"
        if self.name:
            label = f"{self.name}, {label}"
        self.ax_.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
        (line,) = self.ax_.plot(
            self.curve["confidence"], self.curve["accuracy"], linewidth=1, label=label
        )
        share = self.curve["count"] / self.curve["count"].sum()
        self.ax_.scatter(
            self.curve["confidence"],
            self.curve["accuracy"],
            s=20 + 380 * np.sqrt(share),
            color=line.get_color(),
            alpha=0.6,
        )
        self.ax_.set(
            xlabel="Probability of the predicted class",
            ylabel="Share of right predictions",
            xlim=(0, 1.03),
            ylim=(0, 1.03),
        )
        self.ax_.grid(alpha=0.3)
        self.ax_.legend(frameon=False, loc="lower right", fontsize=8)
        return self
