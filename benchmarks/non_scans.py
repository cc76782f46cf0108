"""Images that are not brain scans: blank, noise, text, photographs, other organs."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from sklearn.datasets import load_sample_images

from brain_tumor_clf import make_brain_mri

_SIDES = (180, 224, 256, 320, 512)
_WORDS = ("patient", "report", "seen", "on", "and", "with", "no", "contrast", "left")
# Photographs in scikit-image's wheel; the others there are drawings or scans.
_SKIMAGE = (
    *("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel"),
    *("hubble_deep_field", "ihc", "moon", "motorcycle_left", "page", "retina"),
    *("rocket", "text"),
)


def _size(rng):
    side = int(rng.choice(_SIDES))
    return side, int(rng.choice([side, side * 3 // 4]))


def _blank(level):
    def draw(rng):
        value = level + int(rng.integers(-6, 7))
        return np.full(_size(rng), np.clip(value, 0, 255), dtype=np.uint8)

    return draw


def noise(rng):
    """Uniform, normal or salt-and-pepper noise, fine or coarse, gray or colored."""
    height, width = _size(rng)
    grain = int(rng.choice([1, 1, 2, 4, 8]))
    shape = (-(-height // grain), -(-width // grain), int(rng.choice([1, 3])))
    kind = rng.integers(3)
    if kind == 0:
        image = rng.integers(0, 256, shape)
    elif kind == 1:
        image = rng.normal(rng.uniform(30, 220), rng.uniform(5, 80), shape)
    else:
        image = 255 * (rng.random(shape) < rng.uniform(0.02, 0.5))
    image = np.clip(image, 0, 255).astype(np.uint8)
    image = image.repeat(grain, 0).repeat(grain, 1)[:height, :width]
    return image[..., 0] if image.shape[2] == 1 else image


def gradient(rng):
    """A ramp in any direction, or rings around a point."""
    height, width = _size(rng)
    rows, columns = np.mgrid[:height, :width].astype(float)
    if rng.random() < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        values = rows * np.sin(angle) + columns * np.cos(angle)
    else:
        row, column = rng.uniform(0, height), rng.uniform(0, width)
        values = np.hypot(rows - row, columns - column)
    values = (values - values.min()) / np.ptp(values)
    if rng.random() < 0.3:
        values = (values * rng.integers(2, 8)) % 1
    if rng.random() < 0.4:
        values = 1 - values
    return (255 * values).astype(np.uint8)


def text_page(rng):
    """A page of words or a table, dark on light or light on dark."""
    height, width = _size(rng)
    dark_on_light = rng.random() < 0.75
    page = Image.new("L", (width, height), 250 if dark_on_light else 5)
    draw = ImageDraw.Draw(page)
    size = int(rng.integers(9, 24))
    font = ImageFont.load_default(size)
    ink = 10 if dark_on_light else 245
    for top in range(int(rng.integers(4, 30)), height, int(size * 1.5)):
        line = " ".join(rng.choice(_WORDS, rng.integers(1, 30)))
        draw.text((int(rng.integers(4, 30)), top), line, ink, font)
        if rng.random() < 0.05:
            draw.line([(0, top), (width, top)], ink)
    return np.asarray(page)


def _crops(pictures):
    def draw(rng):
        image = pictures[rng.integers(len(pictures))]
        height, width = image.shape[:2]
        share = rng.uniform(0.35, 1)
        h, w = int(height * share), int(width * share)
        top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
        crop = image[top : top + h, left : left + w]
        return np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop)

    return draw


class _Section:
    """A section through a body that is being drawn."""

    def __init__(self, rng):
        side = int(rng.choice(_SIDES))
        self.rng, self.image = rng, np.zeros((side, side))
        self.rows, self.columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]

    def fill(self, mask, low, high):
        """Give the pixels of a mask one level between two."""
        self.image[mask] = low if low == high else self.rng.uniform(low, high)

    def ellipse(self, row, column, height, width, low, high, angle=0.0):
        """Draw an ellipse of a level between two."""
        y, x = self.rows - row, self.columns - column
        c, s = np.cos(angle), np.sin(angle)
        along, across = (c * y + s * x) / height, (c * x - s * y) / width
        self.fill(along**2 + across**2 < 1, low, high)

    def scanned(self):
        """Return the image with blur, a coil's uneven sensitivity and noise."""
        rng = self.rng
        image = ndimage.gaussian_filter(self.image, rng.uniform(0.4, 1.5))
        slope = rng.normal() * self.rows + rng.normal() * self.columns
        image = image * (1 + 0.2 * slope) + rng.normal(0, 4, image.shape)
        image = np.hypot(image, rng.normal(0, 4, image.shape))
        return np.clip(image, 0, 255).astype(np.uint8)


def trunk(rng):
    """A section of thorax or belly: wide, fat outside, organs or lungs, a vertebra."""
    drawn = _Section(rng)
    height, width = rng.uniform(0.5, 0.68), rng.uniform(0.8, 0.97)
    drawn.ellipse(0, 0, height, width, 120, 220)
    drawn.ellipse(0, 0, height - 0.08, width - 0.08, 60, 120)
    if rng.random() < 0.5:  # lungs and heart
        for side in (-1, 1):
            drawn.ellipse(-0.05, side * 0.42, 0.36, 0.28, 2, 25, side * 0.2)
        drawn.ellipse(0, 0.12, 0.2, 0.24, 110, 200, 0.4)
    else:  # liver, spleen, kidneys
        drawn.ellipse(-0.06, -0.36, 0.36, 0.38, 90, 150)
        drawn.ellipse(0.05, 0.5, 0.22, 0.16, 80, 170, 0.5)
        for side in (-1, 1):
            drawn.ellipse(0.2, side * 0.35, 0.14, 0.1, 120, 220, side * 0.4)
    drawn.ellipse(height - 0.3, 0, 0.12, 0.13, 130, 220)
    drawn.ellipse(height - 0.14, 0, 0.05, 0.05, 10, 240)
    return drawn.scanned()


def knee(rng):
    """Two long bones that meet at a joint, muscle around them."""
    drawn = _Section(rng)
    rows, columns = drawn.rows, drawn.columns
    muscle = np.abs(columns - 0.05 * np.sin(3 * rows)) < rng.uniform(0.5, 0.75)
    drawn.fill(muscle, 50, 100)
    half, joint = rng.uniform(0.2, 0.32), rng.uniform(-0.15, 0.15)
    inside = np.abs(columns) < half + 0.16 * np.exp(-(((rows - joint) / 0.25) ** 2))
    drawn.fill(inside & (np.abs(rows - joint) > 0.04), 140, 220)
    drawn.image[inside & (np.abs(rows - joint) < 0.025)] = 30
    drawn.ellipse(joint - 0.2, 0.55, 0.2, 0.08, 130, 200)
    return drawn.scanned()


def spine(rng):
    """A column of vertebrae and disks from the side, the cord behind it."""
    drawn = _Section(rng)
    rows, columns = drawn.rows, drawn.columns
    level = rng.uniform(30, 70)
    drawn.image[np.abs(columns) < rng.uniform(0.7, 0.98)] = level
    from_curve = columns - rng.uniform(0.05, 0.2) * np.sin(rng.uniform(1.5, 3) * rows)
    pitch = rng.uniform(0.2, 0.35)
    column = np.abs(from_curve) < rng.uniform(0.12, 0.2)
    phase = (rows % pitch) / pitch
    drawn.fill(column & (phase < 0.75), 120, 190)
    drawn.fill(column & (phase >= 0.75), 60, 230)
    drawn.fill(np.abs(from_curve - 0.3) < 0.06, 90, 150)
    drawn.image[np.abs(from_curve - 0.55) < 0.1] *= rng.uniform(1, 2.5)
    return drawn.scanned()


def pelvis(rng):
    """Two round joints in a wide section, a bladder between them."""
    drawn = _Section(rng)
    drawn.ellipse(0, 0, rng.uniform(0.5, 0.65), 0.95, 190, 190)
    drawn.ellipse(0, 0, 0.48, 0.86, 50, 100)
    for side in (-1, 1):
        drawn.ellipse(0, side * 0.55, 0.18, 0.18, 130, 230)
    drawn.ellipse(-0.12, 0, 0.2, 0.25, 20, 250)
    drawn.ellipse(0.25, 0, 0.1, 0.1, 10, 120)
    return drawn.scanned()


def phantom(rng):
    """A phantom of the package."""
    seed = int(rng.integers(2**31))
    scans = make_brain_mri(1, int(rng.choice(_SIDES[:4])), random_state=seed)
    return scans.data[0]


def kinds(skimage_folder=None):
    """Return functions of a NumPy generator that draw an image, by kind.

    `skimage_folder` is ``skimage/data`` of scikit-image's wheel, for its photographs.
    """
    drawn = {
        "black": _blank(4),
        "white": _blank(251),
        "noise": noise,
        "gradients": gradient,
        "text pages": text_page,
        "photographs (scikit-learn)": _crops(load_sample_images().images),
        "trunk": trunk,
        "knee": knee,
        "spine": spine,
        "pelvis": pelvis,
        "the package's phantoms": phantom,
    }
    if skimage_folder:
        files = [p for p in sorted(skimage_folder.iterdir()) if p.stem in _SKIMAGE]
        pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files]
        drawn["photographs (scikit-image)"] = _crops(pictures)
    return drawn
