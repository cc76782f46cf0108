"""From a head to a scan: its lesion, the slice and what a scanner makes of it."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from brain_tumor_clf.datasets._phantom_head import (
    CRANIUM,
    SELLA,
    Section,
    draw_head,
    paint_head,
)

CLASSES = ("glioma", "meningioma", "notumor", "pituitary")
PLANES = ("axial", "coronal", "sagittal")
_HEALTHY = "notumor"
# Plane -> axis across it, axis of the columns, axis of the rows (read upwards).
_AXES = {"axial": (2, 0, 1), "coronal": (1, 0, 2), "sagittal": (0, 1, 2)}
# Middle of the frame along the rows: coronal and sagittal scans show the face.
_FRAME_MIDDLE = {"axial": 0.0, "coronal": -0.18, "sagittal": -0.18}
_FALX = 0.08  # a sagittal slice nearer to the midline shows the fold, not the brain
# Typical share of head pixels at or below each intensity, of T1 scans with contrast.
_QUANTILES = np.array([0.0, 0.12, 0.22, 0.36, 0.62, 0.84, 0.93, 1.0])
_INTENSITIES = np.array([0.03, 0.07, 0.19, 0.32, 0.43, 0.52, 0.64, 1.0])


class Lesion(NamedTuple):
    """A lesion: its place in the standard head, its size and intensity."""

    center: np.ndarray
    radius: float
    brightness: float


def draw_scan(kind, plane, size, patient, rng):
    """Return a scan and its tumor mask.

    `patient` draws the head and its lesion, `rng` the slice and the scanner. The mask
    includes a necrotic core, but neither edema nor a dural tail.
    """
    head = draw_head(patient)
    # A healthy head is cut where a lesion might be, or its levels would give it away.
    shown = patient.choice([name for name in CLASSES if name != _HEALTHY])
    lesion = _draw_lesion(shown if kind == _HEALTHY else kind, patient)
    points, pixel = _slice_points(plane, _draw_level(plane, lesion, rng), size, rng)
    section = Section(head, points, pixel)
    surface = paint_head(section, head)
    mask = np.zeros(size, dtype=bool)
    if kind != _HEALTHY:
        mask = _PAINTERS[kind](section, lesion, head.tissue) < 0
    return _acquire(section.image, surface < 0, rng), mask


def _draw_lesion(kind, rng):
    """Draw where a lesion of a kind is and how large."""
    if kind == "glioma":
        # White matter of either half, away from the midline, the surface and the base.
        ranges = ((0.24, 0.32), (-0.32, 0.32), (0.02, 0.24), (0.22, 0.28))
        side = rng.choice((-1, 1))
        x, y, z, radius = (rng.uniform(*ends) for ends in ranges)
        center = (side * x, y, z)
    elif kind == "meningioma":
        # A point of the skull, not at the very front, back or top, where a slice shows
        # hardly any head; half a radius deep, so that the base on the dura is broad.
        up, forward = rng.uniform(0.25, 0.75), rng.uniform(-0.5, 0.5)
        aside = rng.choice((-1, 1)) * np.sqrt(1 - up**2 - forward**2)
        radius = rng.uniform(0.22, 0.30)
        shell = np.array([aside, forward, up]) * np.asarray(CRANIUM)
        center = shell * (1 - 0.5 * radius / np.linalg.norm(shell))
    else:
        radius = rng.uniform(0.14, 0.19)
        x, y, z = SELLA
        center = (x + rng.uniform(-0.03, 0.03), y, z + 0.45 * radius)
    return Lesion(np.asarray(center, np.float32), radius, rng.uniform(1.05, 1.15))


def _paint_glioma(section, lesion, tissue):
    radius, brain = lesion.radius, section.brain
    ball = section.ellipsoid(lesion.center, (radius,) * 3)
    lobes = section.noise(4.5, 17.0) * radius
    edema = np.maximum(ball - 0.65 * radius + 0.30 * lobes, brain + 0.02)
    section.paint(edema, 0.45 * tissue["gray"], edge=3)
    tumor = np.maximum(ball + 0.18 * lobes, brain)
    section.paint(tumor, lesion.brightness - 0.10 * np.abs(section.noise(9.0, 21.0)))
    width = radius * (0.34 + 0.12 * section.noise(5.0, 25.0))
    section.paint(tumor + width, tissue["csf"] + 0.05 * section.noise(11.0, 2.0))
    return tumor


def _paint_meningioma(section, lesion, tissue):
    radius, inside = lesion.radius, section.inside
    ball = section.ellipsoid(lesion.center, (radius,) * 3)
    ball = ball + 0.05 * radius * section.noise(4.0, 17.0)
    # A cleft of fluid separates it from the brain.
    section.paint(np.maximum(ball - 0.03, inside), tissue["csf"])
    tumor = np.maximum(ball, inside + 0.01)
    section.paint(tumor, lesion.brightness + 0.02 * section.noise(9.0, 21.0))
    tail = np.maximum(np.abs(inside + 0.015) - 0.012, ball - 0.5 * radius)
    section.paint(tail, lesion.brightness - 0.1)
    return tumor


def _paint_pituitary(section, lesion, tissue):
    radius = lesion.radius
    below = section.ellipsoid(lesion.center, (1.1 * radius, 0.95 * radius, radius))
    # It grows upward through the narrow opening of the sella, like a snowman.
    top = lesion.center + np.float32([0, 0, 0.75 * radius])
    above = section.ellipsoid(top, (0.75 * radius,) * 3)
    tumor = np.minimum(below, above) + 0.06 * radius * section.noise(5.0, 17.0)
    section.paint(tumor - 0.025, tissue["csf"])
    section.paint(tumor, lesion.brightness + 0.03 * section.noise(9.0, 21.0))
    return tumor


_PAINTERS = {
    "glioma": _paint_glioma,
    "meningioma": _paint_meningioma,
    "pituitary": _paint_pituitary,
}


def _draw_level(plane, lesion, rng):
    """Draw where a slice that shows the lesion lies along the axis across it."""
    across = _AXES[plane][0]
    # Rather through its inner half: farther out there is less of the head to see.
    inward = lesion.radius * rng.uniform(-0.2, 0.6)
    level = lesion.center[across] - np.sign(lesion.center[across]) * inward
    if plane == "sagittal" and abs(level) < _FALX:
        level = _FALX if level > 0 else -_FALX
    return float(level)


def _slice_points(plane, level, size, rng):
    """Return the points of a slice and the distance between them.

    The head is turned, shifted and zoomed at random. How much of the frame it fills
    does not depend on where it is cut: it would tell the classes apart.
    """
    height, width = size
    across, right, up = _AXES[plane]
    # Sections far from the middle are smaller; bring them to the size of the others.
    section = np.sqrt(max(1 - (level / CRANIUM[across]) ** 2, 0.4))
    pixel = section * rng.uniform(2.2, 2.4) / min(height, width)
    rows = (np.arange(height, dtype=np.float32) - (height - 1) / 2) * -pixel
    columns = (np.arange(width, dtype=np.float32) - (width - 1) / 2) * pixel
    columns = columns * rng.choice((-1, 1))  # either side may be on the left
    angle = np.deg2rad(rng.uniform(-5, 5))
    u = columns[None, :] * np.cos(angle) - rows[:, None] * np.sin(angle)
    v = columns[None, :] * np.sin(angle) + rows[:, None] * np.cos(angle)
    points = np.empty((3, height, width), dtype=np.float32)
    points[across] = level
    points[right] = u + rng.uniform(-0.04, 0.04)
    points[up] = v + _FRAME_MIDDLE[plane] * section + rng.uniform(-0.04, 0.04)
    return points, float(pixel)


def _acquire(image, head_mask, rng):
    """Return 8-bit pixels: blur, a bias field, a tone curve, gain and Rician noise.

    The histogram inside the head is drawn from one distribution for all classes, so
    that no statistic of the intensities alone tells whether there is a lesion.
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


def expose(pixels, rng):
    """Make one in four as dark as an unwindowed export, one in four too bright."""
    kind = rng.choice(["dark", "plain", "plain", "bright"])
    if kind == "plain":
        return pixels
    if kind == "dark":
        tones = np.arange(256) * rng.uniform(0.2, 0.45)
    else:
        tones = 255 * (np.arange(256) / 255) ** rng.uniform(0.6, 0.8)
    return np.clip(tones + 0.5, 0, 255).astype(np.uint8)[pixels]
