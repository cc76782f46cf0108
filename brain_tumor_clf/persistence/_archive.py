"""The zip archive of a model: written atomically, read with every bound checked.

All members are stored, none is compressed. Weights hardly compress, and reading can
then never yield more bytes than the file has: there is no such thing as a zip bomb.
"""

import os
import re
import zipfile
from pathlib import Path

from brain_tumor_clf.exceptions import ModelFileError

MANIFEST = "manifest.json"
ESTIMATOR = "estimator.json"

_MEMBER_NAMES = re.compile(
    r"manifest\.json|estimator\.json|arrays/\d{3,6}\.(?:npy|npz|bin)"
    r"|networks/\d{1,4}/(?:config\.json|weights/\d{3,6}\.npy)"
)
_MAX_MEMBERS = 50_000
_MAX_JSON_BYTES = 128 * 2**20
_ENCRYPTED = 0x1
# A fixed time: the same model gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_archive(path, members):
    """Write `members` (bytes by name) to `path`, whole or not at all."""
    path = Path(path)
    if path.is_dir():
        raise ModelFileError(f"Cannot save to {path}: it is a folder. Name a file.")
    if not path.absolute().parent.is_dir():
        raise ModelFileError(
            f"Cannot save to {path}: the folder {path.absolute().parent} does not "
            "exist. Create it first."
        )
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with zipfile.ZipFile(partial, "x", zipfile.ZIP_STORED) as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
        os.replace(partial, path)
    except OSError as error:
        raise ModelFileError(f"Cannot save to {path}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def read_archive(path, only=None):
    """Read a model's archive into memory: ``{name: bytes}``.

    Parameters
    ----------
    path : path-like
        File to read.
    only : str, optional
        Name of the one member wanted; the others are checked by name and size, but
        not read.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, or has anything in it that `save` would not
        have written.
    """
    path = Path(path)
    if not path.exists():
        raise ModelFileError(f"There is no model file {path}.")
    if path.is_dir():
        raise ModelFileError(f"{path} is a folder, not a model file.")
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _check_infos(path, infos)
            wanted = [i for i in infos if only is None or i.filename == only]
            members = {i.filename: archive.read(i) for i in wanted}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise ModelFileError(_not_an_archive_message(path, error)) from error
    for name in [MANIFEST, ESTIMATOR] if only is None else [only]:
        if name not in members:
            raise ModelFileError(
                f"{path} is no model of this package: it has no {name}."
            )
    return members


def _check_infos(path, infos):
    if len(infos) > _MAX_MEMBERS:
        raise ModelFileError(f"{path} has {len(infos)} members, more than any model.")
    seen = set()
    for info in infos:
        problem = _problem_of(info, seen)
        if problem:
            name = info.filename[:80]
            raise ModelFileError(
                f"{path} was not opened: its member {name!r} {problem}."
            )
        seen.add(info.filename)
    size = path.stat().st_size
    if sum(info.file_size for info in infos) > size:
        raise ModelFileError(
            f"{path} was not opened: its members claim more bytes than the {size} "
            "that it has."
        )


def _problem_of(info, seen):
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


def _not_an_archive_message(path, error):
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError as read_error:
        return f"{path} cannot be read: {read_error}"
    if not head:
        return f"{path} is empty, not a model file."
    if head.startswith(b"PK"):
        return f"{path} is damaged or truncated ({error}). Copy or save it again."
    if head[:1] in (b"\x80", b"\x78", b"\x1f"):  # pickle, or joblib's compression
        return (
            f"{path} was not opened: it looks like a pickle (joblib) file, which can "
            "run code when it is read. Expected a file written by save()."
        )
    return f"{path} is not a model file: expected a zip archive written by save()."
