"""Errors and warnings of the package.

Each message says what was found, what was expected and what to do.
"""

from typing import NamedTuple

__all__ = [
    "BlankImageWarning",
    "CacheWarning",
    "DatasetDownloadError",
    "DatasetError",
    "DivergenceError",
    "GroupsIgnoredWarning",
    "HeadNotFoundWarning",
    "ImageReadError",
    "ImageReadWarning",
    "ModelFileError",
    "ModelVersionWarning",
    "NoGainWarning",
    "ReadFailure",
    "WeightsError",
]


class ReadFailure(NamedTuple):
    """The path of an image, or ``"X[3]"``, and the reason why it could not be read."""

    source: str
    reason: str


class ImageReadError(ValueError):
    """Report all images of a collection that could not be read.

    Parameters
    ----------
    failures : dict of int to ReadFailure
        What failed and why, by position in the collection.
    n_images : int
        Number of images in the whole collection.

    Attributes
    ----------
    failures : dict of int to ReadFailure
        As given.
    n_images : int
        As given.

    Examples
    --------
    >>> from brain_tumor_clf.exceptions import ImageReadError, ReadFailure
    >>> failures = {2: ReadFailure("a.jpg", "the file is empty")}
    >>> print(ImageReadError(failures, n_images=7))
    1 of 7 images could not be read; nothing was dropped. Fix or remove these files:
      a.jpg: the file is empty
    """

    def __init__(self, failures, n_images):
        self.failures = dict(failures)
        self.n_images = n_images
        lines = [f"  {source}: {reason}" for source, reason in self.failures.values()]
        super().__init__(
            f"{len(self.failures)} of {n_images} images could not be read; nothing was "
            "dropped. Fix or remove these files:\n" + "\n".join(lines)
        )

    def __reduce__(self):
        return type(self), (self.failures, self.n_images)


class DatasetError(ValueError):
    """A folder, table or archive is not a data set of brain-MRI scans as expected."""


class DatasetDownloadError(OSError):
    """A data set could not be downloaded whole; no part of it is kept as the set."""


class DivergenceError(ValueError):
    """Training diverged: the loss or the output of the network is not finite."""


class WeightsError(OSError):
    """Weights of a network are missing, unreadable or of another network."""


class ModelFileError(ValueError):
    """A saved model is damaged, unsafe to open, or of a version that cannot be read."""


class ModelVersionWarning(UserWarning):
    """A saved model was loaded under versions other than those that saved it."""


class ImageReadWarning(UserWarning):
    """An image was read, but not all that its file holds, or it shows nothing.

    Attributes
    ----------
    positions : list of int
        Places in the collection of the images that the warning is about.
    """

    positions = ()


class BlankImageWarning(ImageReadWarning):
    """An image is black, white or of one gray, or its window shows none of it."""


class CacheWarning(UserWarning):
    """A cache cannot be written; results are computed and not kept."""


class HeadNotFoundWarning(UserWarning):
    """No head was found in an image, which is therefore kept whole."""


class GroupsIgnoredWarning(UserWarning):
    """Early stopping holds images out without knowing which belong together."""


class NoGainWarning(UserWarning):
    """An adaptation found no gain, and the model is as it was."""
