"""Which images are copies of which, of what kind, and on which side of a split."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import clone

from brain_tumor_clf.reports._scan import ScanFeatures

# From the worst to the least, as a copy of several kinds counts once.
KINDS = ("exact", "near", "mirrored", "rotated")


@dataclass
class Copies:
    """Copies among n images, of which some may be test images.

    Attributes
    ----------
    pairs : DataFrame
        Columns "i", "j" (positions, i < j), "kind" (of `KINDS`), "similarity" and
        "transform". Of many images with equal thumbnails only the first is paired
        with others.
    labels : ndarray of shape (n,), int
        Group of copies of each image; an image that cannot be read is one by itself.
    digests : ndarray of shape (n,), int
        Equal for images of equal pixels.
    """

    pairs: pd.DataFrame
    labels: np.ndarray
    digests: np.ndarray
    _first_of: np.ndarray

    def kind_among(self, others):
        """The worst kind of copy that each image has among others.

        Parameters
        ----------
        others : ndarray of bool, shape (n,)
            The images in which copies are looked for; an image is no copy of itself.

        Returns
        -------
        ndarray of shape (n,), dtype object
            Of `KINDS`, or None.
        """
        n = len(self.labels)
        kinds = np.full(n, None, dtype=object)
        for kind in reversed(KINDS):
            kinds[self._has_copy(kind, others)] = kind
        return kinds

    def _has_copy(self, kind, others):
        n = len(self.labels)
        if kind == "exact":
            return _others_of_key(self.digests, others)
        counts = np.bincount(self._first_of[others], minlength=n)
        paired = np.zeros(n, dtype=bool)
        pairs = self.pairs[self.pairs["kind"] == kind]
        i, j = pairs["i"].to_numpy(), pairs["j"].to_numpy()
        first_i, first_j = self._first_of[i], self._first_of[j]
        # Pairs within one set of equal thumbnails are counted below, image by image.
        apart = first_i != first_j
        first_i, first_j = first_i[apart], first_j[apart]
        paired[first_i[counts[first_j] > 0]] = True
        paired[first_j[counts[first_i] > 0]] = True
        has_copy = paired[self._first_of]
        if kind == "near":
            has_copy |= _others_of_key(self._first_of, others)
        return has_copy


def find_copies(features, grouper):
    """Find the copies among images that were read.

    Parameters
    ----------
    features : ScanFeatures
        Of n images, training images first; thumbnails of ``grouper.size``.
    grouper : NearDuplicateGrouper
        Unfitted, and left so.

    Returns
    -------
    Copies
    """
    n = len(features)
    at = np.flatnonzero(features.readable)
    labels = np.arange(n)
    first_of = np.arange(n)
    pairs = pd.DataFrame(columns=["i", "j", "similarity", "transform"])
    if len(at):
        grouper = clone(grouper)
        grouper._validate_params()
        grouper._fit_thumbnails(features.thumbnails[at])
        first_of[at] = at[grouper._first_of]
        # The first image of a group is itself of the group: its number is the label.
        first_in_group = np.unique(grouper.labels_, return_index=True)[1]
        labels[at] = at[first_in_group[grouper.labels_]]
        pairs = grouper.pairs_.assign(
            i=at[grouper.pairs_["i"]], j=at[grouper.pairs_["j"]]
        )
    digests = _digest_codes(features)
    labels = pd.factorize(labels)[0]
    return Copies(_with_kinds(pairs, digests), labels, digests, first_of)


def join_groups(labels, links):
    """Join groups of images that have a link in common.

    Parameters
    ----------
    labels : ndarray of shape (n,), int
        Group of each image.
    links : array-like of shape (n,) or None
        What is known beside; None or NaN marks what is not known.

    Returns
    -------
    ndarray of shape (n,), int
        Numbered in the order of first images.
    """
    codes, names = pd.factorize(np.asarray(labels))
    if links is None:
        return codes
    link_codes, link_names = pd.factorize(np.asarray(links, dtype=object))
    known = link_codes >= 0
    n = len(names) + len(link_names)
    edges = codes[known], link_codes[known] + len(names)
    graph = coo_array((np.ones(known.sum(), dtype=bool), edges), shape=(n, n))
    _, components = connected_components(graph, directed=False)
    return pd.factorize(components[codes])[0]


def stack_features(*features):
    """The features of several collections as of one."""
    notes = {}
    for part in features:
        for text, names in part.notes.items():
            notes.setdefault(text, []).extend(names)
    return ScanFeatures(
        pd.concat([part.frame for part in features], ignore_index=True),
        np.concatenate([part.statistics for part in features]),
        np.concatenate([part.thumbnails for part in features]),
        notes,
    )


def _others_of_key(keys, others):
    """Whether each image has another one of its key among `others`."""
    counts = np.bincount(keys[others], minlength=len(keys) + 1)
    return counts[keys] - others > 0


def _digest_codes(features):
    """A number for each distinct picture; an unreadable image has one of its own."""
    names = features.frame["digest"].where(
        features.readable, [f"unread {i}" for i in range(len(features))]
    )
    return pd.factorize(names)[0]


def _with_kinds(pairs, digests):
    exact = _exact_pairs(digests)
    # Older pandas warns of empty tables.
    parts = [part for part in (exact, pairs) if len(part)]
    pairs = pd.concat(parts, ignore_index=True) if parts else exact
    pairs = pairs.drop_duplicates(["i", "j"]).sort_values(
        ["i", "j"], kind="stable", ignore_index=True
    )
    transform = pairs["transform"].astype(str)
    kind = np.select(
        [
            digests[pairs["i"].to_numpy(int)] == digests[pairs["j"].to_numpy(int)],
            transform == "identity",
            transform == "mirror",
        ],
        KINDS[:3],
        default=KINDS[3],
    )
    pairs.insert(2, "kind", kind)
    return pairs.astype({"i": int, "j": int, "similarity": float})


def _exact_pairs(digests):
    """Each image of known pixels with the first one that has them."""
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    j = np.flatnonzero(first[inverse] != np.arange(len(digests)))
    columns = {"i": first[inverse][j], "j": j, "similarity": 1.0}
    return pd.DataFrame({**columns, "transform": "identity"})
