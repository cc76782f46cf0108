"""An out-of-distribution detector for images that are not brain scans."""

import numpy as np
from sklearn.utils import check_random_state

from brain_tumor_clf.outlier_detection._network_guard import NetworkGuard
from brain_tumor_clf.outlier_detection._subspace import (
    fit_subspace,
    is_consistent,
    project,
)
from brain_tumor_clf.outlier_detection._training_images import draw_phantoms, vary

_USUAL = 0.995  # quantile of the scans' distances that is scaled to 1
_FEW = 0.05  # quantile of the phantoms that stands for the one nearest to scans
_RIDGE = 0.1


class ScanGuard(NetworkGuard):
    """Detect images that are not brain scans, with the network of a classifier.

    A classifier assigns a class to any image, even a black one or a knee. The guard
    describes an image by mean and spread of the network's feature maps at every
    resolution, computed in one pass, and by 27 statistics of the image as read. For
    each of these descriptions it measures the Mahalanobis distance to the scans seen in
    `fit` within the principal axes [1]_, and the distance to the subspace that they
    span [2]_. The score is the mean of the two largest distances, scaled so that 1 is
    rare among scans. Each scan is used twice in `fit`: as it is, and as a copy that is
    rotated, mirrored, sharpened or blurred.

    `fit` also draws phantoms of `make_brain_mri`, which are meant to look like scans,
    and learns to refuse them by a linear discriminant. It needs no other images that
    are not scans.

    Parameters
    ----------
    estimator : fitted estimator
        A classifier of this package, alone or at the end of a pipeline of image
        transformers. Use ``FrozenEstimator(pipe)`` if the guard is to be cloned.
    contamination : float, default=0.002
        Share of the images of `fit` to be refused, in (0, 0.5].
    n_components : int, default=24
        Highest number of principal axes of each description.
    random_state : int, RandomState or None, default=0
        Seed of the varied copies and the phantoms.

    Attributes
    ----------
    offset_ : float
        ``decision_function(X) = score_samples(X) - offset_``.
    estimator_ : Pipeline
        The image transformers and the network of `estimator`, shared with it.

    References
    ----------
    .. [1] K. Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution
       Samples and Adversarial Attacks", NeurIPS 2018.
    .. [2] H. Wang et al., "ViM: Out-Of-Distribution with Virtual-logit Matching",
       CVPR 2022.

    Examples
    --------
    Phantoms stand in for real scans here:

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

    _parameter_constraints = {
        **NetworkGuard._parameter_constraints,
        "random_state": ["random_state"],
    }

    def __init__(
        self, estimator, *, contamination=0.002, n_components=24, random_state=0
    ):
        self.estimator = estimator
        self.contamination = contamination
        self.n_components = n_components
        self.random_state = random_state

    def _learn(self, X):
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
        # Between scans and phantoms the boundary may lie half way.
        half_way = (phantoms_least - self.median_[-1]) / 2
        self.scale_[-1] = max(self.scale_[-1], half_way)
        scores = -self._combine(distances)
        return scores

    def _scores(self, features):
        """Return one score per image, from its features."""
        return -self._combine(self._all_distances(*self._measure(features)))

    @staticmethod
    def _is_consistent(state):
        return is_consistent(state)

    def _describe(self, X, rng):
        """Return features of all images and their copies, and the shape of the last."""
        parts, shape = [], None
        for images in self._features.chunks(X):
            parts.append(self._features.of_images(images))
            varied = [vary(image, rng) for image in images]
            if not self._features.takes_any_size:
                pairs = zip(varied, images, strict=True)
                varied = [v if v.shape == image.shape else image for v, image in pairs]
            parts.append(self._features.of_images(varied))
            shape = images[-1].shape
        self._check_number(sum(len(part[0]) for part in parts) // 2)
        return _join(parts), shape

    def _features_of_phantoms(self, shape, rng):
        """Return features of phantoms, of the given shape if the network needs it."""
        shape = None if self._features.takes_any_size else shape
        return _join(self._features.of_images(x) for x in draw_phantoms(rng, shape))

    def _measure(self, features):
        """Return the coordinates in all subspaces side by side, and the distances."""
        pairs = [
            project(subspace, each)
            for subspace, each in zip(self.subspaces_, features, strict=True)
        ]
        return tuple(np.hstack(each) for each in zip(*pairs, strict=True))

    def _all_distances(self, coordinates, distances):
        """Return the distances and, last, the position along the discriminant."""
        return np.column_stack([distances, coordinates @ self.direction_])

    def _combine(self, distances):
        """Return one distance for each image; 1 is rare among scans."""
        scaled = (distances - self.median_) / self.scale_
        two_largest = np.sort(scaled[:, :-1], axis=1)[:, -2:].mean(axis=1)
        return np.maximum(two_largest, scaled[:, -1])


def _join(parts):
    """Concatenate lists of feature arrays, depth by depth."""
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _discriminant(coordinates, others):
    """Return the unit normal of the linear discriminant, pointing to `others`."""
    spreads = [np.cov(each.T.astype(np.float64)) for each in (coordinates, others)]
    covariance = np.mean(spreads, axis=0)
    diagonal = np.diag(np.diag(covariance))
    covariance = (1 - _RIDGE) * covariance + _RIDGE * diagonal
    covariance += 1e-6 * np.eye(len(covariance))
    difference = others.mean(axis=0) - coordinates.mean(axis=0)
    direction = np.linalg.solve(covariance, difference.astype(np.float64))
    return direction / max(np.linalg.norm(direction), 1e-12)
