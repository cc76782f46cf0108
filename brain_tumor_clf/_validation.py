"""Checks of arguments that all rooms of the package share."""

import difflib
import inspect
import os
from numbers import Integral

import numpy as np

_LONE_IMAGE = (
    "X must hold one image per entry, got a lone {what}. Put it in a list: [image]."
)


def nearest_name(name, names):
    """Return the entry of `names` that is most like `name`, or None."""
    matches = difflib.get_close_matches(str(name), list(map(str, names)), n=1)
    return matches[0] if matches else None


def unknown_name_message(kind, name, names):
    """Return a message for an unknown name, with the near miss and what is known."""
    near = nearest_name(name, names)
    hint = f" Did you mean {near!r}?" if near else ""
    known = ", ".join(sorted(map(str, names)))
    return f"Unknown {kind} {name!r}.{hint} Known: {known}."


def check_choice(name, value, choices):
    """Raise a ValueError that names the near miss unless `value` is in `choices`."""
    if value not in choices:
        raise ValueError(unknown_name_message(name, value, choices))
    return value


def validate_params(estimator):
    """Check `_parameter_constraints` as scikit-learn does, and name the near miss."""
    # Here, because networks import this module and must not need scikit-learn.
    from sklearn.utils._param_validation import InvalidParameterError, Options

    try:
        estimator._validate_params()
    except InvalidParameterError as error:
        for name, constraints in estimator._parameter_constraints.items():
            if not str(error).startswith(f"The {name!r} parameter"):
                continue
            known = [c.options for c in constraints if isinstance(c, Options)]
            near = nearest_name(getattr(estimator, name), set().union(*known))
            if near is not None:
                raise InvalidParameterError(f"{error} Did you mean {near!r}?") from None
        raise


def check_count(name, value, minimum=1):
    """Return an integer of at least `minimum`, or raise a ValueError that names it."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
        wanted = "a positive integer" if minimum == 1 else f"an integer >= {minimum}"
        raise ValueError(f"{name} must be {wanted}, got {value!r}.")
    return int(value)


def check_image_size(image_size):
    """Return a side or ``(height, width)`` in pixels as two positive integers."""
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
    """Return `X` as an array of images, or as a 1-D object array of their sources.

    A list, tuple, array, Series or one-column DataFrame has one source per entry (path,
    bytes, file object, PIL image, array ``(H, W)`` or ``(H, W, C)``); a numeric array
    ``(n, H, W)`` or ``(n, H, W, C)`` is returned as given. A lone image is an error.
    """
    _refuse_lone_source(X)
    if hasattr(X, "to_numpy"):  # pandas and its peers
        X = X.to_numpy()
        # Images of one size, which `set_output` put into a table.
        shapes = {getattr(image, "shape", None) for image in X.flat}
        if len(shapes) == 1 and isinstance(X.flat[0], np.ndarray):
            X = np.stack(X.ravel())
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


def stack_images(X, name):
    """Return `X` as one array of images of one size, ``(n, H, W)`` or ``(n, H, W, C)``.

    `name` is who takes them.
    """
    X = check_image_collection(X)
    if X.dtype.kind not in "OUS":
        return X
    advice = (
        "Put an ImagePipeline that ends in an ImageResizer before it, or use "
        "make_mri_pipeline, which reads and resizes."
    )
    others = [type(image).__name__ for image in X if not isinstance(image, np.ndarray)]
    if others:
        raise TypeError(
            f"{name} takes arrays of one size, got an entry of type {others[0]}. "
            + advice
        )
    shapes = {image.shape for image in X}
    if len(shapes) > 1:
        raise ValueError(
            f"{name} takes images of one size, got {len(shapes)} shapes, such as "
            f"{', '.join(map(str, sorted(shapes)[:3]))}. " + advice
        )
    return np.stack(list(X))


def as_object_array(entries):
    """Return a 1-D object array of `entries`, also of arrays of one shape."""
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
    """Set parameters that an estimator of an older file lacks to their defaults."""
    for name, parameter in inspect.signature(type(estimator)).parameters.items():
        if parameter.default is not parameter.empty and not hasattr(estimator, name):
            setattr(estimator, name, parameter.default)


def name_by_room(namespace):
    """Give the classes that a room exports the room as their module.

    Model files and pickles name a class by its module: the room's name lasts, the
    private module may change.
    """
    for name in namespace["__all__"]:
        if isinstance(namespace[name], type):
            namespace[name].__module__ = namespace["__name__"]
