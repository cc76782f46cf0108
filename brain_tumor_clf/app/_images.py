"""Images for the screen: scans, thumbnails, heat maps over scans, phantoms."""

import io

import numpy as np
from PIL import Image, ImageDraw

from brain_tumor_clf.preprocessing import (
    HeadCropper,
    ImageReader,
    iter_outcomes,
    read_image,
)

MAX_PIXELS = 25_000_000  # slices have 0.03 to 4 million
PHANTOM_SIDE = 256  # pixels
_THUMBNAIL_SIDE = 96  # pixels
# As `SaliencyDisplay` draws heat maps: distinguishable from gray at every level.
_COLORS, _BRIGHT_END = "turbo", 1.1


def read_frame(upload):
    """Read an uploaded file, or a frame of it, as RGB image at full size."""
    # As one of a collection: `look_at` has noted what is unusual.
    return next(iter_outcomes(_read, [upload])).image


def read_scan(upload, longest):
    """Read an uploaded file as RGB image of at most `longest` pixels a side."""
    return _shrink(read_frame(upload), longest)


def look_at(upload):
    """Return height and width of the image in a file, and a thumbnail of it.

    Called by `iter_outcomes`, it notes what is unusual: several frames, no head.
    """
    image = _read(upload)
    HeadCropper().find_box(image)
    return image.shape[:2], _shrink(image, _THUMBNAIL_SIDE)


def fit_heat(heat, shape):
    """Resize a heat map to the height and width of the scan on the screen."""
    if heat.shape == tuple(shape):
        return heat
    picture = Image.fromarray(heat.astype("float32"))
    resized = picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(resized).clip(0, 1)


def overlay(scan, heat, opacity):
    """Lay a heat map, from 0 to 1, over a scan; opaque in proportion to the heat.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.app._images import overlay
    >>> scan = np.full((2, 2, 3), 90, dtype=np.uint8)
    >>> heat = np.array([[0, 0], [0, 1]], dtype=np.float32)
    >>> colored = overlay(scan, heat, 0.5)
    >>> bool((colored[0] == 90).all()), bool((colored[1, 1] == 90).all())
    (True, False)
    """
    import matplotlib

    alpha = opacity * heat[..., None]
    colors = 255 * matplotlib.colormaps[_COLORS](heat / _BRIGHT_END)[..., :3]
    return (scan * (1 - alpha) + colors * alpha).round().astype(np.uint8)


def encode(image, format):
    """Encode an image as the bytes of a PNG or JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format=format)
    return buffer.getvalue()


def draw_phantom(kind, seed):
    """Draw a phantom of a class: the bytes of a PNG file."""
    from brain_tumor_clf.datasets import make_brain_mri

    drawn = make_brain_mri(1, PHANTOM_SIDE, classes=[kind], random_state=seed)
    return encode(drawn.data[0], "PNG")


def draw_icon():
    """Draw the icon of the pages, a head: a named icon would be loaded from the web."""
    side = 64
    icon = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(icon)
    draw.ellipse((9, 3, 55, 61), fill=(31, 95, 168, 255))
    draw.ellipse((17, 12, 47, 52), fill=(214, 228, 244, 255))
    draw.line((32, 14, 32, 50), fill=(31, 95, 168, 255), width=3)
    draw.ellipse((36, 22, 45, 31), fill=(226, 120, 60, 255))
    return icon


def _read(upload):
    options = ImageReader("rgb", frame=upload.frame, max_pixels=MAX_PIXELS)
    return read_image(upload.data, options)


def _shrink(image, longest):
    if max(image.shape[:2]) <= longest:
        return image
    picture = Image.fromarray(image)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return np.asarray(picture)
