"""Worse copies of images: what a careless export does to a scan. Used by programs."""

import io

import numpy as np
from PIL import Image, ImageFilter


def degrade(image, rng):
    """A copy changed in one way, drawn at random.

    It is noisy, blurred, smaller, strongly compressed, in a black frame, or of another
    gamma.

    Parameters
    ----------
    image : PIL.Image.Image
        Of mode "L" or "RGB".
    rng : numpy.random.Generator

    Returns
    -------
    PIL.Image.Image
    """
    changes = (_add_noise, _blur, _shrink, _compress, _frame, _change_gamma)
    return changes[rng.integers(len(changes))](image, rng)


def _add_noise(image, rng):
    pixels = np.asarray(image, dtype=float)
    noise = rng.normal(0, rng.uniform(2, 14), pixels.shape[:2])
    pixels = pixels + (noise if pixels.ndim == 2 else noise[..., None])
    return Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8))


def _blur(image, rng):
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 2)))


def _shrink(image, rng):
    factor = rng.uniform(0.4, 0.8)
    size = [max(16, round(side * factor)) for side in image.size]
    return image.resize(size, Image.Resampling.BICUBIC)


def _compress(image, rng):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(rng.integers(10, 50)))
    return Image.open(buffer).convert(image.mode)


def _frame(image, rng):
    factor = rng.uniform(1.05, 1.5)
    size = [round(factor * side) for side in image.size]
    framed = Image.new(image.mode, size)
    left, top = (
        rng.integers(0, whole - side + 1)
        for whole, side in zip(size, image.size, strict=True)
    )
    framed.paste(image, (int(left), int(top)))
    return framed


def _change_gamma(image, rng):
    gamma = np.exp(rng.uniform(np.log(0.5), np.log(2)))
    levels = np.round((np.arange(256) / 255) ** gamma * 255).astype(np.uint8).tolist()
    return image.point(levels * len(image.getbands()))
