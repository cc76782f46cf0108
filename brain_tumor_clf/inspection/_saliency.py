"""Display of heat maps over scans."""

import os

import numpy as np
from sklearn.utils.validation import check_array

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.inspection._galleries import GalleryDisplay
from brain_tumor_clf.inspection._grad_cam import grad_cam
from brain_tumor_clf.preprocessing import ImageReader

# Distinct from gray at every level, without its dark end, which would hide in a bright
# lesion.
_COLORS, _BRIGHT_END = "turbo", 1.1


class SaliencyDisplay(GalleryDisplay):
    """Scans beside their heat maps, with the class explained and its probability.

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
        Name of each scan.
    n_images : int or None, default=None
        Number of all scans, if not all are shown.

    Attributes
    ----------
    figure_, axes_ : matplotlib Figure, ndarray of Axes
        The figure, and two Axes for each scan: without and with its heat map.

    See Also
    --------
    grad_cam : Compute the maps.
    occlusion_map : Compute maps without gradients, for `from_maps`.

    Examples
    --------
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

    _n_together = 2

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
        **options,
    ):
        """Explain and show the predictions of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier, Pipeline or SelectiveClassifier
            As for `grad_cam`.
        X : sequence of n images
            Images that both `estimator` and `ImageReader` can read.
        target, layer, method
            As for `grad_cam`.
        max_images : int, default=8
            Highest number of scans to show, the first ones.
        **options : dict
            Arguments of `plot`.

        Returns
        -------
        SaliencyDisplay
        """
        X = check_image_collection(X)
        shown = X[:max_images]
        classes = np.asarray(estimator.classes_)
        proba = check_array(estimator.predict_proba(shown), input_name="predict_proba")
        if target is None:
            labels = classes[proba.argmax(axis=1)]
        else:
            target = np.asarray(target)
            labels = np.repeat(target, len(X)) if target.ndim == 0 else target
            labels = labels[:max_images]
        maps = grad_cam(estimator, shown, labels, layer, method=method)
        at = [classes.tolist().index(label) for label in labels.tolist()]
        probability = proba[np.arange(len(shown)), at]
        return cls.from_maps(
            shown, maps, labels, probability=probability, n_images=len(X), **options
        )

    @classmethod
    def from_maps(
        cls, X, maps, labels, *, probability=None, n_images=None, ax=None, **options
    ):
        """Show given heat maps.

        Parameters
        ----------
        X : sequence of n images
            Anything that `ImageReader` reads.
        maps, labels, probability, n_images
            As of the class; maps are in the pixels of the images.
        ax, **options
            Arguments of `plot`.

        Returns
        -------
        SaliencyDisplay
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
        return display.plot(ax, **options)

    def plot(self, ax=None, *, n_columns=4, strength=0.6):
        """Draw the scans and their heat maps.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One Axes to divide, or two for each scan; a new figure by default.
        n_columns : int, default=4
            Number of pictures in a row, two for each scan.
        strength : float, default=0.6
            Opacity of the heat map at its maximum, from 0 to 1.

        Returns
        -------
        self : SaliencyDisplay
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be from 0 to 1, got {strength!r}.")
        super().plot(ax, n_columns=n_columns)
        for axes, heat in zip(
            self.axes_[1::2], map(np.asarray, self.maps), strict=True
        ):
            alpha = strength * heat
            axes.imshow(heat, cmap=_COLORS, vmin=0, vmax=_BRIGHT_END, alpha=alpha)
        return self

    def _contents(self):
        """Return the title of the gallery, and pairs of image and title."""
        n = len(self.images)
        summary = "Contribution to the class, from none (clear) to highest (red)"
        if self.n_images is not None and n < self.n_images:
            summary += f"; {n} of {self.n_images} scans"
        pictures = []
        for k, image in enumerate(self.images):
            title = str(self.labels[k])
            if self.probability is not None:
                title += f", {self.probability[k]:.1%}"
            name = f"image {k}" if self.names is None else self.names[k]
            pictures += [(image, name), (image, title)]
        return summary, pictures


def _check_maps(images, maps, labels):
    """Raise a ValueError unless there is one finite map of its size for each image."""
    if not len(images) == len(maps) == len(labels):
        raise ValueError(
            f"Got {len(images)} images, {len(maps)} maps and {len(labels)} labels; "
            "expected one map and one label for each image."
        )
    for i, (image, heat) in enumerate(zip(images, maps, strict=True)):
        if image.shape[:2] != np.shape(heat):
            raise ValueError(
                f"Image {i} has {image.shape[0]}x{image.shape[1]} pixels, its map the "
                f"shape {np.shape(heat)}; expected the same. For a whole pipeline, "
                "grad_cam returns maps in the pixels of the original images."
            )
        if not np.isfinite(heat).all():
            raise ValueError(f"The map of image {i} has values that are not finite.")


def _name(source, i):
    """Return the file name of a source, or its position."""
    if isinstance(source, (str, os.PathLike)):
        name = os.path.basename(os.fspath(source))
        return os.fsencode(name).decode("utf-8", "replace")
    return f"image {i}"
