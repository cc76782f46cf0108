"""Bring images of more than 8 bits to ``uint8`` without wrapping."""

import numpy as np

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError


def scale_to_uint8(image, percentiles=(0.5, 99.5)):
    """Map an image of any real dtype linearly to 0..255.

    ``uint8`` is returned as it is and booleans become 0 and 255. Every other dtype is
    scaled, whatever its values: the lower percentile becomes 0, the upper 255 and what
    lies beyond is clipped. Where the percentiles coincide (a small bright object on
    black) the smallest and the largest value take their place; a constant image
    becomes 0.

    Parameters
    ----------
    image : ndarray
        Of a real dtype, any shape. Channels share one mapping.
    percentiles : (float, float), default=(0.5, 99.5)
        Lower and upper percentile.

    Returns
    -------
    ndarray of dtype uint8

    Raises
    ------
    UnreadableImageError
        On other dtypes, and on values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing._scaling import scale_to_uint8
    >>> scale_to_uint8(np.array([[0, 1000, 4000]], dtype=np.uint16), (0, 100))
    array([[  0,  64, 255]], dtype=uint8)
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype == bool:
        return image.astype(np.uint8) * np.uint8(255)
    if image.dtype.kind not in "iuf":
        raise UnreadableImageError(
            f"an image of dtype {image.dtype}; expected real numbers or booleans"
        )
    if not np.isfinite(image).all():
        raise UnreadableImageError("the image contains NaN or infinity")
    low, high = np.percentile(image, percentiles)
    if low >= high:
        low, high = image.min(), image.max()
    return linear_to_uint8(image, float(low), float(high))


def linear_to_uint8(values, low, high):
    """Map `low` to 0 and `high` to 255, linearly; clip what lies beyond."""
    if low >= high:
        return np.zeros(np.shape(values), dtype=np.uint8)
    # Halves keep the difference finite for the largest floats.
    span = high / 2 - low / 2
    values = np.clip(np.asarray(values, dtype=np.float64), low, high)
    return np.rint((values / 2 - low / 2) / span * 255).astype(np.uint8)
