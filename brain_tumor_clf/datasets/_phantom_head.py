"""A head in three dimensions, from which phantoms are cut.

Each structure is an implicit shape that is evaluated at the points of one slice, so
that slices of one patient in any plane show one anatomy.

Axes of a point: x to the left, y to the front, z up. The unit is half the length of the
head, and the origin is the middle of the brain.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

CRANIUM = (0.70, 0.88, 0.72)  # half axes of the inside of the skull
SELLA = (0.0, 0.12, -0.44)
# Intensities of a T1-weighted scan with contrast agent, before the imaging chain.
_TISSUES = {"csf": 0.16, "gray": 0.41, "white": 0.58, "fat": 0.85, "vessel": 0.80}
_AIR, _BONE, _MUSCLE = 0.0, 0.06, 0.38
_BONE_WIDTH, _SCALP_WIDTH = 0.055, 0.05
_LATTICE = 20  # nodes a side of the patient's noise


class Head(NamedTuple):
    """One patient: relative sizes, noise and intensities."""

    stretch: np.ndarray
    ventricles: float
    scalp: float
    lattice: np.ndarray  # folds, vessels and outlines are made of this noise
    tissue: dict


class Section:
    """A slice while it is drawn: its points ``(3, H, W)``, `pixel` apart, and image."""

    def __init__(self, head, points, pixel):
        self.lattice = head.lattice
        self.pixel = pixel
        self.image = np.full(points.shape[1:], _AIR, dtype=np.float32)
        self.points = points / head.stretch[:, None, None]
        # Space is bent a little, so that no outline is a perfect ellipsoid.
        bend = [self.noise(1.1, offset) for offset in (30.0, 33.7, 37.4)]
        self.points = self.points + np.float32(0.022) * np.stack(bend)
        # Both halves of the head laid on one another.
        self.mirrored = np.stack([np.abs(self.points[0]), *self.points[1:]])

    @cached_property
    def inside(self):
        """Signed distance to the inside of the skull, negative within."""
        y = self.points[1]
        # The front of the skull's floor lies higher than its back.
        floor = -0.40 + 0.22 * np.clip((y - 0.18) / 0.2, 0, 1)
        floor = floor - 0.28 * np.clip((-y - 0.02) / 0.25, 0, 1)
        return np.maximum(self.ellipsoid((0, 0, 0), CRANIUM), floor - self.points[2])

    @cached_property
    def brain(self):
        """Signed distance to the surface of the brain, negative within."""
        cerebrum = np.maximum(self.inside + 0.035, -0.36 - self.points[2])
        temporal = self.ellipsoid((0.37, 0.12, -0.33), (0.21, 0.36, 0.19), both=True)
        cerebellum = self.ellipsoid((0, -0.46, -0.40), (0.46, 0.30, 0.24))
        return np.minimum(np.minimum(cerebrum, temporal), cerebellum)

    def ellipsoid(self, center, axes, both=False):
        """Approximate signed distance to an ellipsoid, in one or both halves."""
        points = self.mirrored if both else self.points
        center = np.reshape(center, (3, 1, 1)).astype(np.float32)
        axes = np.reshape(axes, (3, 1, 1)).astype(np.float32)
        return (np.sqrt((((points - center) / axes) ** 2).sum(axis=0)) - 1) * axes.min()

    def noise(self, cycles, offset=0.0):
        """Smooth noise of about unit size with `cycles` nodes a unit of length.

        Each `offset` gives another noise from the patient's lattice.
        """
        # What varies over many pixels is computed on a coarser grid.
        step = int(max(1, 0.3 / (cycles * self.pixel)))
        where = (self.points[:, ::step, ::step] + 1.6) * np.float32(cycles)
        where = where + np.float32(offset)
        node = np.floor(where)
        where -= node
        # Smooth steps between the nodes: linear ones leave creases.
        where = node + where * where * (3 - 2 * where)
        noise = map_coordinates(self.lattice, where, order=1, mode="grid-wrap")
        if step > 1:
            height, width = self.points.shape[1:]
            small = Image.fromarray(noise)
            noise = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
        return np.float32(1.5) * noise

    def paint(self, distance, value, edge=1):
        """Fill where `distance` is negative, with a rim `edge` pixels wide."""
        cover = np.clip(0.5 - distance / np.float32(edge * self.pixel), 0, 1)
        self.image += cover * (value - self.image)


def draw_head(rng):
    """Draw one patient's anatomy."""
    tissue = {name: v + rng.uniform(-0.05, 0.05) for name, v in _TISSUES.items()}
    return Head(
        stretch=rng.uniform(0.94, 1.06, 3).astype(np.float32),
        ventricles=rng.uniform(0.75, 1.4),
        scalp=rng.uniform(0.7, 1.5),
        lattice=rng.standard_normal((_LATTICE,) * 3).astype(np.float32),
        tissue=tissue,
    )


def paint_head(section, head):
    """Draw a slice of a head; return the signed distance to its surface."""
    rough = section.noise(3.0)
    surface = _paint_soft_tissue(section, head, rough)
    _paint_face(section, head.tissue)
    _paint_skull_and_brain(section, head.tissue, rough)
    _paint_deep_structures(section, head)
    section.image += 0.02 * section.noise(14.0, 7.0) * (section.brain < 0)
    _paint_vessels(section, head.tissue["vessel"])
    return surface


def _paint_soft_tissue(section, head, rough):
    x, y, z = section.points
    outer = _BONE_WIDTH + _SCALP_WIDTH * head.scalp
    skull = section.ellipsoid((0, 0, 0), CRANIUM) - outer
    face = section.ellipsoid((0, 0.32, -0.62), (0.56, 0.60, 0.62)) - 0.02 * rough
    nose = section.ellipsoid((0, 0.92, -0.66), (0.10, 0.14, 0.14))
    neck = np.maximum(np.hypot(x, y + 0.32) - 0.5 - 0.02 * rough, z + 0.45 + 0.2 * y)
    surface = np.minimum.reduce([skull, neck, face, nose])
    section.paint(surface, head.tissue["fat"])
    # Muscle and glands lie under the fat, which is thick in some places.
    inner = surface + 0.04 * head.scalp + 0.04 * np.abs(rough)
    section.paint(inner, _MUSCLE + 0.09 * section.noise(7.0, 3.0))
    return surface


def _paint_face(section, tissue):
    rough = 0.03 * section.noise(6.0, 1.0)
    eye = section.ellipsoid((0.28, 0.68, -0.40), (0.125, 0.125, 0.125), both=True)
    section.paint(eye - 0.06, tissue["fat"])
    section.paint(eye, tissue["csf"])
    # Sphenoid sinus, nasal cavity, maxillary sinuses and throat are air.
    section.paint(section.ellipsoid((0, 0.28, -0.58), (0.16, 0.17, 0.10)), _AIR)
    nasal = section.ellipsoid((0, 0.58, -0.62), (0.11, 0.28, 0.17)) + rough
    section.paint(nasal, _AIR)
    maxillary = section.ellipsoid((0.30, 0.50, -0.76), (0.13, 0.17, 0.14), both=True)
    section.paint(maxillary + rough, _AIR)
    section.paint(section.ellipsoid((0, 0.12, -1.0), (0.12, 0.09, 0.34)), _AIR)
    petrous = section.ellipsoid((0.42, -0.18, -0.56), (0.22, 0.12, 0.09), both=True)
    section.paint(petrous + rough, _BONE)


def _paint_skull_and_brain(section, tissue, rough):
    inside, depth = section.inside, -section.brain
    section.paint(inside - _BONE_WIDTH, _BONE)
    # Marrow in the middle of the bone, in some places.
    section.paint(np.abs(inside - 0.5 * _BONE_WIDTH) - 0.008 - 0.006 * rough, 0.30)
    section.paint(inside, tissue["csf"])
    section.paint(-depth, tissue["gray"])
    # A fold is where the noise is near zero: the cortex follows it into the depth.
    folds = section.noise(5.5, 5.0)
    section.paint(0.06 + 0.11 * np.exp(-6 * folds**2) - depth, tissue["white"], edge=2)
    sulci = np.maximum(np.abs(folds) - 0.22 + 1.1 * depth, -depth)
    section.paint(sulci / 8.0, tissue["csf"])


def _paint_deep_structures(section, head):
    x, y, z = section.points
    csf, gray, size = head.tissue["csf"], head.tissue["gray"], head.ventricles
    stem = np.hypot(x, y + 0.15 - 0.12 * (z + 0.4)) - 0.12
    stem = np.maximum(stem, np.maximum(z + 0.15, -1.6 - z))
    section.paint(stem - 0.035, csf)
    section.paint(stem, head.tissue["white"] - 0.03)
    section.paint(section.ellipsoid((0, 0.08, -0.36), (0.19, 0.16, 0.10)), csf)
    section.paint(section.ellipsoid(SELLA, (0.06, 0.045, 0.032)), 0.66)
    fissure = np.maximum(np.abs(x) - 0.014, section.brain)
    fissure = np.maximum(fissure, 0.24 - z + 0.35 * y**2 - 0.9 * np.abs(y))
    section.paint(fissure, csf)
    thalamus = section.ellipsoid((0.13, -0.08, 0.0), (0.10, 0.16, 0.10), both=True)
    lentiform = section.ellipsoid((0.27, 0.12, 0.0), (0.08, 0.20, 0.11), both=True)
    section.paint(np.minimum(thalamus, lentiform), gray, edge=2)
    # Lateral ventricles with their occipital horns, and the third ventricle.
    body = section.ellipsoid((0.11, 0.0, 0.14), (0.055 * size, 0.4, 0.075 * size), True)
    horn = section.ellipsoid((0.26, -0.36, 0), (0.05 * size, 0.14, 0.09 * size), True)
    third = section.ellipsoid((0, -0.02, -0.08), (0.022 * size, 0.16, 0.11))
    section.paint(np.minimum.reduce([body, horn, third]), csf)


def _paint_vessels(section, value):
    x, y, z = section.points
    inside = section.inside
    # Sagittal and transverse sinuses run along the skull, the falx between the halves.
    section.paint(np.maximum(np.hypot(x, inside + 0.025) - 0.035, 0.1 - z), value)
    transverse = np.hypot(inside + 0.03, z + 0.24) - 0.032
    section.paint(np.maximum(transverse, y + 0.1), value)
    section.paint(np.maximum.reduce([np.abs(x) - 0.004, inside, 0.36 - z]), value)
    carotid = section.ellipsoid((0.14, 0.13, -0.45), (0.04, 0.07, 0.045), both=True)
    plexus = section.ellipsoid((0.22, -0.26, 0.03), (0.022, 0.09, 0.03), both=True)
    section.paint(np.minimum(carotid, plexus), value)
    # Small cortical vessels: where two noises are both near zero, close to the surface.
    thread = np.hypot(section.noise(4.0, 9.0), section.noise(4.0, 13.0)) / 7.0 - 0.013
    section.paint(np.maximum.reduce([thread, inside, -inside - 0.28]), value)
