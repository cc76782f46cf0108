"""Statistics of an image before cropping and intensity normalization."""

import numpy as np
from PIL import Image

from brain_tumor_clf.preprocessing import luminance

_SIDE = 64
_PERCENTILES = (1, 10, 25, 50, 75, 90, 99)
_N_RINGS = 6
_BORDER = 3


def image_statistics(image):
    """Return 27 numbers on brightness, border, smoothness and symmetry of an image.

    They do not change when the image is mirrored or rotated by 90 degrees.
    """
    gray = image[..., 0] if image.shape[2:] == (1,) else luminance(image)
    picture = Image.fromarray(np.ascontiguousarray(gray))
    picture = picture.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    small = np.asarray(picture, dtype=np.float32) / 255
    return np.concatenate(
        [
            np.percentile(small, _PERCENTILES),
            [small.std(), (small < 0.08).mean(), (small > 0.8).mean()],
            _border(small),
            _rings(small),
            _roughness(small),
            _symmetry(small),
        ]
    ).astype(np.float32)


def _border(small):
    """Return mean and spread of the border, and the darkest and brightest corner."""
    inner = small[_BORDER:-_BORDER, _BORDER:-_BORDER]
    total = small.sum() - inner.sum()
    mean = total / (small.size - inner.size)
    edges = [small[0], small[-1], small[:, 0], small[:, -1]]
    corners = sorted(
        part.mean()
        for rows in (slice(None, 6), slice(-6, None))
        for part in (small[rows, :6], small[rows, -6:])
    )
    return [mean, np.std(edges), corners[0], corners[-1]]


def _rings(small):
    """Return the means of rings around the center."""
    rows, columns = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    ring = np.minimum(np.hypot(rows, columns) * _N_RINGS, _N_RINGS - 1).astype(int)
    return np.bincount(ring.ravel(), small.ravel()) / np.bincount(ring.ravel())


def _roughness(small):
    """Return mean steps between neighbors at three resolutions, by the contrast."""
    contrast = small.std() + 0.02
    steps = []
    for factor in (1, 2, 4):
        side = _SIDE // factor
        coarse = small.reshape(side, factor, side, factor).mean(axis=(1, 3))
        across = np.abs(np.diff(coarse, axis=1)).mean()
        down = np.abs(np.diff(coarse, axis=0)).mean()
        steps += [(across + down) / 2 / contrast]
    # Stripes and text run in one direction, heads in none.
    return [*steps, abs(across - down) / contrast]


def _symmetry(small):
    """Return correlations with both mirror images, larger first, and half a turn."""
    centered = small - small.mean()
    power = (centered**2).sum() + 1e-3
    views = centered[:, ::-1], centered[::-1], centered[::-1, ::-1]
    left_right, up_down, half_turn = ((centered * view).sum() / power for view in views)
    return [max(left_right, up_down), min(left_right, up_down), half_turn]
