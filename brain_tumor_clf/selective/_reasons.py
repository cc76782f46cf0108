"""Reasons and warnings of the image reader, in words for who writes no Python."""

import re

_ADVICE = (
    (
        r"choose one with ImageReader\(frame=…\), \d+ to \d+",
        "export one of them as PNG",
    ),
    (r"ImageReader\(frame=…\) chooses another", "export another as PNG to use it"),
    (r"if it is genuine, raise ImageReader\(max_pixels=…\)", "reduce its size"),
    (r"ImageReader\(max_pixels=…\)", "reduce its size"),
    (
        r"pass single slices as arrays, volume\[:, :, k\], or export them",
        "export single slices",
    ),
    (r"pass the array, numpy\.load\(path\), instead of its path", "export it as PNG"),
    (r"pass the image it holds as an array", "export its image as PNG"),
    (r"; load_mri_folder lists the images of one", ""),
)


def plain_reason(text, frame_option=None):
    """Replace advice for Python programs in a reason or warning by advice for users.

    Parameters
    ----------
    text : str
        A `reason` of :func:`predict_files`, or the text of a warning.
    frame_option : str, default=None
        What chooses a frame, such as "--frame"; None if nothing does.

    Returns
    -------
    str

    Examples
    --------
    >>> from brain_tumor_clf.selective import plain_reason
    >>> plain_reason("a MATLAB file: pass the image it holds as an array")
    'a MATLAB file: export its image as PNG'
    """
    if frame_option:
        text = text.replace("ImageReader(frame=…)", frame_option)
        text = text.replace("got frame=", f"got {frame_option} ")
    for code, words in _ADVICE:
        text = re.sub(code, words, text)
    return text
