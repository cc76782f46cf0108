"""Classify brain-MRI scans with scikit-learn estimators.

The public names below are loaded when first used, so that importing the package
starts no deep-learning backend.
"""

import importlib

__version__ = "0.1.0"

# Public name -> the module that defines it.
_PUBLIC = {
    "Augmentation": "classifiers",
    "CNNClassifier": "classifiers",
    "CNNFeatures": "feature_extraction",
    "HeadCropper": "preprocessing",
    "ImagePipeline": "preprocessing",
    "ImageReader": "preprocessing",
    "ImageResizer": "preprocessing",
    "IntensityNormalizer": "preprocessing",
    "LearningRateSchedule": "classifiers",
    "NearDuplicateGrouper": "model_selection",
    "ScanGuard": "outlier_detection",
    "SelectiveClassifier": "selective",
    "SimpleCNNClassifier": "classifiers",
    "TransferCNNClassifier": "classifiers",
    "VGG16Classifier": "classifiers",
    "XceptionClassifier": "classifiers",
    "adapt": "adaptation",
    "audit_dataset": "reports",
    "compare": "reports",
    "evaluate": "reports",
    "fetch_brain_tumor_mri": "datasets",
    "find_label_issues": "model_selection",
    "grad_cam": "inspection",
    "leave_one_source_out": "model_selection",
    "load": "persistence",
    "load_mri_folder": "datasets",
    "load_mri_table": "datasets",
    "load_pretrained": "pretrained",
    "make_brain_mri": "datasets",
    "make_mri_pipeline": "pipeline",
    "make_recipe": "recipes",
    "occlusion_map": "inspection",
    "predict_files": "selective",
    "save": "persistence",
    "show_versions": "cli",
    "source_balanced_weight": "classifiers",
    "write_brain_mri": "datasets",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_PUBLIC})
