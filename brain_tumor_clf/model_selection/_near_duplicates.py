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

from brain_tumor_clf.model_selection._similarity import nearest, similar_pairs
from brain_tumor_clf.model_selection._thumbnails import (
    VIEWS,
    make_thumbnails,
    to_vectors,
    transforms,
)
from brain_tumor_clf.preprocessing import ImageReader

# Thumbnails of 32 pixels need no more to be averaged from.
_READ_SIZE = 128


class NearDuplicateGrouper(ClusterMixin, BaseEstimator):
    """Group images that are copies of each other, mirror images included.

    Two images are copies if their thumbnails correlate, either whole or with their
    dark borders trimmed, as they are or mirrored. Copies of copies are in one group.
    The labels go to scikit-learn's group splitters as they are.

    Parameters
    ----------
    threshold : float, default=0.97
        Least correlation of copies, in (0, 1].
    mirror : bool, default=True
        Look for left-right mirrored copies too.
    rotations : bool, default=False
        Look for copies turned by 90, 180 and 270 degrees too.
    size : int, default=32
        Side of the thumbnails, in pixels.
    n_jobs : int or None, default=None
        Threads that read; None is one, -1 is one per core.

    Attributes
    ----------
    labels_ : ndarray of shape (n,), int
        Group of each image, numbered in the order of their first images.
    pairs_ : DataFrame
        Columns "i" and "j" (positions, i < j), "similarity" and "transform" (what
        turns j into a copy of i). Of images with equal thumbnails only the first is
        compared with others, and each is paired with it, so that many copies of one
        image make few rows.
    n_groups_ : int
        Number of groups.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : Splits that keep groups whole.

    Notes
    -----
    Brightness and contrast do not change a correlation, re-encoding and resizing do
    little. Neighbouring slices of one patient may be grouped as well, and should be:
    they, too, must not lie on both sides of a split. That patients have several
    slices that do not look alike, no picture tells: give known patients as `links`.

    Similarities are computed in blocks and never all kept; memory grows with the
    number of images and of pairs, time with the square of the former.

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
            Whatever `ImageReader` takes: paths, arrays and others.
        y : None
            Ignored.
        links : array-like of shape (n,), default=None
            What is known beside the pictures, such as patients: images with the same
            entry are in one group. None or NaN marks what is not known.

        Returns
        -------
        self : object
            The fitted grouper.

        Raises
        ------
        ImageReadError
            If images cannot be read; it names all of them.
        """
        self._validate_params()
        check_consistent_length(X, links)
        return self._fit_thumbnails(self._make_thumbnails(X), links)

    def _fit_thumbnails(self, thumbnails, links=None):
        """Fit to thumbnails of `make_thumbnails`, for who has read the images."""
        self._thumbnails = thumbnails
        n = len(thumbnails)
        # Equal thumbnails are compared once: many copies of an image are not rare.
        self._first_of = _first_equal(thumbnails)
        self.pairs_ = self._find_pairs(np.unique(self._first_of), self._first_of)
        edges = np.vstack([self.pairs_[["i", "j"]].to_numpy(), _link_edges(links)])
        graph = coo_array((np.ones(len(edges), bool), tuple(edges.T)), shape=(n, n))
        _, labels = connected_components(graph, directed=False)
        self.labels_ = pd.factorize(labels)[0]
        self.n_groups_ = int(self.labels_.max()) + 1
        return self

    def fit_predict(self, X, y=None, links=None):
        """Find the copies among images and return the group of each.

        Parameters
        ----------
        X : sequence of n images
            As in `fit`.
        y : None
            Ignored.
        links : array-like of shape (n,), default=None
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,), int
            `labels_`.
        """
        return self.fit(X, links=links).labels_

    def query(self, X):
        """The most similar of the fitted images for each of other images.

        Parameters
        ----------
        X : sequence of m images
            As in `fit`.

        Returns
        -------
        DataFrame of m rows
            Columns "index" (position among the fitted images), "similarity" and
            "transform" (what turns the new image into a copy of the fitted one).
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

    def _find_pairs(self, distinct, first_of):
        """Pairs of distinct images, then each further copy with its first."""
        found = []
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
    """Position of the first thumbnail that equals each one, (n,).

    By their digests: sorting them would copy them several times.
    """
    digests = [
        hashlib.blake2b(np.ascontiguousarray(one), digest_size=16).digest()
        for one in thumbnails
    ]
    codes, _ = pd.factorize(np.array(digests, dtype=object))
    return np.unique(codes, return_index=True)[1][codes]


def find_nearest(thumbnails, queries, changes):
    """The most similar thumbnail of each query, of all views and changes.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, 2, size, size)
        Of `make_thumbnails`.
    queries : ndarray of shape (m, 2, size, size)
        The same of other images.
    changes : dict of str to callable
        Of `transforms`; the queries are changed.

    Returns
    -------
    DataFrame of m rows
        As `NearDuplicateGrouper.query` returns it.
    """
    best = None
    for view in range(len(VIEWS)):
        vectors = to_vectors(thumbnails[:, view])
        for name, change in changes.items():
            index, similarity = nearest(to_vectors(change(queries[:, view])), vectors)
            found = pd.DataFrame({"index": index, "similarity": similarity})
            found["transform"] = name
            if best is None:
                best = found
            else:
                best = best.where(best["similarity"] >= similarity, found)
    return best.astype({"index": int})


def _pair_frame(i, j, similarity, transform):
    similarity = np.broadcast_to(np.float32(similarity), len(i))
    pairs = {"i": i, "j": j, "similarity": similarity, "transform": transform}
    return pd.DataFrame(pairs, columns=list(pairs))


def _link_edges(links):
    """Edges (m, 2) that chain the images of each known link."""
    if links is None:
        return np.empty((0, 2), dtype=int)
    codes, _ = pd.factorize(np.asarray(links, dtype=object))
    known = np.flatnonzero(codes >= 0)
    order = known[np.argsort(codes[known], kind="stable")]
    same = codes[order][1:] == codes[order][:-1]
    return np.column_stack([order[:-1][same], order[1:][same]])
