"""A heat map laid over its scan."""

import numpy as np
from PIL import Image

# As SaliencyDisplay draws them: told from grey at every level.
_COLORS, _BRIGHT_END = "turbo", 1.1


def fit_heat(heat, shape):
    """A heat map at the size of the scan on the screen.

    Parameters
    ----------
    heat : ndarray of shape (H, W), float32
    shape : (int, int)
        Height and width of the scan.

    Returns
    -------
    ndarray of that shape, float32
    """
    if heat.shape == tuple(shape):
        return heat
    picture = Image.fromarray(heat.astype("float32"))
    resized = picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(resized).clip(0, 1)


def overlay(scan, heat, strength):
    """Color a scan where something speaks for the class.

    Parameters
    ----------
    scan : ndarray of shape (h, w, 3), uint8
    heat : ndarray of shape (h, w), float32
        From 0 to 1.
    strength : float
        How far the heat covers the scan where it is strongest, from 0 to 1.

    Returns
    -------
    ndarray of shape (h, w, 3), uint8

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.app._heat import overlay
    >>> scan = np.full((2, 2, 3), 90, dtype=np.uint8)
    >>> heat = np.array([[0, 0], [0, 1]], dtype=np.float32)
    >>> colored = overlay(scan, heat, 0.5)
    >>> bool((colored[0] == 90).all()), bool((colored[1, 1] == 90).all())
    (True, False)
    """
    import matplotlib

    alpha = strength * heat[..., None]
    colors = 255 * matplotlib.colormaps[_COLORS](heat / _BRIGHT_END)[..., :3]
    return (scan * (1 - alpha) + colors * alpha).round().astype(np.uint8)
