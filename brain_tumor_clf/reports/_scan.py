"""What is kept of each image from reading it once, and which images are copies."""

from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import clone

from brain_tumor_clf import preprocessing
from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.model_selection import make_thumbnails

_OPTIONS = preprocessing.ImageReader("rgb")
_PERCENTILES = np.array([1, 5, 25, 50, 75, 90, 95, 99]) / 100 - 1e-12
_DARK = 10  # intensities up to this are air in most scans
# Pillow's mode -> name, where it is another one, and bits a channel, where not 8.
_MODES = {"1": "gray", "L": "gray", "I": "gray", "F": "gray", "LA": "gray+alpha"}
_MODES |= {"I;16": "gray", "P": "palette"}
_BITS = {"1": 1, "I": 32, "F": 32, "I;16": 16}
_CHANNEL_MODES = {1: "gray", 3: "RGB", 4: "RGBA"}
# From the worst to the least, as a copy of several kinds counts once.
KINDS = ("exact", "near", "mirrored", "rotated")


@dataclass
class ScanFeatures:
    """What is kept of each image; entries of all fields go together.

    Thumbnails, (n, 2, size, size), are whole and trimmed; notes those of readers.
    """

    frame: pd.DataFrame
    statistics: np.ndarray
    thumbnails: np.ndarray
    notes: dict

    def __len__(self):
        return len(self.frame)

    @property
    def readable(self):
        """Return which images could be read, an ndarray of bool of shape (n,)."""
        return self.frame["failure"].isna().to_numpy()

    def take(self, positions):
        """Return the features of some images, by position or by a boolean array."""
        frame = self.frame.iloc[positions].reset_index(drop=True)
        arrays = self.statistics[positions], self.thumbnails[positions]
        return ScanFeatures(frame, *arrays, self.notes)


def scan_features(*parts, size=32, n_jobs=None):
    """Read every image of one or more collections once and keep what reports need.

    Thumbnails have `size` pixels a side. Unreadable images are marked, not raised.
    """
    X = [source for part in parts for source in check_image_collection(part)]
    positions = [i for part in parts for i in range(len(part))]
    statistics = np.full((len(X), 7 + len(_PERCENTILES)), np.nan, dtype=np.float32)
    thumbnails = np.zeros((len(X), 2, size, size), dtype=np.float32)
    rows, notes = [], {}
    outcomes = preprocessing.iter_outcomes(lambda s: _examine(s, size), X, n_jobs)
    for i, outcome in enumerate(outcomes):
        name = preprocessing.source_name(X[i], positions[i])
        row = {"name": name, "failure": outcome.failure}
        if outcome.failure is None:
            facts, statistics[i], thumbnails[i] = outcome.image
            row.update(facts)
        rows.append(row)
        for _, text in outcome.notes:
            notes.setdefault(text, []).append(name)
    numbers = ["height", "width", "channels", "bits"]
    columns = ["name", "failure", *numbers, "mode", "digest"]
    # Objects: strings of pandas must be valid UTF-8, which names of files need not be.
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    frame = frame.astype(dict.fromkeys(numbers, "Int64"))
    frame["failure"] = frame["failure"].where(frame["failure"].notna(), None)
    return ScanFeatures(frame, statistics, thumbnails, notes)


def read_pixels(source):
    """Return a source that can be read as an RGB array."""
    return preprocessing.read_image(source, _OPTIONS)


def _examine(source, size):
    image = read_pixels(source)
    mode, channels, bits = _stored_as(source)
    # Gray stored as three equal channels is the same picture as gray.
    is_gray = (image[..., :1] == image).all()
    pixels = np.ascontiguousarray(image[..., 0] if is_gray else image)
    gray = preprocessing.luminance(pixels)
    facts = {"height": image.shape[0], "width": image.shape[1], "mode": mode}
    facts |= {"channels": channels, "bits": bits, "digest": joblib.hash(pixels)}
    return facts, _statistics(gray), make_thumbnails(gray, size)


def _stored_as(source):
    """Return mode, channels and bits a channel of a source that could be read."""
    if isinstance(source, np.ndarray):
        channels = source.shape[2] if source.ndim == 3 else 1
        bits = 1 if source.dtype == bool else 8 * source.dtype.itemsize
        return _CHANNEL_MODES[channels], channels, bits
    if isinstance(source, Image.Image):
        return _of_picture(source)
    with preprocessing.open_source(source) as file:
        head = file.read(512)
        file.seek(0)
        try:
            if not preprocessing.has_dicom_magic(head):
                with Image.open(file) as picture:  # the header alone
                    return _of_picture(picture)
        except Image.UnidentifiedImageError:
            file.seek(0)  # DICOM without its preamble
        return _of_dicom(file)


def _of_picture(picture):
    mode = "I;16" if picture.mode.startswith("I;16") else picture.mode
    n_channels = len(picture.getbands())
    return _MODES.get(mode, mode), n_channels, _BITS.get(mode, 8)


def _of_dicom(file):
    import pydicom

    tags = ["SamplesPerPixel", "BitsStored", "PhotometricInterpretation"]
    header = pydicom.dcmread(file, force=True, specific_tags=tags)
    channels = int(header.get("SamplesPerPixel", 1))
    mode = _CHANNEL_MODES.get(channels, f"{channels} channels")
    if "PALETTE" in str(header.get("PhotometricInterpretation", "")):
        mode = "palette"
    return mode, channels, int(header.get("BitsStored", 16))


def _statistics(gray):
    """Return 15 numbers of the histogram, which does not know where pixels lie."""
    counts = np.bincount(gray.ravel(), minlength=256)
    share = counts / counts.sum()
    levels = np.arange(256)
    mean = share @ levels
    std = np.sqrt(share @ (levels - mean) ** 2)
    z = (levels - mean) / max(std, 1e-9)
    some = share[share > 0]
    entropy = -(some * np.log2(some)).sum()
    percentiles = np.searchsorted(np.cumsum(share), _PERCENTILES)
    moments = [mean, std, share @ z**3, share @ z**4, entropy]
    ends = [share[: _DARK + 1].sum(), share[255]]
    return np.array([*moments, *ends, *percentiles], dtype=np.float32)


@dataclass
class Copies:
    """Copies among images, of which some may be test images.

    Of images with equal thumbnails only the first, `first_of`, is paired with others.
    """

    pairs: pd.DataFrame
    labels: np.ndarray
    digests: np.ndarray
    first_of: np.ndarray

    def kind_among(self, others):
        """Return the worst kind of copy that each image has among others, or None.

        `others` is an ndarray of bool; an image is no copy of itself.
        """
        i, j = self.first_of[self.pairs["i"]], self.first_of[self.pairs["j"]]
        links = pd.DataFrame({"of": np.append(i, j), "to": np.append(j, i)})
        links["rank"] = np.tile(self.pairs["kind"].map(KINDS.index).astype(float), 2)
        # Pairs within one set of equal thumbnails are counted image by image.
        links = links[links["of"] != links["to"]]
        links = links[links["to"].isin(self.first_of[others])]
        ranks = links.groupby("of")["rank"].min().reindex(self.first_of).to_numpy()
        is_near = _others_of_key(self.first_of, others)
        ranks = np.fmin(ranks, np.where(is_near, KINDS.index("near"), np.nan))
        ranks[_others_of_key(self.digests, others)] = 0
        kinds = [None if np.isnan(rank) else KINDS[int(rank)] for rank in ranks]
        return np.array(kinds, dtype=object)


def _others_of_key(keys, others):
    """Return whether each image has another one of its key among `others`."""
    counts = np.bincount(keys[others], minlength=len(keys) + 1)
    return counts[keys] - others > 0


def find_copies(features, grouper):
    """Return the `Copies` among images that were read; the grouper stays unfitted."""
    n = len(features)
    at = np.flatnonzero(features.readable)
    labels, first_of = np.arange(n), np.arange(n)
    pairs = pd.DataFrame(columns=["i", "j", "similarity", "transform"])
    if len(at):
        grouper = clone(grouper)
        grouper._validate_params()
        grouper.fit_thumbnails(features.thumbnails[at])
        first_of[at] = at[grouper._first_of]
        # The first image of a group is itself of the group: its number is the label.
        first_in_group = np.unique(grouper.labels_, return_index=True)[1]
        labels[at] = at[first_in_group[grouper.labels_]]
        pairs = grouper.pairs_.copy()
        pairs["i"], pairs["j"] = at[pairs["i"]], at[pairs["j"]]
    # An unreadable image has a digest of its own.
    digests = features.frame["digest"].where(features.readable, np.arange(n))
    digests = pd.factorize(digests)[0]
    pairs = _with_kinds(pairs, digests)
    return Copies(pairs, pd.factorize(labels)[0], digests, first_of)


def _with_kinds(pairs, digests):
    """Return pairs, those of equal pixels added, with the kind of each."""
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    j = np.flatnonzero(first[inverse] != np.arange(len(digests)))
    exact = pd.DataFrame({"i": first[inverse][j], "j": j})
    exact = exact.assign(similarity=1.0, transform="identity")
    # Older pandas warns of empty tables.
    parts = [part for part in (exact, pairs) if len(part)]
    pairs = pd.concat(parts, ignore_index=True) if parts else exact
    pairs = pairs.drop_duplicates(["i", "j"])
    pairs = pairs.sort_values(["i", "j"], kind="stable", ignore_index=True)
    i, j = pairs["i"].to_numpy(int), pairs["j"].to_numpy(int)
    transform = pairs["transform"].astype(str)
    is_kind = [digests[i] == digests[j], transform == "identity", transform == "mirror"]
    pairs.insert(2, "kind", np.select(is_kind, KINDS[:3], default=KINDS[3]))
    return pairs.astype({"i": int, "j": int, "similarity": float})


def image_table(features, y, is_test, groups, copies):
    """Return one row an image, training images first; see `DatasetAudit.to_frame`."""
    of_training, of_test = copies.kind_among(~is_test), copies.kind_among(is_test)
    facts = features.frame
    table = pd.DataFrame(
        {
            "split": np.where(is_test, "test", "train"),
            "index": np.arange(len(y)) - (~is_test).sum() * is_test,
            "name": facts["name"],
            "label": pd.Series(y).infer_objects(),
            "group": groups,
            "copy_group": copies.labels,
            **facts[["height", "width", "mode", "bits"]],
            "brightness": features.statistics[:, 0],
            "failure": facts["failure"],
            "copy": np.where(is_test, of_test, of_training),
        }
    )
    if is_test.any():
        table["copy_in_training"] = np.where(is_test, of_training, None)
        table["group_in_training"] = is_test & np.isin(groups, groups[~is_test])
    return table


def pair_table(images, copies):
    """Return one row a pair of copies, in words that need no other table."""
    columns = {}
    for side in ("i", "j"):
        part = images.iloc[copies.pairs[side].to_numpy()].reset_index(drop=True)
        columns[f"split_{side}"], columns[side] = part["split"], part["index"]
        columns[f"name_{side}"], columns[f"label_{side}"] = part["name"], part["label"]
    table = pd.DataFrame(columns)
    for name in ("kind", "similarity", "transform"):
        table[name] = copies.pairs[name].to_numpy()
    table["labels_differ"] = table["label_i"] != table["label_j"]
    table["crosses"] = table["split_i"] != table["split_j"]
    return table


def join_groups(labels, links):
    """Join groups that have a link in common; None or NaN marks an unknown link.

    The groups are numbered in the order of their first images.
    """
    codes, names = pd.factorize(labels)
    link_codes, link_names = pd.factorize(links)
    known = link_codes >= 0
    n = len(names) + len(link_names)
    edges = codes[known], link_codes[known] + len(names)
    graph = coo_array((np.ones(known.sum(), dtype=bool), edges), shape=(n, n))
    _, components = connected_components(graph, directed=False)
    return pd.factorize(components[codes])[0]
