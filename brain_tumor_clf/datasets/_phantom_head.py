"""A head in three dimensions, from which phantoms are cut.

Every structure is an implicit shape that is evaluated only at the points of one slice,
so that slices of one patient, in whatever plane, show one anatomy.

Axes of a point: x to the left, y to the front, z up. The unit is half the length of the
head, and the origin lies in the middle of the brain.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

CRANIUM = (0.70, 0.88, 0.72)  # half axes of the inside of the skull
# Intensities of a T1-weighted scan with contrast agent, before the imaging chain.
_AIR, _BONE, _CSF, _MUSCLE = 0.0, 0.06, 0.16, 0.38
_GRAY, _WHITE, _ENHANCED, _FAT = 0.41, 0.58, 0.86, 0.85
SELLA = (0.0, 0.12, -0.44)
_BONE_WIDTH, _SCALP_WIDTH = 0.055, 0.05
_LATTICE = 20  # nodes a side of the patient's noise
_NOISE_REACH = 1.6  # the noise repeats beyond this distance
_BEND = np.float32(0.022)
_STEP = 4  # pixels between the points by which a window is found


class Head(NamedTuple):
    """One patient: sizes relative to the standard head, noise, intensities."""

    stretch: np.ndarray
    ventricles: float
    scalp: float
    lattice: np.ndarray  # folds, vessels and outlines are made of this noise
    tissue: dict


def draw_head(rng):
    """Draw one patient's anatomy."""
    tissue = {
        "csf": _CSF + rng.uniform(-0.05, 0.06),
        "gray": _GRAY + rng.uniform(-0.04, 0.04),
        "white": _WHITE + rng.uniform(-0.04, 0.05),
        "fat": _FAT + rng.uniform(-0.05, 0.05),
        "vessel": _ENHANCED + rng.uniform(-0.15, 0.1),
    }
    return Head(
        stretch=rng.uniform(0.94, 1.06, 3).astype(np.float32),
        ventricles=rng.uniform(0.75, 1.4),
        scalp=rng.uniform(0.7, 1.5),
        lattice=rng.standard_normal((_LATTICE,) * 3).astype(np.float32),
        tissue=tissue,
    )


class Section:
    """A slice while it is drawn: its points ``(3, H, W)``, `pixel` apart, and image."""

    def __init__(self, lattice, points, pixel, image):
        self.lattice = lattice
        self.points = points
        self.pixel = pixel
        self.image = image
        # Both halves of the head laid on one another.
        self.side = np.stack([np.abs(points[0]), points[1], points[2]])

    @cached_property
    def inside(self):
        """Signed distance to the inside of the skull, negative within."""
        _, y, z = self.points
        shell = ellipsoid(self.points, (0, 0, 0), CRANIUM)
        # The front of the skull's floor lies higher than its back.
        floor = -0.40 + 0.22 * np.clip((y - 0.18) / 0.2, 0, 1)
        floor = floor - 0.28 * np.clip((-y - 0.02) / 0.25, 0, 1)
        return np.maximum(shell, floor - z)

    @cached_property
    def brain(self):
        """Signed distance to the surface of the brain, negative within."""
        cerebrum = np.maximum(self.inside + 0.035, -0.36 - self.points[2])
        temporal = ellipsoid(self.side, (0.37, 0.12, -0.33), (0.21, 0.36, 0.19))
        cerebellum = ellipsoid(self.points, (0, -0.46, -0.40), (0.46, 0.30, 0.24))
        return np.minimum(np.minimum(cerebrum, temporal), cerebellum)

    def noise(self, cycles, offset=0.0):
        """Return smooth noise of about unit size; see `_smooth_noise`."""
        return _smooth_noise(self.lattice, self.points, self.pixel, cycles, offset)

    def paint(self, distance, value, edge=1, window=...):
        """Fill where `distance` is negative, with a rim `edge` pixels wide."""
        image = self.image[window]
        cover = np.clip(0.5 - distance / np.float32(edge * self.pixel), 0, 1)
        image += cover * (value - image)

    def fill(self, center, axes, value, bump=None, both=False, edge=1):
        """Fill an ellipsoid, looking only at the pixels near it.

        `bump` is added to its outline; `both` halves of the head may have it.
        """
        points = self.side if both else self.points
        window = find_window(points, center, np.asarray(axes) + 0.08, self.pixel)
        if window is None:
            return
        distance = ellipsoid(points[(slice(None), *window)], center, axes)
        if bump is not None:
            distance = distance + bump[window]
        self.paint(distance, value, edge, window)


def render_head(head, points, pixel):
    """Draw a slice of a head; return it as a `Section`, and where the head is."""
    points = points / head.stretch[:, None, None]
    # Space is bent a little, so that no outline is the ellipsoid that it is made from.
    points = points + _BEND * np.stack(
        [_smooth_noise(head.lattice, points, pixel, 1.1, n) for n in (30.0, 33.7, 37.4)]
    )
    image = np.full(points.shape[1:], _AIR, dtype=np.float32)
    section = Section(head.lattice, points, pixel, image)
    rough = section.noise(3.0)
    surface = _paint_soft_tissue(section, head, rough)
    _paint_face(section, head.tissue)
    _paint_skull_and_brain(section, head.tissue, rough)
    _paint_brain_stem(section, head.tissue)
    _paint_deep_structures(section, head)
    image += 0.02 * section.noise(14.0, 7.0) * (section.brain < 0)
    _paint_vessels(section, head.tissue["vessel"])
    return section, surface < 0


def _paint_soft_tissue(section, head, rough):
    points = section.points
    x, y, z = points
    outer = _BONE_WIDTH + _SCALP_WIDTH * head.scalp
    skull = ellipsoid(points, (0, 0, 0), CRANIUM) - outer
    face = ellipsoid(points, (0, 0.32, -0.62), (0.56, 0.60, 0.62)) - 0.02 * rough
    chin = ellipsoid(points, (0, 0.56, -1.14), (0.28, 0.30, 0.20))
    nose = ellipsoid(points, (0, 0.92, -0.66), (0.10, 0.14, 0.14))
    neck = np.hypot(x, y + 0.32) - 0.5 - 0.02 * rough
    neck = np.maximum(neck, z + 0.45 + 0.2 * y)
    surface = np.minimum.reduce([skull, neck, face, chin, nose])
    section.paint(surface, head.tissue["fat"])
    # Muscle and glands lie under the fat, which is thick in some places.
    inner = surface + 0.04 * head.scalp + 0.04 * np.abs(rough)
    section.paint(inner, _MUSCLE + 0.09 * section.noise(7.0, 3.0))
    return surface


def _paint_face(section, tissue):
    rough = 0.03 * section.noise(6.0, 1.0)
    fill = section.fill
    # Orbits with their eyes, then the sphenoid sinus, mouth, nose, maxillary sinuses,
    # throat and petrous bones.
    fill((0.27, 0.58, -0.40), (0.17, 0.24, 0.15), tissue["fat"], both=True)
    fill((0.28, 0.68, -0.40), (0.125, 0.125, 0.125), tissue["csf"], both=True)
    fill((0, 0.28, -0.58), (0.16, 0.17, 0.10), _AIR)
    fill((0, 0.58, -0.93), (0.30, 0.22, 0.035), _AIR, bump=0.5 * rough)
    fill((0, 0.58, -0.62), (0.11, 0.28, 0.17), _AIR, bump=rough)
    turbinate = tissue["gray"] + 0.15
    fill((0.06, 0.58, -0.66), (0.035, 0.2, 0.10), turbinate, bump=rough, both=True)
    fill((0.30, 0.50, -0.76), (0.13, 0.17, 0.14), _AIR, bump=rough, both=True)
    fill((0, 0.12, -1.0), (0.12, 0.09, 0.34), _AIR)
    fill((0.42, -0.18, -0.56), (0.22, 0.12, 0.09), _BONE, bump=rough, both=True)


def _paint_skull_and_brain(section, tissue, rough):
    inside, depth = section.inside, -section.brain
    section.paint(inside - _BONE_WIDTH, _BONE)
    # Marrow in the middle of the bone, seen here and there.
    section.paint(np.abs(inside - 0.5 * _BONE_WIDTH) - 0.008 - 0.006 * rough, 0.30)
    section.paint(inside, tissue["csf"])
    section.paint(-depth, tissue["gray"])
    # A fold is where the noise is near zero: the cortex follows it into the depth.
    folds = section.noise(5.5, 5.0)
    ribbon = 0.06 + 0.11 * np.exp(-6 * folds**2) - depth
    section.paint(ribbon, tissue["white"], edge=2)
    sulci = np.maximum(np.abs(folds) - 0.22 + 1.1 * depth, -depth)
    section.paint(sulci / 8.0, tissue["csf"])


def _paint_brain_stem(section, tissue):
    x, y, z = section.points
    tentorium = np.abs(z + 0.20 - 0.25 * (y + 0.45)) - 0.016
    section.paint(
        np.maximum.reduce([tentorium, y + 0.24, section.brain]), tissue["csf"]
    )
    section.fill((0, 0.08, -0.36), (0.19, 0.16, 0.10), tissue["csf"])  # cistern
    axis = y + 0.15 - 0.12 * (z + 0.4)
    stem = np.hypot(x, axis) - 0.10 - 0.05 * np.exp(-(((z + 0.46) / 0.13) ** 2))
    stem = np.maximum(stem, np.maximum(z + 0.15, -1.6 - z))
    section.paint(stem - 0.035, tissue["csf"])
    section.paint(stem, tissue["white"] - 0.03)
    section.fill((0, -0.29, -0.43), (0.07, 0.05, 0.10), tissue["csf"])  # 4th ventricle
    section.fill((0, 0.11, -0.34), (0.09, 0.03, 0.02), _GRAY)  # optic chiasm
    section.fill(SELLA, (0.06, 0.045, 0.032), 0.66)  # the small gland in the sella


def _paint_deep_structures(section, head):
    x, y, z = section.points
    csf, gray, size = head.tissue["csf"], head.tissue["gray"], head.ventricles
    fissure = np.maximum(np.abs(x) - 0.014, section.brain)
    fissure = np.maximum(fissure, 0.24 - z + 0.35 * y**2 - 0.9 * np.abs(y))
    section.paint(fissure, csf)
    # Thalamus and lentiform nucleus.
    section.fill((0.13, -0.08, 0.0), (0.10, 0.16, 0.10), gray, both=True, edge=2)
    section.fill((0.27, 0.12, 0.0), (0.08, 0.20, 0.11), gray, both=True, edge=2)
    # The bodies of the lateral ventricles are arched, their hind horns are not.
    arch = 0.17 - 0.30 * (y + 0.02) ** 2
    bowed = np.stack([np.abs(x) - 0.10 - 0.16 * (y + 0.05) ** 2, y, z - arch])
    section.paint(ellipsoid(bowed, (0, 0, 0), (0.055 * size, 0.46, 0.075 * size)), csf)
    section.fill((0.26, -0.36, -0.02), (0.05 * size, 0.14, 0.09 * size), csf, both=True)
    section.fill((0, -0.02, -0.08), (0.022 * size, 0.16, 0.11), csf)  # 3rd ventricle


def _paint_vessels(section, value):
    x, y, z = section.points
    aside, inside = section.side[0], section.inside
    # Sagittal and transverse sinuses run along the skull, the falx between the halves.
    section.paint(np.maximum(np.hypot(x, inside + 0.025) - 0.035, 0.1 - z), value)
    transverse = np.hypot(inside + 0.03, z + 0.24) - 0.032
    section.paint(np.maximum(transverse, y + 0.1), value)
    section.paint(np.maximum.reduce([aside - 0.004, inside, 0.36 - z]), value)
    # Carotid and middle cerebral arteries, choroid plexus.
    section.fill((0.14, 0.13, -0.45), (0.04, 0.07, 0.045), value, both=True)
    middle = np.hypot(y - 0.14 - 0.1 * aside, z + 0.30) - 0.018
    section.paint(np.maximum.reduce([middle, aside - 0.45, 0.08 - aside]), value)
    section.fill((0.22, -0.26, 0.03), (0.022, 0.09, 0.03), value, both=True)
    # Small cortical vessels: where two noises are both near zero, close to the surface.
    thread = np.hypot(section.noise(4.0, 9.0), section.noise(4.0, 13.0)) / 7.0 - 0.013
    section.paint(np.maximum.reduce([thread, inside, -inside - 0.28]), value)


def ellipsoid(points, center, axes):
    """Return the approximate signed distance to an ellipsoid, negative inside."""
    total = 0.0
    for p, c, a in zip(points, center, axes, strict=True):
        total = total + ((p - np.float32(c)) * np.float32(1.0 / a)) ** 2
    return (np.sqrt(total) - 1) * np.float32(min(axes))


def find_window(points, center, reach, pixel):
    """Return rows and columns with points within `reach` of `center`, or None."""
    coarse = points[:, ::_STEP, ::_STEP]
    reach = np.broadcast_to(np.asarray(reach) + _STEP * pixel, 3)
    near = np.ones(coarse.shape[1:], dtype=bool)
    for p, c, r in zip(coarse, center, reach, strict=True):
        near &= np.abs(p - np.float32(c)) < np.float32(r)
    if not near.any():
        return None
    found = (np.flatnonzero(near.any(axis=axis)) for axis in (1, 0))
    return tuple(slice(max(_STEP * (i[0] - 1), 0), _STEP * (i[-1] + 2)) for i in found)


def _smooth_noise(lattice, points, pixel, cycles, offset=0.0):
    """Return smooth noise of about unit size at points ``(3, H, W)``.

    `cycles` is the number of lattice nodes a unit of length; `offset` gives another,
    independent noise from the same lattice.
    """
    # What varies over many pixels is computed on a coarser grid: three times faster.
    step = int(max(1, 0.3 / (cycles * pixel)))
    where = (points[:, ::step, ::step] + _NOISE_REACH) * np.float32(cycles)
    where = where + np.float32(offset)
    node = np.floor(where)
    where -= node
    # Smooth steps between the nodes: straight ones leave creases and corners.
    where = node + where * where * (3 - 2 * where)
    noise = map_coordinates(lattice, where, order=1, mode="grid-wrap")
    height, width = points.shape[1:]
    if step > 1:
        noise = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
    return np.float32(1.5) * np.asarray(noise)
