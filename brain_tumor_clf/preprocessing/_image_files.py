"""Which files of a folder are images: by name, or by content for DICOM."""

import os
from pathlib import Path

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".dcm"}
)
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})
_DICOM_MAGIC_OFFSET = 128
_DICOM_MAGIC = b"DICM"


def is_hidden(path):
    """Whether a file or folder is one that the system or an editor put there."""
    name = Path(path).name
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def has_dicom_magic(head):
    """Whether the first 132 bytes of a file are those of a DICOM file."""
    end = _DICOM_MAGIC_OFFSET + len(_DICOM_MAGIC)
    return bytes(head[_DICOM_MAGIC_OFFSET:end]) == _DICOM_MAGIC


def is_dicom_file(path):
    """Whether a file is DICOM by its content, whatever its name."""
    with open(path, "rb") as file:
        return has_dicom_magic(file.read(_DICOM_MAGIC_OFFSET + len(_DICOM_MAGIC)))


def is_image_file(path):
    """Whether a file counts as an image: a known suffix, or DICOM without a suffix."""
    path = Path(path)
    if is_hidden(path) or not path.is_file():
        return False
    return _looks_like_image(path)


def find_image_files(folder, recursive=False):
    """Sorted paths of the images in a folder; hidden files and folders are left out."""
    return sort_image_files(folder, recursive)[0]


def sort_image_files(folder, recursive=False):
    """Tell the images of a folder from its other files.

    Parameters
    ----------
    folder : path-like
        Folder to look in. A link to a folder is followed, once.
    recursive : bool, default=False
        Whether to look in sub-folders as well.

    Returns
    -------
    images, others : list of Path, list of Path
        Sorted paths. Hidden files and folders are in neither.
    """
    images, others = [], []
    _sort_into(Path(folder), recursive, images, others, above=())
    return sorted(images), sorted(others)


def _sort_into(folder, recursive, images, others, above):
    real = os.path.realpath(folder)
    if real in above:  # a link back to a folder that holds it
        return
    # `scandir` tells files from folders without a call to the disk for each.
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if is_hidden(path):
                continue
            if entry.is_dir():
                if recursive:
                    _sort_into(path, recursive, images, others, (*above, real))
            elif entry.is_file() and _looks_like_image(path):
                images.append(path)
            else:
                others.append(path)


def _looks_like_image(path):
    # Scanners name slices by their UID ("1.2.840…"), so any odd suffix may be DICOM.
    return path.suffix.lower() in IMAGE_SUFFIXES or is_dicom_file(path)
