"""Transformers from files to one array of images."""

from brain_tumor_clf.preprocessing._base import ImageTransformer
from brain_tumor_clf.preprocessing._cache import ImageCache
from brain_tumor_clf.preprocessing._crop import HeadCropper
from brain_tumor_clf.preprocessing._intensity import IntensityNormalizer
from brain_tumor_clf.preprocessing._pipeline import ImagePipeline
from brain_tumor_clf.preprocessing._read import ImageReader
from brain_tumor_clf.preprocessing._resize import ImageResizer

__all__ = [
    "HeadCropper",
    "ImageCache",
    "ImagePipeline",
    "ImageReader",
    "ImageResizer",
    "ImageTransformer",
    "IntensityNormalizer",
]
