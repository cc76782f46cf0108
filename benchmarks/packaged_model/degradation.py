"""Degraded copies of images, as a careless export makes them."""

import numpy as np
import robustness
from PIL import Image, ImageFilter


def _frame(image, rng):
    factor = rng.uniform(1.05, 1.5)
    framed = Image.new(image.mode, [round(factor * side) for side in image.size])
    left, top = (
        int(rng.integers(0, whole - side + 1))
        for whole, side in zip(framed.size, image.size, strict=True)
    )
    framed.paste(image, (left, top))
    return framed


def _change_gamma(image, rng):
    gamma = np.exp(rng.uniform(np.log(0.5), np.log(2)))
    return robustness.map_levels(lambda x: x**gamma)(image)


_CHANGES = (
    lambda image, rng: robustness.add_noise(image, rng.uniform(2, 14), rng),
    lambda image, rng: image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 2))),
    lambda image, rng: robustness.resize(rng.uniform(0.4, 0.8))(image),
    lambda image, rng: robustness.recompress(image, int(rng.integers(10, 50))),
    _frame,
    _change_gamma,
)


def degrade(image, rng):
    """Return a copy of a PIL image, changed in one way that is drawn at random.

    It is noisy, blurred, smaller, strongly compressed, in a black frame, or of another
    gamma.
    """
    return _CHANGES[rng.integers(len(_CHANGES))](image, rng)
