"""The lesion of each class: where it sits and how it looks."""

from dataclasses import dataclass

import numpy as np

from brain_tumor_clf.datasets._phantom_anatomy import SELLA
from brain_tumor_clf.datasets._phantom_section import CRANIUM, ellipsoid, find_window

_REACH = 2.3  # radii within which a lesion and its surroundings differ from the head


@dataclass(frozen=True)
class Lesion:
    """A lesion of one patient.

    Parameters
    ----------
    kind : {"glioma", "meningioma", "pituitary"}
        What it is.
    center : ndarray of shape (3,)
        Where its middle lies in the standard head.
    radius : float
        Its size, in half lengths of the head.
    brightness : float
        Intensity where it takes up contrast agent.
    """

    kind: str
    center: np.ndarray
    radius: float
    brightness: float


def draw_lesion(kind, rng):
    """Draw where a lesion of a kind sits and how large it is."""
    center, radius = _PLACES[kind](rng)
    return Lesion(kind, np.asarray(center, np.float32), radius, rng.uniform(1.05, 1.15))


def render_lesion(section, lesion, tissue):
    """Paint a lesion on a slice; return its mask.

    The mask holds the tumor, a necrotic core included, without oedema or dural tail.
    """
    mask = np.zeros(section.image.shape, dtype=bool)
    reach = _REACH * lesion.radius
    window = find_window(section.points, lesion.center, reach, section.pixel)
    if window is not None:
        tumor = _PAINTERS[lesion.kind](section.part(window), lesion, tissue)
        mask[window] = tumor < 0
    return mask


def _place_glioma(rng):
    # White matter of either half, away from the midline, the surface and the base.
    side = rng.choice((-1, 1))
    center = (
        side * rng.uniform(0.24, 0.32),
        rng.uniform(-0.32, 0.32),
        rng.uniform(0.02, 0.24),
    )
    return center, rng.uniform(0.22, 0.28)


def _place_meningioma(rng):
    # Anywhere on the convexity: a direction, and the point of the skull that it meets.
    # Not at the very front, back or top, where a slice shows hardly any head.
    up = rng.uniform(0.25, 0.75)
    forward = rng.uniform(-0.5, 0.5)
    aside = rng.choice((-1, 1)) * np.sqrt(1 - up**2 - forward**2)
    direction = np.array([aside, forward, up])
    radius = rng.uniform(0.22, 0.30)
    shell = direction * np.asarray(CRANIUM)
    # Half a radius deep, so that the base on the dura is broad.
    return shell * (1 - 0.5 * radius / np.linalg.norm(shell)), radius


def _place_pituitary(rng):
    radius = rng.uniform(0.14, 0.19)
    x, y, z = SELLA
    center = (x + rng.uniform(-0.03, 0.03), y, z + 0.45 * radius)
    return center, radius


_PLACES = {
    "glioma": _place_glioma,
    "meningioma": _place_meningioma,
    "pituitary": _place_pituitary,
}


def _paint_glioma(section, lesion, tissue):
    radius, brain = lesion.radius, section.brain
    ball = ellipsoid(section.points, lesion.center, (radius,) * 3)
    lobes = section.noise(4.5, 17.0) * radius
    oedema = np.maximum(ball - 0.65 * radius + 0.30 * lobes, brain + 0.02)
    section.paint(oedema, 0.45 * tissue["gray"], edge=3)
    tumor = np.maximum(ball + 0.18 * lobes, brain)
    section.paint(tumor, lesion.brightness - 0.10 * np.abs(section.noise(9.0, 21.0)))
    width = radius * (0.34 + 0.12 * section.noise(5.0, 25.0))
    section.paint(tumor + width, tissue["csf"] + 0.05 * section.noise(11.0, 2.0))
    return tumor


def _paint_meningioma(section, lesion, tissue):
    radius, inside = lesion.radius, section.inside
    ball = ellipsoid(section.points, lesion.center, (radius,) * 3)
    ball = ball + 0.05 * radius * section.noise(4.0, 17.0)
    # A cleft of fluid parts it from the brain.
    section.paint(np.maximum(ball - 0.03, inside), tissue["csf"])
    tumor = np.maximum(ball, inside + 0.01)
    section.paint(tumor, lesion.brightness + 0.02 * section.noise(9.0, 21.0))
    tail = np.maximum(np.abs(inside + 0.015) - 0.012, ball - 0.5 * radius)
    section.paint(tail, lesion.brightness - 0.1)
    return tumor


def _paint_pituitary(section, lesion, tissue):
    radius = lesion.radius
    axes = (1.1 * radius, 0.95 * radius, radius)
    below = ellipsoid(section.points, lesion.center, axes)
    # It grows upwards through the narrow opening of the sella, like a snowman.
    top = lesion.center + np.float32([0, 0, 0.75 * radius])
    above = ellipsoid(section.points, top, (0.75 * radius,) * 3)
    tumor = np.minimum(below, above) + 0.06 * radius * section.noise(5.0, 17.0)
    section.paint(tumor - 0.025, tissue["csf"])
    section.paint(tumor, lesion.brightness + 0.03 * section.noise(9.0, 21.0))
    return tumor


_PAINTERS = {
    "glioma": _paint_glioma,
    "meningioma": _paint_meningioma,
    "pituitary": _paint_pituitary,
}
