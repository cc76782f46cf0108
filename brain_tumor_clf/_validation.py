"""Checks of arguments that every room of the package shares."""

import difflib
import inspect
import os
from numbers import Integral

import numpy as np

_LONE_IMAGE = (
    "X must hold one image per entry, got a lone {what}. Put it in a list: [image]."
)


def nearest_name(name, names):
    """The entry of `names` that is most like `name`, or None if none is."""
    matches = difflib.get_close_matches(str(name), list(map(str, names)), n=1)
    return matches[0] if matches else None


def unknown_name_message(kind, name, names):
    """A message for an unknown name: what was got, the near miss, what is known."""
    near = nearest_name(name, names)
    hint = f" Did you mean {near!r}?" if near else ""
    known = ", ".join(sorted(map(str, names)))
    return f"Unknown {kind} {name!r}.{hint} Known: {known}."


def check_choice(name, value, choices):
    """Raise a ValueError that names the near miss unless `value` is in `choices`."""
    if value not in choices:
        raise ValueError(unknown_name_message(name, value, choices))
    return value


def check_image_size(image_size):
    """Return an image size as ``(height, width)`` of positive integers.

    Parameters
    ----------
    image_size : int or (int, int)
        Side of a square, or height and width, in pixels.
    """
    if isinstance(image_size, Integral) and not isinstance(image_size, bool):
        size = (int(image_size), int(image_size))
    else:
        try:
            height, width = image_size
            size = (int(height), int(width))
            exact = size == (height, width)
        except (TypeError, ValueError):
            exact = False
        if not exact:
            raise ValueError(
                "image_size must be an integer or (height, width) in pixels, "
                f"got {image_size!r}."
            )
    if min(size) < 1:
        raise ValueError(f"image_size must be at least 1 pixel, got {image_size!r}.")
    return size


def check_image_collection(X):
    """Return `X` as a sequence with one image, or the source of one, per entry.

    Parameters
    ----------
    X : sequence or array
        A list, tuple, array, Series or one-column DataFrame of sources (paths, bytes,
        file objects, PIL images, arrays ``(H, W)`` or ``(H, W, C)``), or one numeric
        array ``(n, H, W)`` or ``(n, H, W, C)``.

    Returns
    -------
    ndarray
        The numeric array as given, else a 1-D object array of length `n`.

    Raises
    ------
    TypeError
        If `X` is a lone image or no collection at all.
    ValueError
        If `X` is empty or a lone image as an array.
    """
    _refuse_lone_source(X)
    if hasattr(X, "to_numpy"):  # pandas and its peers
        X = X.to_numpy()
    if isinstance(X, np.ndarray):
        images = _check_array(X)
    elif hasattr(X, "__len__") and hasattr(X, "__getitem__"):
        images = as_object_array(X)
    else:
        raise TypeError(
            "X must be a list or array with one image per entry, "
            f"got {type(X).__name__}."
        )
    if len(images) == 0:
        raise ValueError(
            "Found array with 0 sample(s): X is empty, at least 1 image is required."
        )
    return images


def as_object_array(entries):
    """A 1-D object array of `entries`, also when they are arrays of one shape."""
    out = np.empty(len(entries), dtype=object)
    for i, entry in enumerate(entries):
        out[i] = entry
    return out


def _refuse_lone_source(X):
    if isinstance(X, (str, bytes, bytearray, os.PathLike)):
        what = "path" if isinstance(X, (str, os.PathLike)) else "image as bytes"
        raise TypeError(_LONE_IMAGE.format(what=what))
    # A PIL image has `getbands`, a file object `read`; neither is imported for this.
    if hasattr(X, "getbands") or hasattr(X, "read"):
        raise TypeError(_LONE_IMAGE.format(what=type(X).__name__))


def _check_array(X):
    if X.dtype.kind in "OUS":
        if X.ndim == 2 and X.shape[1] == 1:
            return X[:, 0]
        if X.ndim == 1:
            return X
        raise ValueError(
            f"An array of paths must have shape (n,) or (n, 1), got {X.shape}."
        )
    if X.ndim == 2 or (X.ndim == 3 and X.shape[-1] in (1, 3, 4)):
        raise ValueError(_LONE_IMAGE.format(what=f"array of shape {X.shape}"))
    if X.ndim not in (3, 4):
        raise ValueError(
            "An array of images must have shape (n, H, W) or (n, H, W, C), "
            f"got {X.shape}."
        )
    return X


def set_new_parameters(estimator):
    """Give an estimator of an earlier version the parameters that it does not know.

    Its file or pickle is older than they are; their defaults are what it did without.

    Parameters
    ----------
    estimator : estimator
        Its state restored; changed in place.
    """
    for name, parameter in inspect.signature(type(estimator)).parameters.items():
        if parameter.default is not parameter.empty and not hasattr(estimator, name):
            setattr(estimator, name, parameter.default)
