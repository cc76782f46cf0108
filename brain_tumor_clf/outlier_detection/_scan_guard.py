"""Is an image a brain scan at all?"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf.outlier_detection._network_features import ImageFeatures, own_chain
from brain_tumor_clf.outlier_detection._phantoms import draw_phantoms
from brain_tumor_clf.outlier_detection._state_check import check_state
from brain_tumor_clf.outlier_detection._subspace import fit_subspace, project
from brain_tumor_clf.outlier_detection._variation import vary

_USUAL = 0.995  # quantile of scans' distances that becomes 1
_FEW = 0.05  # quantile of phantoms that counts as the one nearest to scans
_RIDGE = 0.1


class ScanGuard(OutlierMixin, BaseEstimator):
    """Tell brain scans from other images, through the network of a fitted classifier.

    A classifier gives a class to anything, a black image or a knee. The guard
    describes an image by the means and spreads of the network's maps at every
    resolution, from one pass, and by 27 numbers of the image as it is read (brightness,
    border, symmetry), and measures how far that is from what it saw in `fit`: for each
    of these descriptions the Mahalanobis distance within the main axes [1]_, and what
    lies beside them [2]_. The mean of the two largest of these distances counts, each
    scaled so that 1 is rare among scans. It sees each scan of `fit` twice: as it is,
    and turned by quarters, mirrored, sharpened or softened.

    The phantoms of `make_brain_mri`, drawn to look like scans, it is told about: `fit`
    draws some and learns the direction in which they differ (linear discriminant).
    Other non-scans it never sees.

    Parameters
    ----------
    estimator : fitted estimator
        A classifier of this package, alone or at the end of a pipeline of image
        transformers; ``FrozenEstimator(pipe)`` where the guard is to be cloned.
    contamination : float, default=0.002
        Share of the images of `fit`, in (0, 0.5], that may lie beyond the limit.
    n_components : int, default=24
        Most main axes of each description.
    random_state : int, RandomState or None, default=0
        Seed of the varied copies and the phantoms.

    Attributes
    ----------
    offset_ : float
        The limit: ``decision_function(X) = score_samples(X) - offset_``.
    estimator_ : Pipeline
        The steps of `estimator`, shared with it.

    See Also
    --------
    brain_tumor_clf.metrics.abstention_threshold : For scans that are hard to tell.

    Notes
    -----
    ``pipe.guard_ = ScanGuard(pipe).fit(X)`` travels with `save`, `load` and pickle. The
    file holds the network once.

    References
    ----------
    .. [1] K. Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution
       Samples and Adversarial Attacks", NeurIPS 2018.
    .. [2] H. Wang et al., "ViM: Out-Of-Distribution with Virtual-logit Matching",
       CVPR 2022.

    Examples
    --------
    Here phantoms stand in for scans, of which this package has none:

    >>> import numpy as np
    >>> from brain_tumor_clf import (
    ...     ScanGuard, SimpleCNNClassifier, make_brain_mri, make_mri_pipeline,
    ... )
    >>> X, y = make_brain_mri(24, 48, random_state=0, return_X_y=True)
    >>> clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> pipe = make_mri_pipeline(clf, image_size=24).fit(X, y)
    >>> guard = ScanGuard(pipe).fit(X)
    >>> noise = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    >>> guard.predict([noise, np.zeros((48, 48), dtype=np.uint8)])
    array([-1, -1])
    """

    def __init__(
        self, estimator, *, contamination=0.002, n_components=24, random_state=0
    ):
        self.estimator = estimator
        self.contamination = contamination
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn what brain scans are like.

        Parameters
        ----------
        X : sequence of n images
            Real scans, what `estimator` takes; at least 10, better thousands.
        y : None
            Ignored.

        Returns
        -------
        self : ScanGuard
            The fitted guard.

        Raises
        ------
        TypeError
            If `estimator` holds no classifier of this package.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        ValueError
            If a parameter is out of its range, or there are fewer than 10 images.
        ImageReadError
            If images cannot be read: all of them, path by path.
        """
        self._check_params()
        self.estimator_ = own_chain(self.estimator)
        self._features = ImageFeatures(self.estimator_)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        rng = np.random.default_rng(seed)
        scans, shape = self._describe(X, rng)
        phantoms = self._features_of_phantoms(shape, rng)
        self.subspaces_ = [fit_subspace(each, self.n_components) for each in scans]
        coordinates, distances = self._measure(scans)
        of_phantoms, _ = self._measure(phantoms)
        self.direction_ = _discriminant(coordinates, of_phantoms)
        phantoms_least = np.quantile(of_phantoms @ self.direction_, _FEW)
        distances = self._all_distances(coordinates, distances)
        self.median_ = np.median(distances, axis=0)
        self.scale_ = np.quantile(distances, _USUAL, axis=0) - self.median_ + 1e-6
        # Scans have room up to half way to the phantoms: none lies in between.
        half_way = (phantoms_least - self.median_[-1]) / 2
        self.scale_[-1] = max(self.scale_[-1], half_way)
        scores = -self._combine(distances)
        self.offset_ = float(np.quantile(scores, self.contamination))
        return self

    def score_samples(self, X):
        """How much each image is like a brain scan.

        Parameters
        ----------
        X : sequence of n images
            Of the same kind as in `fit`.

        Returns
        -------
        ndarray of shape (n,), float64
            Higher is more like one; most scans are above -1.

        Raises
        ------
        ImageReadError
            If images cannot be read: all of them, path by path.
        """
        check_is_fitted(self)
        features = self._image_features()
        scores = []
        for images in features.chunks(X):
            measured = self._measure(features.of_images(images))
            scores.append(-self._combine(self._all_distances(*measured)))
        return np.concatenate(scores).astype(np.float64)

    def decision_function(self, X):
        """How far each image is within the limit.

        Parameters
        ----------
        X : sequence of n images
            Of the same kind as in `fit`.

        Returns
        -------
        ndarray of shape (n,), float64
            Negative for what is no brain scan.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Whether each image is a brain scan.

        Parameters
        ----------
        X : sequence of n images
            Of the same kind as in `fit`.

        Returns
        -------
        ndarray of shape (n,), int
            1 for a scan, -1 for anything else.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    # --- inside ------------------------------------------------------------------

    def _check_params(self):
        share = self.contamination
        if not isinstance(share, Real) or not 0 < share <= 0.5:
            raise ValueError(
                "contamination must be a number above 0 and at most 0.5, got "
                f"{share!r}."
            )
        if not isinstance(self.n_components, Integral) or self.n_components < 1:
            raise ValueError(
                f"n_components must be a positive integer, got {self.n_components!r}."
            )

    def _image_features(self):
        # Built when first needed: a network of the classifier's own layers.
        if getattr(self, "_features", None) is None:
            self._features = ImageFeatures(self.estimator_)
        return self._features

    def _describe(self, X, rng):
        """Features of all images and of varied copies; the shape of the last."""
        parts, shape = [], None
        for images in self._features.chunks(X):
            parts.append(self._features.of_images(images))
            varied = [vary(image, rng) for image in images]
            if not self._features.takes_any_size:
                pairs = zip(varied, images, strict=True)
                varied = [v if v.shape == image.shape else image for v, image in pairs]
            parts.append(self._features.of_images(varied))
            shape = images[-1].shape
        described = [np.concatenate(each) for each in zip(*parts, strict=True)]
        if len(described[0]) < 20:
            n = len(described[0]) // 2
            raise ValueError(f"ScanGuard needs at least 10 images, got {n}.")
        return described, shape

    def _features_of_phantoms(self, shape, rng):
        shape = None if self._features.takes_any_size else shape
        parts = [self._features.of_images(some) for some in draw_phantoms(rng, shape)]
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    def _measure(self, features):
        """Coordinates in all subspaces side by side, and the distances."""
        pairs = [
            project(subspace, each)
            for subspace, each in zip(self.subspaces_, features, strict=True)
        ]
        return tuple(np.hstack(each) for each in zip(*pairs, strict=True))

    def _all_distances(self, coordinates, distances):
        return np.column_stack([distances, coordinates @ self.direction_])

    def _combine(self, distances):
        """One distance an image: 1 is rare among scans."""
        scaled = (distances - self.median_) / self.scale_
        two_largest = np.sort(scaled[:, :-1], axis=1)[:, -2:].mean(axis=1)
        return np.maximum(two_largest, scaled[:, -1])

    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_features", None)
        if "estimator_" in state:
            # Not what was given: a pipeline may have this guard as its attribute.
            state["estimator"] = None
        return state

    def __setstate__(self, state):
        if state.get("estimator") is None:  # a fitted one, maybe of a stranger
            check_state(state)
        super().__setstate__(state)
        if self.estimator is None:
            self.estimator = FrozenEstimator(self.estimator_)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "offset_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def _discriminant(coordinates, others):
    """The direction in which `others` differ most, for the spread of both kinds."""
    spreads = [np.cov(each.T.astype(np.float64)) for each in (coordinates, others)]
    covariance = np.mean(spreads, axis=0)
    diagonal = np.diag(np.diag(covariance))
    covariance = (1 - _RIDGE) * covariance + _RIDGE * diagonal
    covariance += 1e-6 * np.eye(len(covariance))
    difference = others.mean(axis=0) - coordinates.mean(axis=0)
    direction = np.linalg.solve(covariance, difference.astype(np.float64))
    return direction / max(np.linalg.norm(direction), 1e-12)
