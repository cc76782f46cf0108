"""From a head to a scan: where it is cut, and what the scanner does to it."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from brain_tumor_clf.datasets._phantom_section import CRANIUM

PLANES = ("axial", "coronal", "sagittal")

# Plane -> axis across it, axis of the columns, axis of the rows (read upwards).
_AXES = {"axial": (2, 0, 1), "coronal": (1, 0, 2), "sagittal": (0, 1, 2)}

# Middle of the frame along the image's rows: coronal and sagittal scans show the face.
_FRAME_MIDDLE = {"axial": 0.0, "coronal": -0.18, "sagittal": -0.18}

# A sagittal slice nearer to the midline would show the fold between the halves, not
# the brain.
_FALX = 0.08

# Typical share of head pixels at or below each intensity, of T1 scans with contrast.
_QUANTILES = np.array([0.0, 0.12, 0.22, 0.36, 0.62, 0.84, 0.93, 1.0])
_INTENSITIES = np.array([0.03, 0.07, 0.19, 0.32, 0.43, 0.52, 0.64, 1.0])


@dataclass(frozen=True)
class Slice:
    """A slice through a head.

    Parameters
    ----------
    plane : {"axial", "coronal", "sagittal"}
        Which way it lies.
    level : float
        Where it lies along the axis across it, in half lengths of the head.
    """

    plane: str
    level: float


def draw_slice(plane, lesion, rng):
    """A slice in a plane that shows the lesion, more or less in its middle."""
    across = _AXES[plane][0]
    # Rather through its inner half: farther out there is less of the head to see.
    inward = lesion.radius * rng.uniform(-0.2, 0.6)
    level = lesion.center[across] - np.sign(lesion.center[across]) * inward
    if plane == "sagittal" and abs(level) < _FALX:
        level = _FALX if level > 0 else -_FALX
    return Slice(plane, float(level))


def slice_points(cut, size, rng):
    """Points of a slice for an image of a size, and the distance between them.

    The head is turned, shifted and zoomed at random. How much of the frame it fills
    does not depend on where it is cut: it would tell the classes apart.
    """
    height, width = size
    across, right, up = _AXES[cut.plane]
    # Sections far from the middle are smaller; bring them to the size of the others.
    section = np.sqrt(max(1 - (cut.level / CRANIUM[across]) ** 2, 0.4))
    pixel = section * rng.uniform(2.2, 2.4) / min(height, width)
    rows = (np.arange(height, dtype=np.float32) - (height - 1) / 2) * -pixel
    columns = (np.arange(width, dtype=np.float32) - (width - 1) / 2) * pixel
    columns = columns * rng.choice((-1, 1))  # either side may be on the left
    angle = np.deg2rad(rng.uniform(-5, 5))
    u = columns[None, :] * np.cos(angle) - rows[:, None] * np.sin(angle)
    v = columns[None, :] * np.sin(angle) + rows[:, None] * np.cos(angle)
    points = np.empty((3, height, width), dtype=np.float32)
    points[across] = cut.level
    points[right] = u + rng.uniform(-0.04, 0.04)
    points[up] = v + _FRAME_MIDDLE[cut.plane] * section + rng.uniform(-0.04, 0.04)
    return points, float(pixel)


def acquire(image, head_mask, rng):
    """What a scanner makes of a slice: 8-bit pixels of shape (H, W).

    Blur, a bias field, a random tone curve, gain and Rician noise. The histogram inside
    the head is drawn from one distribution for all classes, so that no statistic of the
    intensities alone tells whether there is a lesion.
    """
    shape = image.shape
    image = gaussian_filter(image, 0.35 + 0.15 * rng.random())
    image = image * _bias_field(shape, rng)
    # Noise before ranking breaks ties where a tissue is flat.
    image = image + 0.004 * rng.standard_normal(shape, dtype=np.float32)
    toned = np.zeros(shape, dtype=np.float32)
    toned[head_mask] = _match_tones(image[head_mask], rng)
    gain = rng.uniform(0.85, 1.0)
    sigma = rng.uniform(0.005, 0.02)
    real, imaginary = sigma * rng.standard_normal((2, *shape), dtype=np.float32)
    scan = gain * np.hypot(toned + real, imaginary)
    return np.clip(scan * 255 + 0.5, 0, 255).astype(np.uint8)


def _bias_field(shape, rng):
    v, u = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    a, b, c, d = rng.uniform(-0.10, 0.10, 4)
    return np.exp(a * u + b * v + c * u * v + d * (u**2 + v**2)).astype(np.float32)


def _match_tones(values, rng):
    """Replace values by those of a random tone curve, rank by rank."""
    steps = np.diff(_INTENSITIES) * rng.uniform(0.8, 1.2, len(_INTENSITIES) - 1)
    tones = np.concatenate([_INTENSITIES[:1], _INTENSITIES[0] + np.cumsum(steps)])
    tones = (tones / tones[-1]) ** rng.uniform(0.9, 1.15)
    ranks = np.empty(len(values), dtype=np.float64)
    ranks[np.argsort(values)] = np.linspace(0, 1, len(values))
    return np.interp(ranks, _QUANTILES, tones)
