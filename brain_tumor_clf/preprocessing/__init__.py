"""Transformers from files to one array of images."""

from brain_tumor_clf.preprocessing._base import ImageTransformer
from brain_tumor_clf.preprocessing._cache import ImageCache
from brain_tumor_clf.preprocessing._crop import HeadCropper
from brain_tumor_clf.preprocessing._decode import luminance
from brain_tumor_clf.preprocessing._image_files import (
    find_image_files,
    has_dicom_magic,
    is_hidden,
    is_image_file,
    sort_image_files,
)
from brain_tumor_clf.preprocessing._intensity import IntensityNormalizer
from brain_tumor_clf.preprocessing._mapping import iter_outcomes, source_name
from brain_tumor_clf.preprocessing._pipeline import ImagePipeline
from brain_tumor_clf.preprocessing._read import ImageReader, ReadOptions, read_image
from brain_tumor_clf.preprocessing._resize import ImageResizer
from brain_tumor_clf.preprocessing._sources import open_source

__all__ = [
    "HeadCropper",
    "ImageCache",
    "ImagePipeline",
    "ImageReader",
    "ImageResizer",
    "ImageTransformer",
    "IntensityNormalizer",
    "ReadOptions",
    "find_image_files",
    "has_dicom_magic",
    "is_hidden",
    "is_image_file",
    "iter_outcomes",
    "luminance",
    "open_source",
    "read_image",
    "sort_image_files",
    "source_name",
]
