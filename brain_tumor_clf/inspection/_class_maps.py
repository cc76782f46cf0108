"""From feature maps and gradients to one map per image, in NumPy."""

import numpy as np


def class_map(method, maps, gradients):
    """Where a layer's maps speak for the class.

    Parameters
    ----------
    method : {"layercam", "gradcam", "gradcam++"}
    maps, gradients : ndarray of shape (n, h, w, c), float32
        Feature maps, and the gradients of the score with respect to them.

    Returns
    -------
    ndarray of shape (n, h, w), float32
        Not negative.
    """
    weights = METHODS[method](maps, gradients)
    return np.maximum((weights * maps).sum(axis=-1), 0)


def _layer_cam(maps, gradients):
    """Each place of each map weighs as much as its own gradient (Jiang et al.)."""
    return np.maximum(gradients, 0)


def _grad_cam(maps, gradients):
    """Each map weighs as much as its mean gradient (Selvaraju et al.)."""
    return gradients.mean(axis=(1, 2), keepdims=True)


def _grad_cam_plus_plus(maps, gradients):
    """Each map weighs as its positive gradients, few or many (Chattopadhay et al.).

    The score of the paper is the exponential of ours, whose derivatives of all orders
    are then powers of the first.
    """
    squares = gradients**2
    sums = maps.sum(axis=(1, 2), keepdims=True)
    denominator = 2 * squares + sums * squares * gradients
    usable = denominator != 0
    shares = np.where(usable, squares / np.where(usable, denominator, 1), 0)
    weights = shares * np.maximum(gradients, 0)
    return weights.sum(axis=(1, 2), keepdims=True)


METHODS = {
    "layercam": _layer_cam,
    "gradcam": _grad_cam,
    "gradcam++": _grad_cam_plus_plus,
}


def fuse(class_maps, size):
    """The mean of several layers' maps, each with 1 as its maximum.

    Parameters
    ----------
    class_maps : list of ndarray of shape (n, h, w)
        Of any heights and widths; each covers the whole image.
    size : (int, int)
        Height and width of the result.

    Returns
    -------
    ndarray of shape (n, H, W), float32
        Not scaled.
    """
    enlarged = [scale_to_one(_enlarge(each, size)) for each in class_maps]
    return np.mean(enlarged, axis=0, dtype="float32")


def _enlarge(maps, size):
    rows, columns = (
        _cells(n_out, n_in) for n_out, n_in in zip(size, maps.shape[1:], strict=True)
    )
    return resample(maps, rows, columns)


def _cells(n_out, n_in):
    """Where the middles of `n_out` cells lie among `n_in` that cover the same."""
    return (np.arange(n_out) + 0.5) * n_in / n_out - 0.5


def resample(maps, rows, columns):
    """Linear interpolation at the crossings of rows and columns.

    Parameters
    ----------
    maps : ndarray of shape (..., h, w)
    rows, columns : ndarray of shape (H,), (W,)
        Positions, 0 for the middle of the first row; what lies before the first or
        behind the last takes its value.

    Returns
    -------
    ndarray of shape (..., H, W), float32
    """
    down = _interpolation(rows, maps.shape[-2])
    across = _interpolation(columns, maps.shape[-1])
    return (down @ maps.astype("float32", copy=False) @ across.T).astype("float32")


def _interpolation(positions, n):
    """Matrix ``(len(positions), n)`` that interpolates between `n` values."""
    positions = np.clip(positions, 0, n - 1)
    return np.maximum(1 - np.abs(positions[:, None] - np.arange(n)), 0).astype(
        "float32"
    )


def scale_to_one(maps):
    """Divide each map by its maximum; a map of zeros stays as it is."""
    largest = maps.max(axis=(-2, -1), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
