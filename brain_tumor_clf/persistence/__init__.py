"""Save a fitted estimator to one file without pickle, and load it.

The file is a zip archive of plain data: ``manifest.json`` (versions, classes,
checksums), ``estimator.json`` and ``arrays/`` (scikit-learn's state, written by
skops) and one folder ``networks/<k>/`` per network (Keras config as JSON, weights as
``.npy``). Loading builds types of an allow-list only and runs nothing from the file.
"""

from brain_tumor_clf.persistence._load import load
from brain_tumor_clf.persistence._manifest import (
    FORMAT_VERSION,
    ModelManifest,
    installed_versions,
    read_manifest,
)
from brain_tumor_clf.persistence._save import save

__all__ = [
    "FORMAT_VERSION",
    "ModelManifest",
    "installed_versions",
    "load",
    "read_manifest",
    "save",
]
