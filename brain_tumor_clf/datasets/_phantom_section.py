"""A slice while it is drawn: its points, its image, and how to paint on it."""

from functools import cached_property

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

CRANIUM = (0.70, 0.88, 0.72)  # half axes of the inside of the skull
_NOISE_REACH = 1.6  # the noise repeats beyond this distance
_BEND = np.float32(0.022)
_STEP = 4  # pixels between the points by which a window is found


class Section:
    """A slice through a head.

    Parameters
    ----------
    lattice : ndarray of shape (m, m, m)
        Noise of the patient.
    points : ndarray of shape (3, H, W)
        Where the pixels lie in the standard head.
    pixel : float
        Distance of neighboring pixels.
    image : ndarray of shape (H, W)
        What is painted on, in place.

    Attributes
    ----------
    side : ndarray of shape (3, H, W)
        The points with both halves of the head laid on one another.
    inside, brain : ndarray of shape (H, W)
        Signed distance to the inside of the skull and to the surface of the brain,
        negative within.
    """

    def __init__(self, lattice, points, pixel, image):
        self.lattice = lattice
        self.points = points
        self.pixel = pixel
        self.image = image
        self.side = np.stack([np.abs(points[0]), points[1], points[2]])

    @cached_property
    def inside(self):
        _, y, z = self.points
        shell = ellipsoid(self.points, (0, 0, 0), CRANIUM)
        # The front of the skull's floor lies higher than its back.
        floor = -0.40 + 0.22 * np.clip((y - 0.18) / 0.2, 0, 1)
        floor = floor - 0.28 * np.clip((-y - 0.02) / 0.25, 0, 1)
        return np.maximum(shell, floor - z)

    @cached_property
    def brain(self):
        cerebrum = np.maximum(self.inside + 0.035, -0.36 - self.points[2])
        temporal = ellipsoid(self.side, (0.37, 0.12, -0.33), (0.21, 0.36, 0.19))
        cerebellum = ellipsoid(self.points, (0, -0.46, -0.40), (0.46, 0.30, 0.24))
        return np.minimum(np.minimum(cerebrum, temporal), cerebellum)

    def noise(self, cycles, offset=0.0):
        """Smooth noise of about unit size, shape (H, W), as :func:`smooth_noise`."""
        return smooth_noise(self.lattice, self.points, self.pixel, cycles, offset)

    def paint(self, distance, value, edge=1):
        """Fill where `distance` is negative, with a rim `edge` pixels wide."""
        _paint(self.image, distance, value, edge * self.pixel)

    def fill(self, center, axes, value, bump=None, both=False, edge=1):
        """Fill an ellipsoid; `bump` is added to its outline, `both` halves may have it.

        Only the pixels near it are looked at.
        """
        points = self.side if both else self.points
        window = find_window(points, center, np.asarray(axes) + 0.08, self.pixel)
        if window is None:
            return
        distance = ellipsoid(points[(slice(None), *window)], center, axes)
        if bump is not None:
            distance = distance + bump[window]
        _paint(self.image[window], distance, value, edge * self.pixel)

    def part(self, window):
        """The part of this slice in a window; painting on it paints on this slice."""
        points = self.points[(slice(None), *window)]
        return Section(self.lattice, points, self.pixel, self.image[window])


def ellipsoid(points, center, axes):
    """Approximate signed distance to an ellipsoid, negative inside."""
    total = 0.0
    for p, c, a in zip(points, center, axes, strict=True):
        total = total + ((p - np.float32(c)) * np.float32(1.0 / a)) ** 2
    return (np.sqrt(total) - 1) * np.float32(min(axes))


def find_window(points, center, reach, pixel):
    """Rows and columns with points within `reach` of `center` on each axis, or None."""
    coarse = points[:, ::_STEP, ::_STEP]
    reach = np.broadcast_to(np.asarray(reach) + _STEP * pixel, 3)
    near = np.ones(coarse.shape[1:], dtype=bool)
    for p, c, r in zip(coarse, center, reach, strict=True):
        near &= np.abs(p - np.float32(c)) < np.float32(r)
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if len(rows) == 0:
        return None
    return (
        slice(max(_STEP * (rows[0] - 1), 0), _STEP * (rows[-1] + 2)),
        slice(max(_STEP * (columns[0] - 1), 0), _STEP * (columns[-1] + 2)),
    )


def smooth_noise(lattice, points, pixel, cycles, offset=0.0):
    """Smooth noise of about unit size at points ``(3, H, W)``.

    `cycles` is the number of lattice nodes a unit of length; `offset` gives another,
    independent noise from the same lattice.
    """
    # What varies over many pixels is worked out on a coarser grid: three times faster.
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


def bend(lattice, points, pixel):
    """Bend space a little, so that no outline is the ellipsoid that it is made from."""
    offsets = (30.0, 33.7, 37.4)
    return points + _BEND * np.stack(
        [smooth_noise(lattice, points, pixel, 1.1, offset) for offset in offsets]
    )


def _paint(image, distance, value, width):
    cover = np.clip(0.5 - distance / np.float32(width), 0, 1)
    image += cover * (value - image)
