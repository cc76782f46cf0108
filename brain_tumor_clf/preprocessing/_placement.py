"""Which part of an image the result of preprocessing shows."""

from typing import NamedTuple


class Placement(NamedTuple):
    """The rectangle of an image that a result made from it shows.

    Attributes
    ----------
    image_shape : (int, int)
        Height and width of the image in pixels, upright and at full size.
    top, left, bottom, right : float
        Edges of the result in pixels of the image: 0, 0, height and width where it
        shows all of it. Beyond these where the result is padded.
    """

    image_shape: tuple
    top: float
    left: float
    bottom: float
    right: float

    @classmethod
    def whole(cls, shape):
        """Return the placement of a result that shows all of an image."""
        height, width = shape[:2]
        return cls((height, width), 0, 0, height, width)

    def then(self, inner):
        """Return where a result of this result lies in the image."""
        height, width = inner.image_shape
        y = (self.bottom - self.top) / height
        x = (self.right - self.left) / width
        return Placement(
            self.image_shape,
            self.top + inner.top * y,
            self.left + inner.left * x,
            self.top + inner.bottom * y,
            self.left + inner.right * x,
        )
