"""Networks: functions that return an uncompiled keras.Model, and their layers."""

from brain_tumor_clf.networks._augmentation import augmentation_layers
from brain_tumor_clf.networks._backbones import BACKBONES, Backbone, get_backbone
from brain_tumor_clf.networks._checks import seeded_initialization
from brain_tumor_clf.networks._config_check import check_config
from brain_tumor_clf.networks._image_scaling import ImageScaling
from brain_tumor_clf.networks._packaged import (
    PACKAGED_MODELS,
    PACKAGED_WEIGHTS,
    packaged_model_file,
)
from brain_tumor_clf.networks._random_affine import RandomAffine
from brain_tumor_clf.networks._random_blur import RandomBlur
from brain_tumor_clf.networks._random_cutout import RandomCutout
from brain_tumor_clf.networks._random_intensity import RandomIntensity
from brain_tumor_clf.networks._serialization import (
    check_network_state,
    network_from_state,
    network_to_state,
)
from brain_tumor_clf.networks._simple_cnn import simple_cnn
from brain_tumor_clf.networks._transfer import feature_extractor, transfer_cnn

__all__ = [
    "BACKBONES",
    "PACKAGED_MODELS",
    "PACKAGED_WEIGHTS",
    "Backbone",
    "ImageScaling",
    "RandomAffine",
    "RandomBlur",
    "RandomCutout",
    "RandomIntensity",
    "augmentation_layers",
    "check_config",
    "check_network_state",
    "feature_extractor",
    "get_backbone",
    "network_from_state",
    "network_to_state",
    "packaged_model_file",
    "seeded_initialization",
    "simple_cnn",
    "transfer_cnn",
]
