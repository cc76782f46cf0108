"""The trained model that comes with the package."""

from brain_tumor_clf.pretrained._load_pretrained import load_pretrained

__all__ = ["load_pretrained"]
