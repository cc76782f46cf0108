"""Images that are no brain scans: blank, noise, text, photographs, other organs."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from sklearn.datasets import load_sample_images

from brain_tumor_clf import make_brain_mri

_SIDES = (180, 224, 256, 320, 512)
_WORDS = ("patient", "report", "seen", "on", "and", "with", "no", "contrast", "left")
# Photographs of scikit-image's wheel; those left out are drawings, or scans of a kind.
_SKIMAGE = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
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
    """Uniform, normal or salt-and-pepper noise, fine or coarse, grey or colored."""
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


def _read_pictures(folder, names):
    found = [folder / name for name in names if (folder / name).is_file()]
    return [np.asarray(Image.open(path).convert("RGB")) for path in found]


def _canvas(rng):
    side = int(rng.choice(_SIDES))
    rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    return np.zeros((side, side)), rows, columns


def _ellipse(rows, columns, row, column, height, width, angle=0.0):
    y, x = rows - row, columns - column
    c, s = np.cos(angle), np.sin(angle)
    return ((c * y + s * x) / height) ** 2 + ((c * x - s * y) / width) ** 2 < 1


def _finish(image, rng):
    """Blur, a coil's uneven light and noise, as of a scanner."""
    image = ndimage.gaussian_filter(image, rng.uniform(0.4, 1.5))
    rows, columns = np.mgrid[-1 : 1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j]
    image = image * (1 + 0.2 * (rng.normal() * rows + rng.normal() * columns))
    noisy = np.hypot(
        image + rng.normal(0, 4, image.shape), rng.normal(0, 4, image.shape)
    )
    return np.clip(noisy, 0, 255).astype(np.uint8)


def trunk(rng):
    """A section of thorax or belly: wide, fat outside, organs or lungs, a vertebra."""
    image, rows, columns = _canvas(rng)
    height, width = rng.uniform(0.5, 0.68), rng.uniform(0.8, 0.97)
    image[_ellipse(rows, columns, 0, 0, height, width)] = rng.uniform(120, 220)
    inner = _ellipse(rows, columns, 0, 0, height - 0.08, width - 0.08)
    image[inner] = rng.uniform(60, 120)
    if rng.random() < 0.5:  # lungs and heart
        for side in (-1, 1):
            lung = _ellipse(rows, columns, -0.05, side * 0.42, 0.36, 0.28, side * 0.2)
            image[lung] = rng.uniform(2, 25)
        image[_ellipse(rows, columns, 0, 0.12, 0.2, 0.24, 0.4)] = rng.uniform(110, 200)
    else:  # liver, spleen, kidneys
        image[_ellipse(rows, columns, -0.06, -0.36, 0.36, 0.38)] = rng.uniform(90, 150)
        image[_ellipse(rows, columns, 0.05, 0.5, 0.22, 0.16, 0.5)] = rng.uniform(
            80, 170
        )
        for side in (-1, 1):
            kidney = _ellipse(rows, columns, 0.2, side * 0.35, 0.14, 0.1, side * 0.4)
            image[kidney] = rng.uniform(120, 220)
    image[_ellipse(rows, columns, height - 0.3, 0, 0.12, 0.13)] = rng.uniform(130, 220)
    image[_ellipse(rows, columns, height - 0.14, 0, 0.05, 0.05)] = rng.uniform(10, 240)
    return _finish(image, rng)


def knee(rng):
    """Two long bones that meet at a joint, muscle around them."""
    image, rows, columns = _canvas(rng)
    limb = np.abs(columns - 0.05 * np.sin(3 * rows)) < rng.uniform(0.5, 0.75)
    image[limb] = rng.uniform(50, 100)
    half, joint = rng.uniform(0.2, 0.32), rng.uniform(-0.15, 0.15)
    flare = half + 0.16 * np.exp(-(((rows - joint) / 0.25) ** 2))
    bones = (np.abs(columns) < flare) & (np.abs(rows - joint) > 0.04)
    image[bones] = rng.uniform(140, 220)
    image[(np.abs(columns) < flare) & (np.abs(rows - joint) < 0.025)] = 30
    patella = _ellipse(rows, columns, joint - 0.2, 0.55, 0.2, 0.08)
    image[patella] = rng.uniform(130, 200)
    return _finish(image, rng)


def spine(rng):
    """A column of vertebrae and disks from the side, the cord behind it."""
    image, rows, columns = _canvas(rng)
    image[np.abs(columns) < rng.uniform(0.7, 0.98)] = rng.uniform(30, 70)
    curve = rng.uniform(0.05, 0.2) * np.sin(rng.uniform(1.5, 3) * rows)
    pitch = rng.uniform(0.2, 0.35)
    column = np.abs(columns - curve) < rng.uniform(0.12, 0.2)
    phase = (rows % pitch) / pitch
    image[column & (phase < 0.75)] = rng.uniform(120, 190)
    image[column & (phase >= 0.75)] = rng.uniform(60, 230)
    cord = np.abs(columns - curve - 0.3) < 0.06
    image[cord] = rng.uniform(90, 150)
    image[np.abs(columns - curve - 0.55) < 0.1] *= rng.uniform(1, 2.5)
    return _finish(image, rng)


def pelvis(rng):
    """Two round joints in a wide section, a bladder between them."""
    image, rows, columns = _canvas(rng)
    image[_ellipse(rows, columns, 0, 0, rng.uniform(0.5, 0.65), 0.95)] = 190
    image[_ellipse(rows, columns, 0, 0, 0.48, 0.86)] = rng.uniform(50, 100)
    for side in (-1, 1):
        head = _ellipse(rows, columns, 0, side * 0.55, 0.18, 0.18)
        image[head] = rng.uniform(130, 230)
    bladder = _ellipse(rows, columns, -0.12, 0, 0.2, 0.25)
    image[bladder] = rng.uniform(20, 250)
    image[_ellipse(rows, columns, 0.25, 0, 0.1, 0.1)] = rng.uniform(10, 120)
    return _finish(image, rng)


def phantom(rng):
    """The package's own drawing of a head."""
    seed = int(rng.integers(2**31))
    scans = make_brain_mri(1, int(rng.choice(_SIDES[:4])), random_state=seed)
    return scans.data[0]


def kinds(skimage_folder=None):
    """What draws each kind: ``{name: function of a NumPy generator}``.

    Parameters
    ----------
    skimage_folder : path, optional
        ``skimage/data`` of scikit-image's wheel, for its photographs.
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
    pictures = _read_pictures(skimage_folder, _SKIMAGE) if skimage_folder else []
    if pictures:
        drawn["photographs (scikit-image)"] = _crops(pictures)
    return drawn


def draw(function, n, seed):
    """`n` images ``(H, W)`` or ``(H, W, 3)``, uint8."""
    rng = np.random.default_rng(seed)
    return [function(rng) for _ in range(n)]
