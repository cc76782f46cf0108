"""A novelty detector for scans of sources that a network was not trained on."""

from numbers import Integral

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils._param_validation import Interval

from brain_tumor_clf.outlier_detection._network_guard import NetworkGuard


class FamiliarityGuard(NetworkGuard):
    """Detect scans that are unlike all scans that a network was trained on.

    Of another hospital, another sequence or another disease than those of training, a
    network's probabilities say little, high ones included. This detector takes the
    features that the network's last layer sees, pooled over the image and scaled to
    unit length, and measures their distance to those of the nearest scans of `fit`
    [1]_ along their principal axes.

    Parameters
    ----------
    estimator : fitted estimator
        A classifier of this package, alone or at the end of a pipeline of image
        transformers. Use ``FrozenEstimator(pipe)`` if the guard is to be cloned.
    contamination : float, default=0.01
        Share of the images of `fit` to be unfamiliar, in (0, 0.5]. Among scans of the
        same sources that the network was not trained on, it is larger: their features
        are less near.
    n_components : int, default=64
        Highest number of principal axes.
    n_neighbors : int, default=10
        Number of the nearest scans whose mean distance counts.

    Attributes
    ----------
    offset_ : float
        ``decision_function(X) = score_samples(X) - offset_``.
    estimator_ : Pipeline
        The image transformers and the network of `estimator`, shared with it.
    axes_ : Pipeline
        Scales features to unit length and projects them onto the principal axes.
    reference_ : ndarray of shape (n, n_components), float16
        The scans of `fit` along the axes.

    See Also
    --------
    ScanGuard : Detect images that are not brain scans.
    SelectiveClassifier : Takes one as its `familiarity`.

    References
    ----------
    .. [1] Y. Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors",
       ICML 2022.

    Examples
    --------
    >>> from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri
    >>> from brain_tumor_clf import make_mri_pipeline
    >>> from brain_tumor_clf.outlier_detection import FamiliarityGuard
    >>> X, y = make_brain_mri(24, 48, random_state=0, return_X_y=True)
    >>> clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> pipe = make_mri_pipeline(clf, image_size=24).fit(X, y)
    >>> guard = FamiliarityGuard(pipe, contamination=0.1).fit(X)
    >>> int((guard.predict(X) == -1).sum())
    3
    """

    _parameter_constraints = {
        **NetworkGuard._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, estimator, *, contamination=0.01, n_components=64, n_neighbors=10
    ):
        self.estimator = estimator
        self.contamination = contamination
        self.n_components = n_components
        self.n_neighbors = n_neighbors

    def _learn(self, X):
        features = self._features
        chunks = features.chunks(X)
        vectors = [_pooled(features.of_images(images)) for images in chunks]
        vectors = np.concatenate(vectors) if vectors else np.empty((0, 1))
        self._check_number(len(vectors))
        k = min(self.n_components, *vectors.shape)
        solver = "full" if len(vectors) < vectors.shape[1] else "covariance_eigh"
        pca = PCA(k, svd_solver=solver)
        self.axes_ = Pipeline([("scale", Normalizer()), ("pca", pca)])
        self.reference_ = self.axes_.fit_transform(vectors).astype(np.float16)
        return self._similarity(vectors)

    def _scores(self, features):
        """Return the negative distance of each image to the nearest scans of `fit`."""
        return self._similarity(_pooled(features))

    def _similarity(self, vectors):
        k = min(self.n_neighbors, len(self.reference_))
        neighbors = NearestNeighbors(n_neighbors=k, algorithm="brute")
        neighbors.fit(self.reference_.astype(np.float32))
        return -neighbors.kneighbors(self.axes_.transform(vectors))[0].mean(axis=1)

    @staticmethod
    def _is_consistent(state):
        axes, reference = state.get("axes_"), state.get("reference_")
        if not isinstance(axes, Pipeline) or not isinstance(axes[-1], PCA):
            return False
        pca = axes[-1]
        arrays = [reference, *(getattr(pca, a, None) for a in ("components_", "mean_"))]
        return (
            all(isinstance(each, np.ndarray) for each in arrays)
            and all(np.isfinite(each).all() for each in arrays)
            and reference.ndim == 2
            and pca.components_.shape == (reference.shape[1], len(pca.mean_))
        )


def _pooled(features):
    """Return the means of the last feature maps; before them are less deep ones."""
    *_, last, _statistics = features
    return np.split(last, 2, axis=1)[0]
