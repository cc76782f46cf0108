"""Images that the guard learns from beside the given scans: copies and phantoms."""

import io

import numpy as np
from PIL import Image, ImageFilter

from brain_tumor_clf.datasets import make_brain_mri

_REFERENCE_SIDE = 224  # pixels, for which blur radii are given
_PHANTOM_SIDES = (144, 240)  # pixels
_N_BATCHES, _BATCH_SIZE = 24, 10


def vary(image, rng):
    """Return a uint8 image rotated, mirrored, and sharpened, blurred or neither.

    Scans of another resolution look sharper or softer than those of the training.
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
    """Return a uint8 image after one of Pillow's filters."""
    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    filtered = Image.fromarray(np.ascontiguousarray(flat)).filter(how)
    return np.asarray(filtered).reshape(image.shape)


def draw_phantoms(rng, shape=None):
    """Yield lists of phantoms of one size, with varied exposure and compression.

    Sizes differ between lists unless `shape`, that of an image, is given.
    """
    for _ in range(_N_BATCHES):
        size = shape[:2] if shape else tuple(map(int, rng.integers(*_PHANTOM_SIDES, 2)))
        seed = int(rng.integers(2**31))
        images = [
            _compressed(_exposed(image, rng), rng)
            for image in make_brain_mri(_BATCH_SIZE, size, random_state=seed).data
        ]
        if shape and len(shape) == 3:
            images = [np.repeat(i[..., None], shape[2], axis=2) for i in images]
        yield images


def _exposed(image, rng):
    """Return an image unchanged, darker or brighter."""
    kind = rng.integers(4)
    if kind == 0:
        return (image * rng.uniform(0.2, 0.45)).astype(np.uint8)
    if kind == 1:
        return (255 * (image / 255) ** rng.uniform(0.6, 0.8)).astype(np.uint8)
    return image


def _compressed(image, rng):
    """Return an image as a JPEG file stores it, two times out of three."""
    if rng.random() > 2 / 3:
        return image
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(rng.integers(80, 97)))
    return np.asarray(Image.open(file))
