"""Zip archives: written whole or not at all, and read with every bound checked.

All members are stored, none is compressed. Weights hardly compress, and reading can
then never yield more bytes than the file has: there is no such thing as a zip bomb.
"""

import io
import re
import zipfile
from pathlib import Path

from brain_tumor_clf._files import written_beside
from brain_tumor_clf.exceptions import ModelFileError

MANIFEST = "manifest.json"
ESTIMATOR = "estimator.skops"
SCHEMA = "schema.json"  # in the estimator's own archive

_MEMBER_NAMES = re.compile(r"(manifest|schema)\.json|estimator\.skops|\d{1,20}\.npy")
_MAX_JSON_BYTES = 16 * 2**20
_ENCRYPTED = 0x1
# A fixed time: the same model gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_OLD_FORMAT = (
    "it was written by brain-tumor-clf 0.1. Convert it with the program "
    "examples/convert_model_file.py of the repository: python "
    "examples/convert_model_file.py OLD.btc NEW.btc"
)


def pack(members):
    """Return a zip archive of `members` (bytes by name) as bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def unpack(content, needed=()):
    """Return the members of an archive that `pack` wrote; refuse any other."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_infos(archive.infolist(), len(content))
            members = {name: archive.read(name) for name in archive.namelist()}
    except ModelFileError:
        raise
    except Exception as error:  # zipfile raises almost any class on a damaged archive
        raise ModelFileError(_not_an_archive_message(content, error)) from error
    for name in needed:
        if name not in members:
            raise ModelFileError(f"it has no {name}")
    return members


def write_file(path, content):
    """Write bytes beside `path` and move them there, so that the file is whole."""
    try:
        path = Path(path).absolute()
        if path.is_dir():
            raise OSError("it is a folder. Name a file")
        if not path.parent.is_dir():
            raise OSError(f"the folder {path.parent} does not exist. Create it first")
        with written_beside(path) as partial:
            partial.write_bytes(content)
    except (OSError, ValueError) as error:
        raise ModelFileError(f"Cannot save to {path}: {error}.") from error


def read_file(path):
    """Return the members (bytes by name) of a model file."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"There is no model file {path}.") from error
    except IsADirectoryError as error:
        raise ModelFileError(f"{path} is a folder, not a model file.") from error
    except (OSError, ValueError, MemoryError) as error:
        raise ModelFileError(f"{path} cannot be read: {error!r}.") from error
    try:
        return unpack(content, [MANIFEST, ESTIMATOR])
    except ModelFileError as error:
        raise ModelFileError(f"{path} was not opened: {error}.") from error


def _check_infos(infos, size):
    """Raise a ModelFileError at the first member that `pack` would not have written."""
    if any(info.filename == "estimator.json" for info in infos):
        raise ModelFileError(_OLD_FORMAT)
    seen = set()
    for info in infos:
        if not _MEMBER_NAMES.fullmatch(info.filename):
            problem = "is not one that a saved model has"
        elif info.filename in seen:
            problem = "occurs twice"
        elif info.compress_type != zipfile.ZIP_STORED or info.flag_bits & _ENCRYPTED:
            problem = "is compressed or encrypted, which a saved model's never is"
        elif info.filename.endswith(".json") and info.file_size > _MAX_JSON_BYTES:
            problem = f"has {info.file_size} bytes, more than any model's"
        else:
            seen.add(info.filename)
            continue
        raise ModelFileError(f"its member {info.filename[:80]!r} {problem}")
    if sum(info.file_size for info in infos) > size:
        raise ModelFileError(f"its members claim more bytes than the {size} it has")


def _not_an_archive_message(content, error):
    """Say what a file is that is no zip archive."""
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
