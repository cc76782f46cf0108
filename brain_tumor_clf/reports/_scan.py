"""What the audit and the controls see of an image, gathered while it is read once."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.model_selection._thumbnails import make_thumbnails
from brain_tumor_clf.preprocessing import (
    ReadOptions,
    has_dicom_magic,
    iter_outcomes,
    luminance,
    open_source,
    read_image,
    source_name,
)

_OPTIONS = ReadOptions("rgb")
_PERCENTILES = (1, 5, 25, 50, 75, 90, 95, 99)
STATISTICS = (
    "mean", "std", "skewness", "kurtosis", "entropy", "dark_share", "saturated_share",
    *(f"percentile_{q}" for q in _PERCENTILES),
)  # fmt: skip
_DARK = 10  # grey levels up to this are air in most scans
# Pillow's mode -> name, channels, bits a channel.
_MODES = {
    "1": ("grey", 1, 1),
    "L": ("grey", 1, 8),
    "LA": ("grey+alpha", 2, 8),
    "I": ("grey", 1, 32),
    "F": ("grey", 1, 32),
    "P": ("palette", 1, 8),
    "RGB": ("RGB", 3, 8),
    "RGBA": ("RGBA", 4, 8),
    "CMYK": ("CMYK", 4, 8),
    "YCbCr": ("YCbCr", 3, 8),
    "LAB": ("LAB", 3, 8),
}
_CHANNEL_MODES = {1: "grey", 3: "RGB", 4: "RGBA"}


@dataclass
class ScanFeatures:
    """What is kept of each image of a collection; entries of all fields go together.

    Attributes
    ----------
    frame : DataFrame of n rows
        Columns "name", "failure" (why an image cannot be read, None if it can),
        "height" and "width" in pixels, "mode" ("grey", "RGB", …), "channels", "bits"
        (a channel, as stored) and "digest" (of the decoded pixels). All but the first
        two are missing where an image cannot be read.
    statistics : ndarray of shape (n, 15), float32
        In the order of `STATISTICS`; NaN where an image cannot be read.
    thumbnails : ndarray of shape (n, 2, size, size), float32
        Thumbnails of `NearDuplicateGrouper`, whole and trimmed.
    notes : dict of str to list of str
        What readers remarked -> names of the images.
    """

    frame: pd.DataFrame
    statistics: np.ndarray
    thumbnails: np.ndarray
    notes: dict

    def __len__(self):
        return len(self.frame)

    @property
    def readable(self):
        """Which images could be read: ndarray of bool, shape (n,)."""
        return self.frame["failure"].isna().to_numpy()

    def take(self, positions):
        """The features of some images, by position or by a boolean array."""
        return ScanFeatures(
            self.frame.iloc[positions].reset_index(drop=True),
            self.statistics[positions],
            self.thumbnails[positions],
            self.notes,
        )


def scan_features(X, *, size=32, n_jobs=None):
    """Read every image once and keep what the audit and the controls need of it.

    Parameters
    ----------
    X : sequence of n images
        Whatever `ImageReader` takes.
    size : int, default=32
        Side of the thumbnails, in pixels.
    n_jobs : int or None, default=None
        Threads that read; None is one, -1 is one per core.

    Returns
    -------
    ScanFeatures
        Images that cannot be read are marked, not raised.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.reports._scan import scan_features
    >>> features = scan_features([np.eye(40, dtype=np.uint16), "no-such-file.png"])
    >>> features.readable.tolist(), int(features.frame["bits"][0])
    ([True, False], 16)
    """
    X = check_image_collection(X)
    n = len(X)
    statistics = np.full((n, len(STATISTICS)), np.nan, dtype=np.float32)
    thumbnails = np.zeros((n, 2, size, size), dtype=np.float32)
    rows, notes = [], {}
    for i, outcome in enumerate(iter_outcomes(lambda s: _examine(s, size), X, n_jobs)):
        row = {"name": source_name(X[i], i), "failure": outcome.failure}
        if outcome.failure is None:
            facts, statistics[i], thumbnails[i] = outcome.image
            row.update(facts)
        rows.append(row)
        for _, text in outcome.notes:
            notes.setdefault(text, []).append(row["name"])
    columns = ["name", "failure", "height", "width", "mode", "channels", "bits"]
    frame = pd.DataFrame(rows, columns=[*columns, "digest"])
    numbers = ["height", "width", "channels", "bits"]
    frame = frame.astype(dict.fromkeys(numbers, "Int64") | {"failure": object})
    frame["failure"] = frame["failure"].where(frame["failure"].notna(), None)
    return ScanFeatures(frame, statistics, thumbnails, notes)


def _examine(source, size):
    image = read_image(source, _OPTIONS)
    mode, channels, bits = _stored_as(source)
    # Grey stored as three equal channels is the same picture as grey.
    is_grey = (image[..., :1] == image).all()
    pixels = np.ascontiguousarray(image[..., 0] if is_grey else image)
    grey = luminance(pixels)
    facts = {
        "height": image.shape[0],
        "width": image.shape[1],
        "mode": mode,
        "channels": channels,
        "bits": bits,
        "digest": _digest(pixels),
    }
    return facts, _statistics(grey), make_thumbnails(grey, size)


def _digest(pixels):
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(pixels)
    return digest.hexdigest()


def _stored_as(source):
    """Mode, channels and bits a channel of a source that could be read."""
    if isinstance(source, np.ndarray):
        channels = source.shape[2] if source.ndim == 3 else 1
        bits = 1 if source.dtype == bool else 8 * source.dtype.itemsize
        return _CHANNEL_MODES[channels], channels, bits
    if isinstance(source, Image.Image):
        return _of_mode(source.mode)
    with open_source(source) as file:
        head = file.read(512)
        file.seek(0)
        try:
            if not has_dicom_magic(head):
                with Image.open(file) as picture:  # the header alone
                    return _of_mode(picture.mode)
        except Image.UnidentifiedImageError:
            file.seek(0)  # DICOM without its preamble
        return _of_dicom(file)


def _of_mode(mode):
    if mode.startswith("I;16"):
        return "grey", 1, 16
    return _MODES.get(mode, (mode, len(mode), 8))


def _of_dicom(file):
    import pydicom

    tags = ["SamplesPerPixel", "BitsStored", "PhotometricInterpretation"]
    header = pydicom.dcmread(file, force=True, specific_tags=tags)
    channels = int(header.get("SamplesPerPixel", 1))
    palette = "PALETTE" in str(header.get("PhotometricInterpretation", ""))
    mode = (
        "palette" if palette else _CHANNEL_MODES.get(channels, f"{channels} channels")
    )
    return mode, channels, int(header.get("BitsStored", 16))


def _statistics(grey):
    """Fifteen numbers of the grey-level histogram; where a level lies is not in it."""
    counts = np.bincount(grey.ravel(), minlength=256)
    share = counts / counts.sum()
    levels = np.arange(256)
    mean = share @ levels
    std = np.sqrt(share @ (levels - mean) ** 2)
    z = (levels - mean) / max(std, 1e-9)
    some = share[share > 0]
    entropy = -(some * np.log2(some)).sum()
    cumulated = np.cumsum(share)
    percentiles = np.searchsorted(cumulated, np.array(_PERCENTILES) / 100 - 1e-12)
    moments = [mean, std, share @ z**3, share @ z**4, entropy]
    ends = [share[: _DARK + 1].sum(), share[255]]
    return np.array([*moments, *ends, *percentiles], dtype=np.float32)


def read_for_display(source, side):
    """A small RGB picture of a source, or None if it can no longer be read.

    Parameters
    ----------
    source : path, bytes, file object, PIL image or ndarray
    side : int
        Longest side of the picture, in pixels.

    Returns
    -------
    PIL.Image.Image or None
    """
    outcome = next(iter_outcomes(lambda s: read_image(s, _OPTIONS), [source]))
    if outcome.failure is not None:
        return None
    picture = Image.fromarray(outcome.image)
    picture.thumbnail((side, side))
    return picture
