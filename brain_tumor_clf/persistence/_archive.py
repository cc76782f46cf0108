"""Zip archives: written whole or not at all, and read with every bound checked.

All members are stored, none is compressed. Weights hardly compress, and reading can
then never yield more bytes than the file has: there is no such thing as a zip bomb.
"""

import io
import os
import re
import uuid
import zipfile
from pathlib import Path

from brain_tumor_clf.exceptions import ModelFileError

MANIFEST = "manifest.json"
ESTIMATOR = "estimator.skops"
SCHEMA = "schema.json"  # in the estimator's own archive

_MEMBER_NAMES = re.compile(r"(manifest|schema)\.json|estimator\.skops|\d{1,20}\.npy")
_MAX_MEMBERS = 50_000
_MAX_JSON_BYTES = 128 * 2**20
_ENCRYPTED = 0x1
# A fixed time: the same model gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_OLD_FORMAT = (
    "it was written by brain-tumor-clf 0.1. Convert it with the program "
    "examples/convert_model_file.py of the repository: python "
    "examples/convert_model_file.py OLD.btc NEW.btc"
)


def pack(members):
    """A zip archive of `members` (bytes by name), as bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def unpack(content):
    """The members (bytes by name) of a zip archive, given as bytes.

    Raises a ModelFileError if it has anything that `pack` would not have written.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_infos(archive.infolist(), len(content))
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise ModelFileError(_not_an_archive_message(content, error)) from error


def write_file(path, content):
    """Write bytes beside `path` and move them there, so that the file is whole."""
    try:
        path = Path(path).absolute()
        if path.is_dir():
            raise OSError("it is a folder. Name a file")
        if not path.parent.is_dir():
            raise OSError(f"the folder {path.parent} does not exist. Create it first")
        partial = path.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            with open(partial, "xb") as file:
                file.write(content)
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except (OSError, ValueError, TypeError) as error:
        raise ModelFileError(f"Cannot save to {path}: {error}.") from error


def read_file(path):
    """The members (bytes by name) of a model file."""
    try:
        path = Path(path)
        if path.is_dir():
            raise ModelFileError(f"{path} is a folder, not a model file.")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"There is no model file {path}.") from error
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}.") from error
    try:
        members = unpack(content)
        for name in (MANIFEST, ESTIMATOR):
            if name not in members:
                raise ModelFileError(f"it has no {name}")
    except ModelFileError as error:
        raise ModelFileError(f"{path} was not opened: {error}.") from error
    return members


def _check_infos(infos, size):
    """Raise a ModelFileError at the first member that `pack` would not have written."""
    if len(infos) > _MAX_MEMBERS:
        raise ModelFileError(f"it has {len(infos)} members, more than any model")
    if any(info.filename == "estimator.json" for info in infos):
        raise ModelFileError(_OLD_FORMAT)
    seen = set()
    for info in infos:
        problem = _problem_of(info, seen)
        if problem:
            raise ModelFileError(f"its member {info.filename[:80]!r} {problem}")
        seen.add(info.filename)
    if sum(info.file_size for info in infos) > size:
        raise ModelFileError(f"its members claim more bytes than the {size} it has")


def _problem_of(info, seen):
    """What is wrong with a member, or None."""
    if not _MEMBER_NAMES.fullmatch(info.filename):
        return "is not one that a saved model has"
    if info.filename in seen:
        return "occurs twice"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        return "is compressed, which a saved model's never is"
    if info.filename.endswith(".json") and info.file_size > _MAX_JSON_BYTES:
        return f"has {info.file_size} bytes, more than any model's"
    return None


def _not_an_archive_message(content, error):
    """What a file is that is no zip archive."""
    if not content:
        return "it is empty"
    if content.startswith(b"PK"):
        return f"it is damaged or truncated ({error}). Copy or save it again"
    if content[:1] in (b"\x80", b"\x78", b"\x1f"):  # pickle, or joblib's compression
        return (
            "it looks like a pickle (joblib) file, which can run code when it is read. "
            "Expected a file written by save()"
        )
    return "it is not a model file: expected a zip archive written by save()"
