"""A folder that keeps one result per image."""

import hashlib
import io
import json
import os
import warnings
from pathlib import Path

import numpy as np

from brain_tumor_clf._files import written_beside
from brain_tumor_clf.exceptions import BlankImageWarning, CacheWarning
from brain_tumor_clf.preprocessing._decode import DECODING_TAGS
from brain_tumor_clf.preprocessing._files import SHARED_SOURCE_LOCK, read_file_object
from brain_tumor_clf.preprocessing._mapping import was_noted

_FORMAT = b"brain-tumor-clf cache 1\n"
_DIGEST_BYTES = 16


class ImageCache:
    """Keep one array per image and set of parameters in a folder.

    A path is known by its absolute name, size and modification time, so that a file
    that changes is read again; any other source by its content. Several threads and
    processes may share it: entries appear whole or not at all. A damaged entry counts
    as missing, and a folder that cannot be written gives a `CacheWarning`. Nothing is
    ever removed; delete the folder to free its space.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._is_writable = True

    def get(self, source, parameters):
        """Return the array kept for a source, or None."""
        path = self._path(source, parameters)
        return None if path is None else _load(path)

    def put(self, source, parameters, value):
        """Keep an array of any dtype but object for a source."""
        path = self._path(source, parameters)
        if path is not None:
            self._save(path, value)

    def get_or_make(self, source, parameters, make):
        """Return the array kept for a source, or make and keep it."""
        # The key is taken before the file is read: a change in between is then a miss.
        path = self._path(source, parameters)
        if path is None:
            return make(source)
        value = _load(path)
        if value is None:
            value = make(source)
            if not was_noted(BlankImageWarning):  # to be told every time
                self._save(path, value)
        return value

    def _save(self, path, value):
        """Keep an array; if the folder cannot be written, warn once and go on."""
        if not self._is_writable:
            return
        try:
            _save(path, value)
        except OSError as error:
            self._is_writable = False
            warnings.warn(
                f"The cache {str(self.folder)!r} cannot be written "
                f"({error.strerror or error}); results are not kept.",
                CacheWarning,
                stacklevel=2,
            )

    def _path(self, source, parameters):
        """Return the file of an entry, None for a source that cannot be read."""
        try:
            identity = source_identity(source)
        except (OSError, ValueError):
            return None
        if identity is None:
            return None
        key = hashlib.sha256(f"{parameters}\0{identity}".encode()).hexdigest()
        return self.folder / key[:2] / f"{key[2:]}.cached"


def source_identity(source):
    """Return a string that changes with the image, None for what is no image."""
    if isinstance(source, (str, os.PathLike)):
        status = os.stat(source)
        path = os.path.abspath(os.fsdecode(source))
        return json.dumps(["path", path, status.st_size, status.st_mtime_ns])
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"bytes {_digest(source)}"
    if isinstance(source, np.ndarray):
        if source.dtype == object:
            return None
        data = np.ascontiguousarray(source)
        return f"array {data.dtype.str} {data.shape} {_digest(data)}"
    if hasattr(source, "read"):
        return f"bytes {_digest(read_file_object(source))}"
    if hasattr(source, "getbands"):
        return _picture_identity(source)
    return None


def _picture_identity(picture):
    with SHARED_SOURCE_LOCK:
        picture.load()
    palette = picture.getpalette() if picture.mode in ("P", "PA") else None
    about = [
        picture.mode,
        picture.size,
        palette,
        repr(picture.info.get("transparency")),
        picture.getexif().get(0x0112),
        [repr(getattr(picture, "tag_v2", {}).get(tag)) for tag in DECODING_TAGS],
    ]
    return f"picture {json.dumps(about)} {_digest(picture.tobytes())}"


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _save(path, value):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(value), allow_pickle=False)
    data = buffer.getvalue()
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as partial:
        partial.write_bytes(_FORMAT + digest + data)


def _load(path):
    try:
        content = path.read_bytes()
    except OSError:  # missing, or in a folder that may not be read
        return None
    start = len(_FORMAT) + _DIGEST_BYTES
    data = memoryview(content)[start:]
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
    if content[:start] != _FORMAT + digest:
        return None
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
