"""Display of the training history."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf.inspection._axes import axes_row
from brain_tumor_clf.pipeline import split_image_steps

_PANELS = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "learning_rate": "Learning rate",
}


class TrainingHistoryDisplay:
    """Loss, accuracy and learning rate of each epoch, in training and validation.

    Parameters
    ----------
    history : dict of str to list of float
        A classifier's ``history_``.

    Attributes
    ----------
    figure_, axes_ : matplotlib Figure, ndarray of Axes
        The figure, and an Axes for each panel.

    Examples
    --------
    >>> from brain_tumor_clf.inspection import TrainingHistoryDisplay
    >>> history = {"loss": [1.2, 0.7], "val_loss": [1.1, 0.9], "accuracy": [0.5, 0.8]}
    >>> display = TrainingHistoryDisplay(history).plot()
    >>> [ax.get_title() for ax in display.axes_]
    ['Loss', 'Accuracy']
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Plot the training history of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier, Pipeline or SelectiveClassifier
            The last step of a pipeline must be a classifier of this package.
        ax : array of matplotlib Axes, default=None
            One for each panel; a new figure by default.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        TypeError
            If the estimator has no history.
        """
        check_is_fitted(estimator)
        _, last = split_image_steps(estimator)
        if isinstance(last, Pipeline):
            last = last[-1]
        if not getattr(last, "history_", None):
            raise TypeError(
                f"{type(last).__name__} has no history_; pass a fitted classifier of "
                "this package, or a pipeline that ends with one."
            )
        return cls(last.history_).plot(ax=ax)

    def plot(self, ax=None):
        """Draw a panel for each of loss, accuracy and learning rate in the history.

        Parameters
        ----------
        ax : array of matplotlib Axes, default=None
            One for each panel; a new figure by default.

        Returns
        -------
        self : TrainingHistoryDisplay
        """
        panels = [name for name in _PANELS if name in self.history]
        self.axes_ = axes_row(ax, len(panels))
        self.figure_ = self.axes_[0].figure
        for axes, name in zip(self.axes_, panels, strict=True):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                if key in self.history:
                    values = np.asarray(self.history[key], dtype=float)
                    epochs = np.arange(1, len(values) + 1)
                    if not np.isfinite(values).all():
                        first = epochs[~np.isfinite(values)][0]
                        label += f" (not finite in epoch {first})"
                    axes.plot(epochs, values, marker=".", label=label)
            axes.set(title=_PANELS[name], xlabel="Epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
            if name == "learning_rate":
                axes.set_ylim(bottom=0)  # else rounding errors would fill the axis
            labels = axes.get_legend_handles_labels()[1]
            if labels != ["training"]:
                axes.legend(frameon=False)
        return self
