"""Nyúl and Udupa's histogram standardisation on counts of grey values.

L. G. Nyúl, J. K. Udupa and X. Zhang, "New variants of a method of MRI scale
standardization", IEEE Transactions on Medical Imaging 19, 2000.
"""

import numpy as np

from brain_tumor_clf.preprocessing._histogram import LEVELS, foreground, percentiles_of

DECILES = tuple(range(10, 100, 10))
# Where the lower and the upper landmark of an image go while the scale is learned: room
# is left for what is darker and brighter.
SCALE_ENDS = (26.0, 230.0)


def landmarks(counts, percentiles):
    """Landmarks of one image: percentiles and deciles of its foreground.

    Parameters
    ----------
    counts : ndarray of shape (256,)
        Of the image's values.
    percentiles : (float, float)
        Of the lower and the upper landmark.

    Returns
    -------
    ndarray of shape (n_landmarks,) or None
        None if the image has no foreground of more than one value.
    """
    counts = foreground(counts)
    if np.count_nonzero(counts) < 2:
        return None
    low, high = percentiles
    between = [p for p in DECILES if low < p < high]
    found = percentiles_of(counts, [low, *between, high])
    return found if found[0] < found[-1] else None


def learn_scale(all_counts, percentiles):
    """The standard scale: the mean of all images' landmarks, brought to common ends.

    Parameters
    ----------
    all_counts : iterable of ndarray of shape (256,)
    percentiles : (float, float)

    Returns
    -------
    ndarray of shape (n_landmarks,)

    Raises
    ------
    ValueError
        If no image has landmarks.
    """
    total, n_images = 0.0, 0
    for counts in all_counts:
        found = landmarks(counts, percentiles)
        if found is not None:
            total = total + np.interp(found, (found[0], found[-1]), SCALE_ENDS)
            n_images += 1
    if n_images == 0:
        raise ValueError(
            "method='nyul' learns from scans, but no image has a foreground of more "
            "than a single value."
        )
    return total / n_images


def standardize(counts, percentiles, scale):
    """What each of the 256 values becomes on the standard scale.

    Parameters
    ----------
    counts : ndarray of shape (256,)
        Of the image's values.
    percentiles : (float, float)
    scale : ndarray of shape (n_landmarks,)

    Returns
    -------
    ndarray of shape (256,), dtype uint8, or None
        None if the image has no landmarks.
    """
    found = landmarks(counts, percentiles)
    if found is None:
        return None
    # Of landmarks that coincide the last counts: the curve must stay a function.
    keep = np.append(np.diff(found) > 0, True)
    values = np.concatenate([[0.0], found[keep]])
    targets = np.concatenate([[0.0], scale[keep]])
    table = np.interp(LEVELS, values, targets)
    slope = (targets[-1] - targets[-2]) / (values[-1] - values[-2])
    above = values[-1] < LEVELS
    table[above] = targets[-1] + slope * (LEVELS[above] - values[-1])
    return np.rint(np.clip(table, 0, 255)).astype(np.uint8)
