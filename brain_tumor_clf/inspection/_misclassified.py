"""The images that a classifier gets wrong."""

import numpy as np
import pandas as pd

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.inspection._axes import gallery_axes, show_scan
from brain_tumor_clf.preprocessing import ImageReader


class MisclassifiedDisplay:
    """A gallery of errors, the surest first.

    Parameters
    ----------
    images : sequence of ndarray
        The images shown.
    errors : DataFrame
        Columns "true", "predicted" and "probability" (of the predicted class, NaN
        without probabilities), one row an image shown.
    n_errors : int
        Number of all errors.
    n_images : int
        Number of all images.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One an image.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from brain_tumor_clf import make_brain_mri
    >>> from brain_tumor_clf.inspection import MisclassifiedDisplay
    >>> scans = make_brain_mri(n_samples=4, image_size=(32, 32), random_state=0)
    >>> display = MisclassifiedDisplay.from_predictions(
    ...     scans.data, scans.target, ["notumor"] * 4
    ... )
    >>> display.n_errors
    3
    """

    def __init__(self, images, errors, *, n_errors, n_images):
        self.images = images
        self.errors = errors
        self.n_errors = n_errors
        self.n_images = n_images

    @classmethod
    def from_estimator(cls, estimator, X, y, *, max_images=12, n_columns=4, ax=None):
        """Show what a fitted classifier gets wrong.

        Parameters
        ----------
        estimator : fitted classifier
            With or without ``predict_proba``.
        X : sequence of n images
            What `estimator` takes, and `ImageReader` reads.
        y : array-like of shape (n,)
            True labels.
        max_images : int, default=12
            Images shown at most; the title tells how many errors there are.
        n_columns : int, default=4
            Images a row.
        ax : matplotlib Axes or array of them, default=None
            As of `plot`.

        Returns
        -------
        MisclassifiedDisplay
        """
        proba = None
        if hasattr(estimator, "predict_proba"):
            proba = np.max(estimator.predict_proba(X), axis=1)
        return cls.from_predictions(
            X,
            y,
            estimator.predict(X),
            probability=proba,
            max_images=max_images,
            n_columns=n_columns,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        X,
        y_true,
        y_pred,
        *,
        probability=None,
        max_images=12,
        n_columns=4,
        ax=None,
    ):
        """Show the images whose predicted label is not the true one.

        Parameters
        ----------
        X : sequence of n images
            Whatever `ImageReader` takes; only the images shown are read.
        y_true : array-like of shape (n,)
            True labels.
        y_pred : array-like of shape (n,)
            Predicted labels.
        probability : array-like of shape (n,), default=None
            Probability of the predicted class; the surest errors come first.
        max_images : int, default=12
            Images shown at most.
        n_columns : int, default=4
            Images a row.
        ax : matplotlib Axes or array of them, default=None
            As of `plot`.

        Returns
        -------
        MisclassifiedDisplay
        """
        X = check_image_collection(X)
        table = pd.DataFrame({"true": np.asarray(y_true), "predicted": y_pred})
        table["probability"] = np.nan if probability is None else probability
        errors = table[table["true"] != table["predicted"]]
        shown = errors.sort_values("probability", ascending=False, kind="stable")
        shown = shown.head(max_images)
        images = []
        if len(shown):
            images = list(ImageReader("rgb").fit_transform(X[shown.index.to_numpy()]))
        display = cls(images, shown, n_errors=len(errors), n_images=len(table))
        return display.plot(ax, n_columns=n_columns)

    def plot(self, ax=None, *, n_columns=4):
        """Draw the gallery.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One Axes is divided among the images; of several there must be one an
            image; None makes a new figure.
        n_columns : int, default=4
            Images a row.

        Returns
        -------
        self : MisclassifiedDisplay
        """
        summary = f"{self.n_errors} of {self.n_images} images are misclassified"
        if len(self.images) < self.n_errors:
            summary += f"; {len(self.images)} shown"
        self.figure_, self.axes_ = gallery_axes(
            ax, len(self.images), n_columns, summary
        )
        rows = self.errors.itertuples()
        for axes, image, row in zip(self.axes_, self.images, rows, strict=True):
            title = f"{row.true}, called {row.predicted}"
            if not np.isnan(row.probability):
                title += f"\nat {row.probability:.0%}"
            show_scan(axes, image, title)
        return self
