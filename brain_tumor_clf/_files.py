"""Files that are written whole or not at all."""

import os
import uuid
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(path):
    """Write a file beside its place and move it there only when it is complete.

    Parameters
    ----------
    path : path-like
        The file; one that exists stays as it is until the new one replaces it.

    Yields
    ------
    pathlib.Path
        Where to write. A device or pipe is written to itself.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from brain_tumor_clf._files import written_beside
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_beside(Path(folder) / "notes.txt") as partial:
    ...         _ = partial.write_text("complete")
    ...     (Path(folder) / "notes.txt").read_text()
    'complete'
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        yield path
        return
    path = Path(os.path.realpath(path))  # a link stays one
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
