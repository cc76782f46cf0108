"""Save a fitted estimator to one file without pickle, and load it.

The file is a zip archive of ``manifest.json`` (versions, classes, checksums) and
``estimator.skops``, which `skops <https://skops.readthedocs.io>`_ can read alone.
Loading builds types of an allow-list only and runs nothing from the file.
"""

from brain_tumor_clf.persistence._manifest import (
    FORMAT_VERSION,
    ModelManifest,
    installed_versions,
    read_manifest,
)
from brain_tumor_clf.persistence._model_file import load, save
from brain_tumor_clf.persistence._trusted import TRUSTED_TYPES

__all__ = [
    "FORMAT_VERSION",
    "TRUSTED_TYPES",
    "ModelManifest",
    "installed_versions",
    "load",
    "read_manifest",
    "save",
]
