"""Galleries of misclassified images and of copies, and their base class."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array, check_is_fitted

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.inspection._axes import gallery_axes, show_scan
from brain_tumor_clf.preprocessing import ImageReader


class GalleryDisplay:
    """Base of displays that show pictures in a grid."""

    _n_together = 1  # pictures that stay in one row

    def plot(self, ax=None, *, n_columns=4):
        """Draw the pictures.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One Axes to divide, or one for each picture; a new figure by default.
        n_columns : int, default=4
            Number of pictures in a row.

        Returns
        -------
        self : object
            The display.
        """
        summary, pictures = self._contents()
        width = max(n_columns // self._n_together, 1) * self._n_together
        self.figure_, self.axes_ = gallery_axes(ax, len(pictures), width, summary)
        for axes, (image, title) in zip(self.axes_, pictures, strict=True):
            show_scan(axes, image, title)
        return self


class MisclassifiedDisplay(GalleryDisplay):
    """Gallery of misclassified images, those of the highest probability first.

    Parameters
    ----------
    images : sequence of ndarray
        The images shown.
    errors : DataFrame
        One row for each image shown, with columns "true", "predicted" and
        "probability" (of the predicted class, NaN if unknown).
    n_errors : int
        Number of misclassified images.
    n_images : int
        Number of all images.

    Attributes
    ----------
    figure_, axes_ : matplotlib Figure, ndarray of Axes
        The figure, and an Axes for each image shown.

    Examples
    --------
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
    def from_estimator(cls, estimator, X, y, **options):
        """Show the images that a fitted classifier misclassifies.

        Parameters
        ----------
        estimator : fitted classifier
            With or without ``predict_proba``.
        X : sequence of n images
            Images that both `estimator` and `ImageReader` can read.
        y : array-like of shape (n,)
            True labels.
        **options : dict
            Further arguments of `from_predictions`.

        Returns
        -------
        MisclassifiedDisplay
        """
        if hasattr(estimator, "predict_proba"):
            options["probability"] = np.max(estimator.predict_proba(X), axis=1)
        return cls.from_predictions(X, y, estimator.predict(X), **options)

    @classmethod
    def from_predictions(
        cls,
        X,
        y_true,
        y_pred,
        *,
        probability=None,
        max_images=12,
        ax=None,
        **options,
    ):
        """Show the images whose predicted label is not the true one.

        Parameters
        ----------
        X : sequence of n images
            Anything that `ImageReader` reads; only the images shown are read.
        y_true : array-like of shape (n,)
            True labels.
        y_pred : array-like of shape (n,)
            Predicted labels.
        probability : array-like of shape (n,), default=None
            Probability of the predicted class.
        max_images : int, default=12
            Highest number of images to show.
        ax, **options
            Arguments of `plot`.

        Returns
        -------
        MisclassifiedDisplay
        """
        X = check_image_collection(X)
        table = pd.DataFrame({"true": np.asarray(y_true), "predicted": y_pred})
        if probability is not None:
            probability = check_array(
                probability, ensure_2d=False, input_name="probability"
            )
        table["probability"] = np.nan if probability is None else probability
        errors = table[table["true"] != table["predicted"]]
        shown = errors.sort_values("probability", ascending=False, kind="stable")
        shown = shown.head(max_images)
        images = _read(X, shown.index.to_numpy())
        display = cls(images, shown, n_errors=len(errors), n_images=len(table))
        return display.plot(ax, **options)

    def _contents(self):
        """Return the title of the gallery, and pairs of image and title."""
        summary = f"{self.n_errors} of {self.n_images} images are misclassified"
        if len(self.images) < self.n_errors:
            summary += f"; {len(self.images)} shown"
        titles = []
        for row in self.errors.itertuples():
            titles.append(f"{row.true}, predicted {row.predicted}")
            if not np.isnan(row.probability):
                titles[-1] += f"\n({row.probability:.0%})"
        return summary, list(zip(self.images, titles, strict=True))


class DuplicatePairsDisplay(GalleryDisplay):
    """Gallery of the pairs of copies that `NearDuplicateGrouper` finds.

    Parameters
    ----------
    images : dict of int to ndarray
        The images shown, by position.
    pairs : DataFrame
        One row for each pair shown, with columns "i", "j", "similarity" and
        "transform".
    n_pairs : int
        Number of all pairs.

    Attributes
    ----------
    figure_, axes_ : matplotlib Figure, ndarray of Axes
        The figure, and two Axes for each pair shown.

    Examples
    --------
    >>> from brain_tumor_clf import NearDuplicateGrouper, make_brain_mri
    >>> from brain_tumor_clf.inspection import DuplicatePairsDisplay
    >>> scans = make_brain_mri(n_samples=2, image_size=(48, 48), random_state=0)
    >>> X = [*scans.data, scans.data[0][:, ::-1]]
    >>> display = DuplicatePairsDisplay.from_estimator(NearDuplicateGrouper().fit(X), X)
    >>> display.n_pairs
    1
    """

    _n_together = 2

    def __init__(self, images, pairs, *, n_pairs):
        self.images = images
        self.pairs = pairs
        self.n_pairs = n_pairs

    @classmethod
    def from_estimator(cls, grouper, X, **options):
        """Show pairs that a fitted grouper found.

        Parameters
        ----------
        grouper : fitted NearDuplicateGrouper
            It must have been fitted on `X`.
        X : sequence of n images
            The images.
        **options : dict
            Further arguments of `from_pairs`.

        Returns
        -------
        DuplicatePairsDisplay
        """
        check_is_fitted(grouper)
        X = check_image_collection(X)
        if len(X) != len(grouper.labels_):
            raise ValueError(
                f"The grouper was fitted on {len(grouper.labels_)} images, "
                f"got {len(X)}."
            )
        return cls.from_pairs(X, grouper.pairs_, **options)

    @classmethod
    def from_pairs(cls, X, pairs, *, max_pairs=8, lowest=False, ax=None):
        """Show pairs from a table.

        Parameters
        ----------
        X : sequence of n images
            Anything that `ImageReader` reads; only the images shown are read.
        pairs : DataFrame
            Columns "i", "j", "similarity" and "transform".
        max_pairs : int, default=8
            Highest number of pairs to show.
        lowest : bool, default=False
            Whether to show the least similar pairs, to judge the threshold.
        ax
            Argument of `plot`.

        Returns
        -------
        DuplicatePairsDisplay
        """
        shown = pairs.sort_values("similarity", ascending=lowest, kind="stable")
        shown = shown.head(max_pairs)
        at = sorted({*shown["i"], *shown["j"]})
        images = dict(zip(at, _read(check_image_collection(X), at), strict=True))
        return cls(images, shown, n_pairs=len(pairs)).plot(ax)

    def _contents(self):
        """Return the title of the gallery, and pairs of image and title."""
        summary = f"{self.n_pairs} pairs of copies"
        if len(self.pairs) < self.n_pairs:
            summary += f"; {len(self.pairs)} shown"
        pictures = []
        for pair in self.pairs.itertuples():
            how = "" if pair.transform == "identity" else f" ({pair.transform})"
            title = f"image {pair.j}{how}, {pair.similarity:.3f}"
            pictures.append((self.images[pair.i], f"image {pair.i}"))
            pictures.append((self.images[pair.j], title))
        return summary, pictures


def _read(X, at):
    """Return the images at some positions as RGB arrays."""
    return list(ImageReader("rgb").fit_transform(X[at])) if len(at) else []
