"""Scans beside what the classifier saw in them."""

import os

import numpy as np

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.inspection._axes import gallery_axes, show_scan
from brain_tumor_clf.inspection._grad_cam import grad_cam
from brain_tumor_clf.preprocessing import ImageReader

# Told from grey at every level; its dark end, which would hide in a bright lesion, is
# left out.
_COLORS, _BRIGHT_END = "turbo", 1.1


class SaliencyDisplay:
    """Scans, each beside its heat map, the class that it explains and how likely it is.

    Parameters
    ----------
    images : sequence of n ndarray
        The scans shown.
    maps : sequence of n ndarray
        Heat maps from 0 to 1, each of the height and width of its scan.
    labels : sequence of n labels
        The class that each map explains.
    probability : sequence of n float or None, default=None
        Probability of that class.
    names : sequence of n str or None, default=None
        What each scan is called.
    n_images : int or None, default=None
        Number of all scans, if not all are shown.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Two a scan: the scan alone, and under its heat map.
    figure_ : matplotlib Figure

    See Also
    --------
    grad_cam : The maps.
    occlusion_map : Maps that need no gradients, for `from_maps`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from brain_tumor_clf import (
    ...     SimpleCNNClassifier, make_brain_mri, make_mri_pipeline
    ... )
    >>> from brain_tumor_clf.inspection import SaliencyDisplay
    >>> scans = make_brain_mri(n_samples=8, image_size=48, random_state=0)
    >>> clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> pipe = make_mri_pipeline(clf, image_size=24).fit(scans.data, scans.target)
    >>> display = SaliencyDisplay.from_estimator(pipe, scans.data[:2])
    >>> len(display.axes_), display.maps[0].shape
    (4, (48, 48))
    """

    def __init__(
        self, images, maps, labels, *, probability=None, names=None, n_images=None
    ):
        self.images = images
        self.maps = maps
        self.labels = labels
        self.probability = probability
        self.names = names
        self.n_images = n_images

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        target=None,
        layer=None,
        method="layercam",
        max_images=8,
        n_columns=4,
        strength=0.6,
        ax=None,
    ):
        """Explain and show what a fitted classifier predicts.

        Parameters
        ----------
        estimator : fitted classifier or Pipeline
            What `grad_cam` takes.
        X : sequence of n images
            What `estimator` takes, and `ImageReader` reads.
        target : label or array-like of n labels, default=None
            The class to explain; None means the predicted one.
        layer, method
            As of `grad_cam`.
        max_images : int, default=8
            Scans shown at most, the first ones; the title tells how many there are.
        n_columns : int, default=4
            Pictures a row, two of them a scan.
        strength : float, default=0.6
            How far the heat covers the scan where it is strongest, from 0 to 1.
        ax : matplotlib Axes or array of them, default=None
            As of `plot`.

        Returns
        -------
        SaliencyDisplay
        """
        X = check_image_collection(X)
        shown = X[:max_images]
        proba = np.asarray(estimator.predict_proba(shown))
        classes = np.asarray(estimator.classes_)
        if target is None:
            labels = classes[proba.argmax(axis=1)]
        else:
            target = np.asarray(target)
            labels = np.repeat(target, len(X)) if target.ndim == 0 else target
            labels = labels[:max_images]
        maps = grad_cam(estimator, shown, labels, layer, method=method)
        at = [classes.tolist().index(label) for label in labels.tolist()]
        return cls.from_maps(
            shown,
            maps,
            labels,
            probability=proba[np.arange(len(shown)), at],
            n_images=len(X),
            n_columns=n_columns,
            strength=strength,
            ax=ax,
        )

    @classmethod
    def from_maps(
        cls,
        X,
        maps,
        labels,
        *,
        probability=None,
        n_images=None,
        n_columns=4,
        strength=0.6,
        ax=None,
    ):
        """Show maps that are known.

        Parameters
        ----------
        X : sequence of n images
            Whatever `ImageReader` takes.
        maps : sequence of n ndarray
            Heat maps in the pixels of the images, from 0 to 1.
        labels : sequence of n labels
            The class that each map explains.
        probability : sequence of n float, default=None
            Probability of that class.
        n_images : int, default=None
            Number of all scans, if `X` holds only some.
        n_columns : int, default=4
            Pictures a row, two of them a scan.
        strength : float, default=0.6
            How far the heat covers the scan where it is strongest, from 0 to 1.
        ax : matplotlib Axes or array of them, default=None
            As of `plot`.

        Returns
        -------
        SaliencyDisplay

        Raises
        ------
        ValueError
            If numbers or sizes of scans and maps differ.
        """
        X = check_image_collection(X)
        images = list(ImageReader("rgb").fit_transform(X))
        _check_maps(images, maps, labels)
        display = cls(
            images,
            maps,
            labels,
            probability=probability,
            names=[_name(source, i) for i, source in enumerate(X)],
            n_images=n_images,
        )
        return display.plot(ax, n_columns=n_columns, strength=strength)

    def plot(self, ax=None, *, n_columns=4, strength=0.6):
        """Draw the scans and their heat maps.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One Axes is divided among the pictures; of several there must be two a
            scan; None makes a new figure.
        n_columns : int, default=4
            Pictures a row, two of them a scan.
        strength : float, default=0.6
            How far the heat covers the scan where it is strongest, from 0 to 1.

        Returns
        -------
        self : SaliencyDisplay
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be from 0 to 1, got {strength!r}.")
        n = len(self.images)
        summary = "What speaks for the class, from nothing (clear) to most (red)"
        if self.n_images is not None and n < self.n_images:
            summary += f"; {n} of {self.n_images} scans"
        self.figure_, self.axes_ = gallery_axes(
            ax, 2 * n, 2 * max(n_columns // 2, 1), summary
        )
        for k in range(n):
            name = f"image {k}" if self.names is None else self.names[k]
            show_scan(self.axes_[2 * k], self.images[k], name)
            show_scan(self.axes_[2 * k + 1], self.images[k], self._caption(k))
            heat = np.asarray(self.maps[k])
            self.axes_[2 * k + 1].imshow(
                heat, cmap=_COLORS, vmin=0, vmax=_BRIGHT_END, alpha=strength * heat
            )
        return self

    def _caption(self, k):
        if self.probability is None:
            return str(self.labels[k])
        return f"{self.labels[k]}, {self.probability[k]:.1%}"


def _check_maps(images, maps, labels):
    if not len(images) == len(maps) == len(labels):
        raise ValueError(
            f"Got {len(images)} images, {len(maps)} maps and {len(labels)} labels; "
            "expected one map and one label an image."
        )
    for i, (image, heat) in enumerate(zip(images, maps, strict=True)):
        if image.shape[:2] != np.shape(heat):
            raise ValueError(
                f"Image {i} has {image.shape[0]}x{image.shape[1]} pixels, its map the "
                f"shape {np.shape(heat)}; expected the same. grad_cam on a whole "
                "pipeline gives maps in the pixels of the original images."
            )


def _name(source, i):
    if isinstance(source, (str, os.PathLike)):
        return os.path.basename(os.fspath(source))
    return f"image {i}"
