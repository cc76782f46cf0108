"""Find the image files of a folder, open them, and describe what is no image."""

import contextlib
import io
import os
import threading
from pathlib import Path

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError

HEAD_BYTES = 512
# One file object or PIL image may stand in X twice, and so be read by two threads.
SHARED_SOURCE_LOCK = threading.Lock()

_IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".dcm"}
)
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})
_DAMAGED_HEADER = "damaged: a {} file whose header cannot be read"
_VOLUME_ADVICE = (
    "volumes are not read; pass single slices as arrays, volume[:, :, k], or export "
    "them as PNG or DICOM"
)
_UNKNOWN_TIFF = (
    "a TIFF file that is damaged or of an unknown layout; save it as PNG, or as TIFF "
    "of 8 or 16 bits"
)
# (first bytes, what such a file is)
_SIGNATURES = (
    (b"\x5c\x01\x00\x00", f"a NIfTI or Analyze volume: {_VOLUME_ADVICE}"),
    (b"\x00\x00\x01\x5c", f"a NIfTI or Analyze volume: {_VOLUME_ADVICE}"),
    (b"\x1c\x02\x00\x00", f"a NIfTI-2 volume: {_VOLUME_ADVICE}"),
    (b"\x00\x00\x02\x1c", f"a NIfTI-2 volume: {_VOLUME_ADVICE}"),
    (b"NRRD", f"an NRRD volume: {_VOLUME_ADVICE}"),
    (b"ObjectType", f"a MetaImage volume: {_VOLUME_ADVICE}"),
    (b"MINC", f"a MINC volume: {_VOLUME_ADVICE}"),
    (
        b"\x93NUMPY",
        "a NumPy file: pass the array, numpy.load(path), instead of its path",
    ),
    (b"MATLAB", "a MATLAB file: pass the image it holds as an array"),
    (b"\x89HDF", "an HDF5 file: pass the image it holds as an array"),
    (b"PK\x03\x04", "a ZIP archive: unpack it"),
    (b"%PDF", "a PDF: export its pictures as PNG"),
    (b"<!doctype html", "a web page: the download went wrong"),
    (b"<html", "a web page: the download went wrong"),
    (b"\xff\xd8\xff", _DAMAGED_HEADER.format("JPEG")),
    (b"\x89PNG", _DAMAGED_HEADER.format("PNG")),
    (b"II*\x00", _UNKNOWN_TIFF),
    (b"MM\x00*", _UNKNOWN_TIFF),
    (b"version https://git-lfs", "a Git LFS pointer: run 'git lfs pull'"),
)


def is_hidden(path):
    """Return whether the system or an editor put a file or folder there."""
    name = Path(path).name
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def has_dicom_magic(head):
    """Return whether the first 132 bytes of a file are those of a DICOM file."""
    return bytes(head[128:132]) == b"DICM"


def find_image_files(folder, recursive=False):
    """Return the sorted paths of the images in a folder; see `sort_image_files`."""
    return sort_image_files(folder, recursive)[0]


def sort_image_files(folder, recursive=False):
    """Return the sorted paths of a folder's images, and of its other files.

    A file is an image by its suffix (jpg, jpeg, png, bmp, tif, tiff, webp or dcm), or
    by its content if it is DICOM. Hidden files and folders are in neither; a link to a
    folder is followed, once.
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
    if path.suffix.lower() in _IMAGE_SUFFIXES:
        return True
    with open(path, "rb") as file:
        return has_dicom_magic(file.read(132))


@contextlib.contextmanager
def open_source(source):
    """Open a path, bytes or a file object for reading from its first byte.

    A file object is read from its beginning and left where it was.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source)
    elif hasattr(source, "read"):
        yield io.BytesIO(read_file_object(source))
    elif isinstance(source, (str, os.PathLike)):
        with _open_path(os.fspath(source)) as file:
            yield file
    else:
        raise UnreadableImageError(
            f"got {type(source).__name__}; expected a path, bytes, a binary file "
            "object, a PIL image or an array"
        )


def read_file_object(file):
    """Return all bytes of a file object, which is left where it was."""
    with SHARED_SOURCE_LOCK:
        try:
            position = file.tell()
            file.seek(0)
            data = file.read()
            file.seek(position)
        except (OSError, ValueError) as error:
            raise UnreadableImageError(
                f"the file object cannot be read from its beginning ({error}); pass "
                "its content as bytes"
            ) from error
    if isinstance(data, str):
        raise UnreadableImageError(
            "the file object is in text mode; open it with mode 'rb'"
        )
    return data


def describe_foreign(head, name=""):
    """Say what a file is that is no image, by its first bytes and its name."""
    if not head:
        return "the file is empty"
    if head.startswith(b"\x1f\x8b"):
        if name.lower().endswith(".nii.gz"):
            return f"a NIfTI volume: {_VOLUME_ADVICE}"
        return f"a gzip archive: unpack it; {_VOLUME_ADVICE}"
    for signature, what in _SIGNATURES:
        if head[: len(signature)].lower() == signature.lower():
            return what
    if len(head) < HEAD_BYTES and not name and _is_path(head):
        return "the bytes are a path; bytes are taken as a file's content, pass a str"
    return "not an image in a known format (JPEG, PNG, TIFF, BMP, WebP, GIF, DICOM, …)"


def _is_path(data):
    with contextlib.suppress(ValueError):  # a null byte in it
        return os.path.exists(data)
    return False


def _open_path(path):
    try:
        return open(path, "rb")
    except IsADirectoryError:
        reason = "a folder; load_mri_folder lists the images of one"
    except PermissionError:
        # Windows says so of a folder too.
        reason = "a folder" if os.path.isdir(path) else "no permission to read the file"
    except FileNotFoundError:
        reason = _describe_missing(path)
    except (OSError, ValueError) as error:  # too long a name, a null byte, a dead disk
        reason = f"the file cannot be opened ({error})"
    raise UnreadableImageError(reason)


def _describe_missing(path):
    path = Path(path)
    if "://" in str(path) or ":/" in str(path)[:7]:
        return "a web address; download the file and pass its path"
    if not path.parent.is_dir():
        return f"no such file; the folder {str(path.parent)!r} does not exist"
    for suffix in (path.suffix.lower(), path.suffix.upper()):
        if path.with_suffix(suffix).is_file():
            return f"no such file; did you mean {path.with_suffix(suffix).name!r}?"
    return f"no such file in {str(path.parent)!r}"
