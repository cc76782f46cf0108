"""From feature maps and gradients to one heat map for each image, in NumPy."""

import numpy as np


def class_map(method, maps, gradients):
    """Return non-negative heat maps (n, h, w) of feature maps (n, h, w, c)."""
    weights = METHODS[method](maps, gradients)
    return np.maximum((weights * maps).sum(axis=-1), 0)


def _layer_cam(maps, gradients):
    """Weight each pixel of each map by its own gradient (Jiang et al.)."""
    return np.maximum(gradients, 0)


def _grad_cam(maps, gradients):
    """Weight each map by its mean gradient (Selvaraju et al.)."""
    return gradients.mean(axis=(1, 2), keepdims=True)


def _grad_cam_plus_plus(maps, gradients):
    """Weight each map by its positive gradients, few or many (Chattopadhay et al.)."""
    # The paper's score is the exponential of ours: derivatives are powers of the first.
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
    """Return the mean (n, H, W) of several layers' maps, each scaled to 1."""
    enlarged = []
    for maps in class_maps:
        rows, columns = (
            cell_positions(n, 0, n, n_cells)
            for n, n_cells in zip(size, maps.shape[1:], strict=True)
        )
        enlarged.append(scale_to_one(resample(maps, rows, columns)))
    return np.mean(enlarged, axis=0, dtype="float32")


def cell_positions(n_pixels, start, stop, n_cells):
    """Return the centers of pixels among `n_cells` cells from `start` to `stop`."""
    return (np.arange(n_pixels) + 0.5 - start) / (stop - start) * n_cells - 0.5


def resample(maps, rows, columns):
    """Interpolate maps (…, h, w) linearly at the crossings of rows and columns.

    0 is the center of the first row or column; positions outside take the edge value.
    """
    down = _interpolation(rows, maps.shape[-2])
    across = _interpolation(columns, maps.shape[-1])
    return (down @ maps.astype("float32", copy=False) @ across.T).astype("float32")


def _interpolation(positions, n):
    """Return a matrix (len(positions), n) that interpolates between `n` values."""
    positions = np.clip(positions, 0, n - 1)
    weights = np.maximum(1 - np.abs(positions[:, None] - np.arange(n)), 0)
    return weights.astype("float32")


def scale_to_one(maps):
    """Divide each map by its maximum; a map of zeros is unchanged."""
    largest = maps.max(axis=(-2, -1), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
