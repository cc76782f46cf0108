"""Find images that are copies of each other."""

import hashlib
from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from brain_tumor_clf.model_selection._thumbnails import (
    VIEWS,
    make_thumbnails,
    nearest,
    similar_pairs,
    to_vectors,
    transforms,
)
from brain_tumor_clf.preprocessing import ImageReader

_READ_SIZE = 128  # pixels a side; enough to average thumbnails from


class NearDuplicateGrouper(ClusterMixin, BaseEstimator):
    """Group images that are copies of each other, mirror images included.

    Two images are copies if their thumbnails correlate, either whole or with dark
    borders trimmed, as they are or mirrored. Copies of copies are in the same group.
    Pass the labels as `groups` to scikit-learn's splitters.

    Parameters
    ----------
    threshold : float, default=0.97
        Lowest correlation of copies, in (0, 1].
    mirror : bool, default=True
        Whether to search for left-right mirrored copies.
    rotations : bool, default=False
        Whether to search for copies rotated by 90, 180 and 270 degrees.
    size : int, default=32
        Side of the thumbnails, in pixels.
    n_jobs : int or None, default=None
        Number of threads that read images; None means one, -1 one per core.

    Attributes
    ----------
    labels_ : ndarray of shape (n,), int
        Group of each image, numbered in the order of first occurrence.
    pairs_ : DataFrame
        Columns "i" and "j" (positions, i < j), "similarity" and "transform" (which
        turns j into a copy of i). Among images with equal thumbnails, only the first is
        compared with other images, and the others are paired with it.
    n_groups_ : int
        Number of groups.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : Splits that keep groups whole.

    Notes
    -----
    Correlations do not depend on brightness and contrast, and little on re-encoding and
    resizing. Neighboring slices of a patient may be grouped too. That is intended: they
    must not be on both sides of a split either. Images of a patient that do not look
    alike can only be grouped by `links`.

    Similarities are computed in blocks. Memory grows with the number of images and
    pairs, time with the square of the number of images.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf import NearDuplicateGrouper, make_brain_mri
    >>> scans = make_brain_mri(n_samples=4, image_size=(64, 64), random_state=0)
    >>> X = [*scans.data, scans.data[1][:, ::-1]]
    >>> NearDuplicateGrouper().fit(X).pairs_[["i", "j", "transform"]].values.tolist()
    [[1, 4, 'mirror']]
    """

    _parameter_constraints = {
        "threshold": [Interval(Real, 0, 1, closed="right")],
        "mirror": ["boolean"],
        "rotations": ["boolean"],
        "size": [Interval(Integral, 4, _READ_SIZE, closed="both")],
    }

    def __init__(
        self, threshold=0.97, *, mirror=True, rotations=False, size=32, n_jobs=None
    ):
        self.threshold = threshold
        self.mirror = mirror
        self.rotations = rotations
        self.size = size
        self.n_jobs = n_jobs

    def fit(self, X, y=None, links=None):
        """Find the copies among images.

        Parameters
        ----------
        X : sequence of n images
            Anything that `ImageReader` reads.
        y : None
            Ignored.
        links : array-like of shape (n,), default=None
            Known groups, such as patients: images with equal entries are grouped
            whatever they look like. None or NaN means unknown.

        Returns
        -------
        self : NearDuplicateGrouper

        Raises
        ------
        ImageReadError
            If images cannot be read; it lists all of them.
        """
        self._validate_params()
        check_consistent_length(X, links)
        return self.fit_thumbnails(self._make_thumbnails(X), links)

    def fit_thumbnails(self, thumbnails, links=None):
        """Fit to thumbnails from `make_thumbnails`, which reports compute once."""
        self._thumbnails = thumbnails
        n = len(thumbnails)
        self._first_of = _first_equal(thumbnails)
        self.pairs_ = self._find_pairs(self._first_of)
        edges = np.vstack([self.pairs_[["i", "j"]].to_numpy(), _link_edges(links)])
        graph = coo_array((np.ones(len(edges), bool), tuple(edges.T)), shape=(n, n))
        _, labels = connected_components(graph, directed=False)
        self.labels_ = pd.factorize(labels)[0]
        self.n_groups_ = int(self.labels_.max()) + 1
        return self

    def query(self, X):
        """Find the most similar fitted image for each of other images.

        Parameters
        ----------
        X : sequence of m images
            As in `fit`.

        Returns
        -------
        DataFrame of m rows
            Columns "index" (position among the fitted images), "similarity" and
            "transform" (which turns the new image into a copy of the fitted one).
        """
        check_is_fitted(self)
        return find_nearest(
            self._thumbnails, self._make_thumbnails(X), self._transforms()
        )

    def _transforms(self):
        return transforms(self.mirror, self.rotations)

    def _make_thumbnails(self, X):
        reader = ImageReader("grayscale", _READ_SIZE, n_jobs=self.n_jobs)
        images = reader.fit(X).iter_transform(X)
        return np.stack([make_thumbnails(image, self.size) for image in images])

    def _find_pairs(self, first_of):
        """Return pairs of distinct thumbnails, and of equal ones with the first."""
        distinct, found = np.unique(first_of), []
        for view in range(len(VIEWS)):
            vectors = to_vectors(self._thumbnails[:, view], distinct)
            for name, change in self._transforms().items():
                i, j, similarity = similar_pairs(vectors, self.threshold, change)
                found.append(_pair_frame(distinct[i], distinct[j], similarity, name))
        copies = np.flatnonzero(first_of != np.arange(len(first_of)))
        found.append(_pair_frame(first_of[copies], copies, 1.0, "identity"))
        pairs = pd.concat(found, ignore_index=True)
        pairs = pairs.sort_values(
            ["i", "j", "similarity"], ascending=[True, True, False], kind="stable"
        )
        return pairs.drop_duplicates(["i", "j"], ignore_index=True)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def _first_equal(thumbnails):
    """Return the position of the first thumbnail that equals each one, (n,)."""
    # By digest: sorting the thumbnails would copy them several times.
    digests = [
        hashlib.blake2b(np.ascontiguousarray(one), digest_size=16).hexdigest()
        for one in thumbnails
    ]
    positions = pd.Series(range(len(digests)))
    return positions.groupby(digests, sort=False).transform("first").to_numpy()


def find_nearest(thumbnails, queries, changes):
    """Return what `NearDuplicateGrouper.query` returns, of ``(n, 2, size, size)``.

    `changes` are functions from `transforms`, applied to the queries.
    """
    found = []
    for view in range(len(VIEWS)):
        vectors = to_vectors(thumbnails[:, view])
        for name, change in changes.items():
            index, similarity = nearest(to_vectors(change(queries[:, view])), vectors)
            frame = pd.DataFrame({"index": index, "similarity": similarity})
            found.append(frame.assign(transform=name))
    found = pd.concat(found).sort_values("similarity", ascending=False, kind="stable")
    return found.groupby(level=0).first()


def _pair_frame(i, j, similarity, transform):
    """Return rows of `pairs_`."""
    similarity = np.broadcast_to(np.float32(similarity), len(i))
    pairs = {"i": i, "j": j, "similarity": similarity, "transform": transform}
    return pd.DataFrame(pairs, columns=list(pairs))


def _link_edges(links):
    """Return edges (m, 2) that chain the images of each known link."""
    if links is None:
        return np.empty((0, 2), dtype=int)
    keys = pd.Series(links, dtype=object).to_numpy()
    previous = pd.Series(range(len(keys))).groupby(keys, sort=False).shift().dropna()
    return np.column_stack([previous.astype(int), previous.index])
