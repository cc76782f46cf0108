"""Open whatever stands for an image, and say what it is when it is none."""

import contextlib
import io
import os
import threading
from pathlib import Path

from brain_tumor_clf.preprocessing._mapping import UnreadableImageError

HEAD_BYTES = 512
# One file object or PIL image may stand in X twice, and so be read by two threads.
SHARED_SOURCE_LOCK = threading.Lock()

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


@contextlib.contextmanager
def open_source(source):
    """Open a path, bytes or a file object for reading from its first byte.

    Parameters
    ----------
    source : str, PathLike, bytes-like or binary file object
        A file object is read from its beginning and left where it was.

    Yields
    ------
    binary file object
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
    """All bytes of a file object, which is left where it was."""
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
    """What a file is that is no image, by its first bytes and its name.

    Parameters
    ----------
    head : bytes
        The first bytes of the file.
    name : str, default=""
        The file's name.
    """
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
