"""The package's phantoms, as mixed as the files of `write_brain_mri`."""

import io

import numpy as np
from PIL import Image

from brain_tumor_clf.datasets import make_brain_mri

_SIDES = (144, 240)  # pixels; heights and widths are drawn between
_N_SHAPES = 24
_EACH = 10


def draw_phantoms(rng, shape=None):
    """Some phantoms of many sizes, exposures and compressions.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple, optional
        Shape of one image, for all of them; by default sizes differ.

    Yields
    ------
    list of ndarray of shape (H, W) or (H, W, C), dtype uint8
        Those of one size.
    """
    for _ in range(_N_SHAPES):
        size = shape[:2] if shape else tuple(map(int, rng.integers(*_SIDES, 2)))
        seed = int(rng.integers(2**31))
        images = [
            _stored(_exposed(image, rng), rng)
            for image in make_brain_mri(_EACH, size, random_state=seed).data
        ]
        if shape and len(shape) == 3:
            images = [np.repeat(i[..., None], shape[2], axis=2) for i in images]
        yield images


def _exposed(image, rng):
    """As it is, dark or bright."""
    kind = rng.integers(4)
    if kind == 0:
        return (image * rng.uniform(0.2, 0.45)).astype(np.uint8)
    if kind == 1:
        return (255 * (image / 255) ** rng.uniform(0.6, 0.8)).astype(np.uint8)
    return image


def _stored(image, rng):
    """As it comes out of a JPEG file, two times out of three."""
    if rng.random() > 2 / 3:
        return image
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(rng.integers(80, 97)))
    return np.asarray(Image.open(file))
