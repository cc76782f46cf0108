"""Small pictures of scans that survive re-encoding, resizing and letterboxing."""

import functools

import numpy as np

# Border is below this part of the image's brightest level …
_BORDER_LEVEL = 0.12
# … in all but this part of the pixels that the fullest row (or column) has above it.
# Neither number changes when a black border is added.
_STRAY_PIXELS = 0.04
VIEWS = ("whole", "trimmed")
_AT_ONCE = 4096  # so that no copy of all thumbnails is made on the way


def make_thumbnails(image, size):
    """Thumbnails of an image whole, and with its dark border trimmed.

    A copy on a larger canvas agrees with its original only without the border, one of
    which the border was cut in another place only with it.

    Parameters
    ----------
    image : ndarray of shape (H, W), uint8
        Grey image.
    size : int
        Side of the thumbnails, in pixels.

    Returns
    -------
    ndarray of shape (2, size, size), float32
        In the order of `VIEWS`.
    """
    top, bottom, left, right = _content_box(image)
    views = (image, image[top:bottom, left:right])
    return np.stack([_shrink(view, size) for view in views])


def _content_box(image):
    """Rows and columns of the part that is not dark border."""
    bright = image > _BORDER_LEVEL * image.max()
    rows, columns = (_filled(bright.sum(axis=axis)) for axis in (1, 0))
    if len(rows) < 2 or len(columns) < 2:
        return 0, image.shape[0], 0, image.shape[1]
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def _filled(counts):
    return np.flatnonzero(counts > _STRAY_PIXELS * counts.max())


def _shrink(image, size):
    """Mean over equal parts of the area, exactly.

    Pillow's box filter gives a pixel on the edge of two parts to one of them, so that
    a mirrored copy would not have the mirrored thumbnail.
    """
    rows, columns = (_area_weights(side, size) for side in image.shape)
    return rows @ image.astype(np.float32) @ columns.T


@functools.lru_cache(maxsize=64)
def _area_weights(n, size):
    """Share of each of `n` pixels in each of `size` equal parts, (size, n)."""
    edges = np.linspace(0, n, size + 1)[:, None]
    pixels = np.arange(n)
    shared = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return (np.maximum(shared, 0) * size / n).astype(np.float32)


def transforms(mirror, rotations):
    """The changes of a copy that are looked for: names, and functions of (…, H, W)."""
    found = {"identity": lambda x: x}
    if mirror:
        found["mirror"] = lambda x: x[..., ::-1]
    if rotations:
        for turns in (1, 2, 3):
            name = f"rotation{90 * turns}"
            found[name] = lambda x, k=turns: np.rot90(x, k, axes=(-2, -1))
            if mirror:
                found[f"mirror_{name}"] = lambda x, k=turns: np.rot90(
                    x[..., ::-1], k, axes=(-2, -1)
                )
    return found


def to_vectors(thumbnails, at=None):
    """Unit vectors whose products are the correlations of the thumbnails.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, size, size)
    at : ndarray of shape (m,), int, default=None
        Positions of the thumbnails to take; all in their order by default.

    Returns
    -------
    ndarray of shape (m, size * size + 1), float32
        A thumbnail of one grey has no correlation; the last entry, 1 for those and 0
        for all others, makes them copies of each other and of nothing else.
    """
    at = np.arange(len(thumbnails)) if at is None else at
    n_pixels = int(np.prod(thumbnails.shape[1:]))
    vectors = np.zeros((len(at), n_pixels + 1), dtype=np.float32)
    for start in range(0, len(at), _AT_ONCE):
        part = vectors[start : start + _AT_ONCE]
        flat = part[:, :-1]
        flat[:] = thumbnails[at[start : start + _AT_ONCE]].reshape(len(part), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(flat, axis=1, keepdims=True)
        # Half a grey level of spread is rounding, not content.
        is_flat = norms < 0.5 * np.sqrt(n_pixels)
        flat *= ~is_flat
        flat /= np.where(is_flat, 1, norms)
        part[:, -1:] = is_flat
    return vectors


def change_vectors(vectors, change):
    """What `to_vectors` makes of changed thumbnails: the entries in another order.

    Parameters
    ----------
    vectors : ndarray of shape (n, size * size + 1)
        Of `to_vectors`.
    change : callable
        Of `transforms`.

    Returns
    -------
    ndarray of shape (n, size * size + 1)
    """
    changed = change(to_pictures(vectors)).reshape(len(vectors), -1)
    return np.hstack([changed, vectors[:, -1:]])


def to_pictures(vectors):
    """Vectors (n, size * size + 1) without their last entry as (n, size, size)."""
    side = round(np.sqrt(vectors.shape[1] - 1))
    return vectors[:, :-1].reshape(-1, side, side)
