"""Copies of a scan that are scans as well: turned, mirrored, sharper or softer."""

import numpy as np
from PIL import Image, ImageFilter

_REFERENCE_SIDE = 224  # of which the blur is so many pixels wide


def vary(image, rng):
    """Turn an image by quarters, mirror it, and sharpen, soften or leave it.

    Scans of another resolution look sharper or softer than those of the training.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, C), dtype uint8
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of the same kind; H and W may be exchanged
    """
    image = np.rot90(image, int(rng.integers(4)))
    if rng.random() < 0.5:
        image = image[:, ::-1]
    kind, strength = rng.integers(3), rng.random()
    if kind == 0:
        radius, percent = 0.7 + 0.8 * strength, 50 + int(150 * rng.random())
        return _filtered(image, ImageFilter.UnsharpMask(radius, percent, 0))
    if kind == 1:
        radius = (0.3 + 0.7 * strength) * max(image.shape) / _REFERENCE_SIDE
        return _filtered(image, ImageFilter.GaussianBlur(radius))
    return np.ascontiguousarray(image)


def _filtered(image, how):
    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    picture = Image.fromarray(np.ascontiguousarray(flat)).filter(how)
    return np.asarray(picture).reshape(image.shape)
