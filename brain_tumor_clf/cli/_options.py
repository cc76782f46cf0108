"""Options that several commands share, and the labeled scans that they name."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from brain_tumor_clf.cli._console import check_writable, note, require_extra


def option(kind, *names, **settings):
    """Return the annotation of an option of a command; `settings` are typer's."""
    return Annotated[kind, typer.Option(*names, **settings)]


def argument(kind, **settings):
    """Return the annotation of an argument of a command; `settings` are typer's."""
    return Annotated[kind, typer.Argument(**settings)]


def _check_page(path):
    """Return the path of a page if it can be written; a callback."""
    if str(path) == "-":
        raise typer.BadParameter("name a file for the page.")
    return check_writable(path)


def _check_figures(path):
    """Return the path of a page with figures if it can be written; a callback."""
    if path is not None:
        require_extra("plots", "matplotlib")
    return _check_page(path)


def _check_cleanlab(is_asked):
    """Return whether label issues are asked for; a callback."""
    if is_asked:
        require_extra("labels", "cleanlab")
    return is_asked


def _check_rate(rate):
    """Return a learning rate above 0; a callback, as typer has no open bounds."""
    if rate is not None and not rate > 0:
        raise typer.BadParameter("must be above 0.")
    return rate


_OWN = "Default: the model's own."
# What options of labeled scans and of files to read have in common.
DATA = {"metavar": "DIR|CSV", "exists": True}
FILE = {"exists": True, "dir_okay": False}
LabeledScans = argument(
    Path,
    **DATA,
    help="Folder with one sub-folder of scans per class, or a table with the "
    "columns path and label, and group where known.",
)
RootOption = option(
    Path | None,
    metavar="DIR",
    exists=True,
    file_okay=False,
    help="Folder that the paths of a table start from. Default: that of the table.",
)
ModelFile = argument(
    Path, **FILE, metavar="MODEL", help="Model file written by `train` or `demo`."
)
ModelAndPaths = argument(
    list[Path],
    metavar="[MODEL] PATH...",
    exists=True,
    help="A model file written by `train` or `demo`, or none for the "
    "packaged model; then scans, and folders that are searched with all their "
    "sub-folders.",
)
FrameOption = option(
    int | None,
    min=0,
    metavar="N",
    help="Which frame to read of files that hold several, from 0.",
)
TrustPickleOption = option(
    bool,
    "--trust-pickle",
    help="Also open a pickled model (.joblib, .pkl), which runs any code in it.",
)
SubsetOption = option(
    Literal["train", "test", "all"] | None,
    help="Which part, if DIR holds Training and Testing.",
)
GroupsOption = option(
    Path | None,
    **FILE,
    metavar="CSV",
    help="Table with the columns file and group (patient). Default: groups.csv in "
    "DIR, if there is one.",
)
NoGroupsOption = option(
    bool,
    "--no-groups",
    help="Split image by image, with copies and patients on both sides. Scores "
    "are then too high.",
)
ModelOutput = option(
    Path,
    "-o",
    "--output",
    metavar="MODEL",
    callback=check_writable,
    help="Model file to write.",
)
LeaveOutOption = option(
    str | None,
    metavar="COLUMN",
    help="Folds that each leave out one source of images, in place of folds at "
    "random: a value of this column of the table or of groups.csv.",
)
BalanceOption = option(
    str | None,
    metavar="COLUMN",
    help="Weigh images by class within source: a value of this column. Best with "
    "--recipe robust.",
)
MapOption = option(
    list[str] | None,
    "--map",
    metavar="NAME=CLASS",
    help="The model's name of a class that the scans call otherwise, such as "
    "no_tumor=notumor. May be repeated.",
)
LabelIssuesOption = option(
    bool,
    "--label-issues",
    callback=_check_cleanlab,
    help="Also list the labels that are probably wrong, with pictures in the page.",
)
HealthyOption = option(
    str,
    metavar="CLASS",
    help="The class without a tumor; none omits scores of tumor or no tumor.",
)
JsonOption = option(
    Path | None,
    "--json",
    metavar="FILE",
    callback=check_writable,
    help="Write the results as JSON; - is stdout.",
)
_PAGE = {"metavar": "FILE", "help": "Write the report as one HTML page."}
PageOption = option(Path | None, "--html", callback=_check_page, **_PAGE)
HtmlOption = option(Path | None, "--html", callback=_check_figures, **_PAGE)
ImageSizeOption = option(
    int | None, min=8, metavar="PIXELS", help=f"Side of the images. {_OWN}"
)
EpochsOption = option(int | None, min=1, metavar="N", help=_OWN)
BatchSizeOption = option(int | None, min=1, metavar="N", help=_OWN)
LearningRateOption = option(
    float | None, metavar="RATE", callback=_check_rate, help=_OWN
)
WeightsOption = option(
    str | None,
    metavar="imagenet|brain-mri-multisource|none|FILE",
    help="Initial weights of a backbone. Default: the model's own. "
    "brain-mri-multisource is the packaged model, which has seen the public Kaggle set "
    "and ten other sources.",
)
SeedOption = option(int, min=0, metavar="N", help="Random seed.")
ARCHITECTURE_NAMES = (
    "simple (a small CNN from scratch), Xception, VGG16, ResNet50V2, DenseNet121, "
    "InceptionV3, MobileNetV2, MobileNetV3Small, MobileNetV3Large, EfficientNetB0, "
    "EfficientNetV2B0, ConvNeXtTiny or EfficientNetLite0."
)


def check_grouping(no_groups, groups, leave_out):
    """Refuse --no-groups together with what keeps groups whole."""
    for other, given in (("--groups", groups), ("--leave-out", leave_out)):
        if no_groups and given is not None:
            raise typer.BadParameter(
                f"choose {other} or --no-groups, not both.", param_hint="--no-groups"
            )


def load_scans(folder, subset=None, groups=None, root=None):
    """Load a folder or a table of labeled scans, and describe it on stderr."""
    from brain_tumor_clf.datasets import has_subsets, load_mri_folder, load_mri_table

    if folder.is_file():
        for name, given in (("--subset", subset), ("--groups", groups)):
            if given is not None:
                raise typer.BadParameter(
                    f"is for a folder; {folder} is a table.", param_hint=name
                )
        scans = load_mri_table(folder, root)
    elif root is not None:
        raise typer.BadParameter(
            f"is for a table; {folder} is a folder.", param_hint="--root"
        )
    elif subset is None and has_subsets(folder):
        raise typer.BadParameter(
            f"{folder} holds Training and Testing: choose train, test or all.",
            param_hint="--subset",
        )
    else:
        scans = load_mri_folder(folder, subset=subset, groups=groups)
    scans.place = f"{folder}, subset {subset}" if subset else str(folder)
    note(scans.DESCR)
    return scans


def load_part(folder, subset, groups=None):
    """Load a folder or table of scans, or only a part of it if it has parts."""
    from brain_tumor_clf.datasets import has_subsets

    has_parts = folder.is_dir() and has_subsets(folder)
    return load_scans(folder, subset if has_parts else None, groups)


def rename_classes(scans, names):
    """Call the classes of scans as NAME=CLASS says."""
    import numpy as np

    mapping = dict(name.partition("=")[::2] for name in names or ())
    labels = [mapping.get(label, label) for label in scans.target.tolist()]
    scans.target, scans.target_names = np.asarray(labels), sorted(set(labels))


def describe_data(scans):
    """Say which images these are, for the protocol of a report."""
    counts = (f"{(scans.target == name).sum():,} {name}" for name in scans.target_names)
    return f"{len(scans.data):,} images of {scans.place}: {', '.join(counts)}"


def take_columns(scans, names, option):
    """Return columns of what is known of scans."""
    known = scans.frame.columns.drop(["path", "label"])
    missing = [name for name in names if name not in known]
    if missing:
        raise typer.BadParameter(
            f"{scans.place} has no column {', '.join(missing)}; "
            + (f"it has {', '.join(known)}." if len(known) else "it has no others.")
            + " Further columns come from groups.csv or a table of scans.",
            param_hint=option,
        )
    return scans.frame[names]


def resolve_healthy(name, classes):
    """Return the class that --healthy names; None for "none"."""
    from brain_tumor_clf._validation import check_choice

    if name.lower() == "none" and name not in classes:
        return None
    try:
        return check_choice("class", name, classes)
    except ValueError as error:
        raise typer.BadParameter(
            f"{error} Name the class without a tumor, or none.", param_hint="--healthy"
        ) from error
