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
JsonOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the results as JSON; - prints."),
]
