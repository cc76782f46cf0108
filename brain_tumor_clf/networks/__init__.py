"""Networks: functions that return an uncompiled keras.Model, and their layers."""

from brain_tumor_clf.networks._artifacts import (
    RandomEdges,
    RandomSkullStripping,
    RandomText,
)
from brain_tumor_clf.networks._augmentation import (
    augmentation_layers,
    same_augmentation,
    split_at_scaling,
)
from brain_tumor_clf.networks._backbones import BACKBONES, Backbone, get_backbone
from brain_tumor_clf.networks._config_check import check_config
from brain_tumor_clf.networks._correction import (
    CorrectedLogits,
    correct_logits,
    without_correction,
)
from brain_tumor_clf.networks._layers import (
    ImageScaling,
    RandomBlur,
    RandomCutout,
    RandomIntensity,
)
from brain_tumor_clf.networks._mix_style import MixStyle
from brain_tumor_clf.networks._packaged import (
    PACKAGED_MODELS,
    packaged_model_file,
)
from brain_tumor_clf.networks._random_affine import RandomAffine
from brain_tumor_clf.networks._seeding import seeded_initialization
from brain_tumor_clf.networks._serialization import (
    check_network_state,
    network_from_state,
    network_to_state,
)
from brain_tumor_clf.networks._simple_cnn import simple_cnn
from brain_tumor_clf.networks._stages import has_spatial_output, stage_layers
from brain_tumor_clf.networks._transfer import feature_extractor, transfer_cnn

__all__ = [
    "BACKBONES",
    "PACKAGED_MODELS",
    "Backbone",
    "CorrectedLogits",
    "ImageScaling",
    "MixStyle",
    "RandomAffine",
    "RandomBlur",
    "RandomCutout",
    "RandomEdges",
    "RandomIntensity",
    "RandomSkullStripping",
    "RandomText",
    "augmentation_layers",
    "check_config",
    "check_network_state",
    "correct_logits",
    "feature_extractor",
    "get_backbone",
    "has_spatial_output",
    "network_from_state",
    "network_to_state",
    "packaged_model_file",
    "same_augmentation",
    "seeded_initialization",
    "simple_cnn",
    "split_at_scaling",
    "stage_layers",
    "transfer_cnn",
    "without_correction",
]
