"""What an image is like before it is cropped and normalized, in a few numbers."""

import numpy as np
from PIL import Image

from brain_tumor_clf.preprocessing import luminance

_SIDE = 64
_PERCENTILES = (1, 10, 25, 50, 75, 90, 99)
_N_RINGS = 6
_BORDER = 3


def image_statistics(image):
    """Brightness, border, smoothness and symmetry of an image.

    They do not change when it is mirrored or turned by 90 degrees.

    Parameters
    ----------
    image : ndarray of shape (H, W), (H, W, 1) or (H, W, 3), dtype uint8

    Returns
    -------
    ndarray of shape (27,), dtype float32
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
    """Mean, spread and extremes of the outermost pixels, and of the corners."""
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
    """Mean of rings around the middle."""
    rows, columns = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    ring = np.minimum(np.hypot(rows, columns) * _N_RINGS, _N_RINGS - 1).astype(int)
    return np.bincount(ring.ravel(), small.ravel()) / np.bincount(ring.ravel())


def _roughness(small):
    """Mean step between neighbors at three resolutions, as a share of the contrast."""
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
    """Correlation with the mirror images, the larger first, and half a turn."""
    centered = small - small.mean()
    power = (centered**2).sum() + 1e-3
    pairs = [(centered * other).sum() / power for other in _mirrored(centered)]
    return [max(pairs[:2]), min(pairs[:2]), pairs[2]]


def _mirrored(image):
    return image[:, ::-1], image[::-1], image[::-1, ::-1]
