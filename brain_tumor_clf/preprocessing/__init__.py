"""Transformers from image files to one array of images."""

from brain_tumor_clf._validation import name_by_room
from brain_tumor_clf.preprocessing._base import ImageTransformer
from brain_tumor_clf.preprocessing._cache import ImageCache
from brain_tumor_clf.preprocessing._crop import HeadCropper
from brain_tumor_clf.preprocessing._files import (
    find_image_files,
    has_dicom_magic,
    is_hidden,
    open_source,
    sort_image_files,
)
from brain_tumor_clf.preprocessing._intensity import IntensityNormalizer
from brain_tumor_clf.preprocessing._mapping import iter_outcomes, source_name
from brain_tumor_clf.preprocessing._pipeline import ImagePipeline
from brain_tumor_clf.preprocessing._pixels import luminance
from brain_tumor_clf.preprocessing._reader import ImageReader, read_image
from brain_tumor_clf.preprocessing._resize import ImageResizer

__all__ = [
    "HeadCropper",
    "ImageCache",
    "ImagePipeline",
    "ImageReader",
    "ImageResizer",
    "ImageTransformer",
    "IntensityNormalizer",
    "find_image_files",
    "has_dicom_magic",
    "is_hidden",
    "iter_outcomes",
    "luminance",
    "open_source",
    "read_image",
    "sort_image_files",
    "source_name",
]

name_by_room(globals())
