"""Arguments and options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Subset(StrEnum):
    """Part of a folder that holds Training and Testing."""

    TRAIN = "train"
    TEST = "test"
    ALL = "all"


class Recipe(StrEnum):
    """Whole pipelines whose settings were chosen by measuring."""

    FAST = "fast"
    DEFAULT = "default"
    BEST = "best"


DataFolder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Folder with one sub-folder of scans for each class.",
    ),
]
ModelFile = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        exists=True,
        dir_okay=False,
        help="Model file that `train` or `demo` wrote.",
    ),
]
SubsetOption = Annotated[
    Subset | None,
    typer.Option(help="Which part, if DIR holds Training and Testing."),
]
GroupsOption = Annotated[
    Path | None,
    typer.Option(
        "--groups",
        metavar="CSV",
        exists=True,
        dir_okay=False,
        help="Table with the columns file and group (patient). A groups.csv in DIR "
        "is found by itself.",
    ),
]
NoGroupsOption = Annotated[
    bool,
    typer.Option(
        "--no-groups",
        help="Split image by image, copies and patients on both sides: scores come "
        "out too high.",
    ),
]
HealthyOption = Annotated[
    str,
    typer.Option(
        "--healthy",
        metavar="CLASS",
        help="The class without a tumor; none leaves out what asks tumor or not.",
    ),
]
JsonOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the results as JSON; - prints."),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the report as one HTML page."),
]
ImageSizeOption = Annotated[
    int | None,
    typer.Option(
        min=8,
        metavar="PIXELS",
        help="Side of the images. Default: the model's own; 128 for simple.",
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Default: the model's own."),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Default: the model's own."),
]
LearningRateOption = Annotated[
    float | None,
    typer.Option(metavar="RATE", help="Default: the model's own."),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        metavar="imagenet|brain-mri|none|FILE",
        help="What a backbone starts from. Default: the model's own. "
        "brain-mri, the packaged model, has seen the public Kaggle set.",
    ),
]
SeedOption = Annotated[
    int, typer.Option(min=0, metavar="N", help="Seed of everything random.")
]
ARCHITECTURE_NAMES = (
    "simple (a small CNN from scratch), Xception, VGG16, ResNet50V2, DenseNet121, "
    "InceptionV3, MobileNetV2, MobileNetV3Small, MobileNetV3Large, EfficientNetB0, "
    "EfficientNetV2B0, ConvNeXtTiny or EfficientNetLite0."
)


def check_learning_rate(learning_rate):
    """Refuse a learning rate that is not above 0; the option has no open bound."""
    if learning_rate is not None and not learning_rate > 0:
        raise typer.BadParameter("must be above 0.", param_hint="--learning-rate")


def check_grouping(groups, no_groups):
    """Refuse groups to keep whole beside the wish to keep none."""
    if no_groups and groups is not None:
        raise typer.BadParameter(
            "choose --groups or --no-groups, not both.", param_hint="--no-groups"
        )
