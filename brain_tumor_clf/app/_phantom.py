"""A phantom as a file, to try the app without a scan."""

import io

from PIL import Image

PHANTOM_SIDE = 256  # pixels


def draw_phantom(kind, seed):
    """A phantom as the bytes of a PNG file.

    Parameters
    ----------
    kind : str
        Class of the phantom, one of ``brain_tumor_clf.datasets``'.
    seed : int

    Returns
    -------
    bytes

    Examples
    --------
    >>> from brain_tumor_clf.app._phantom import draw_phantom
    >>> draw_phantom("glioma", 0)[1:4]
    b'PNG'
    """
    from brain_tumor_clf.datasets import make_brain_mri

    drawn = make_brain_mri(1, PHANTOM_SIDE, classes=[kind], random_state=seed)
    buffer = io.BytesIO()
    Image.fromarray(drawn.data[0]).save(buffer, format="PNG")
    return buffer.getvalue()
