"""``explain``: draw what spoke for the class of each scan."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import (
    RESEARCH_ONLY,
    console,
    print_error,
    print_research_only,
    progress,
)
from brain_tumor_clf.cli._files import PLOTS, require_extra
from brain_tumor_clf.cli._model import (
    ModelAndPaths,
    TrustPickleOption,
    open_model,
    split_model,
)
from brain_tumor_clf.cli._predict import find_scans

_CHUNK = 16  # scans whose maps are in memory at a time
_INCHES, _DPI = (6.4, 3.9), 150


class Method(StrEnum):
    """How the heat maps are made."""

    LAYERCAM = "layercam"
    GRADCAM = "gradcam"
    GRADCAM_PLUS_PLUS = "gradcam++"
    OCCLUSION = "occlusion"


def explain(
    paths: ModelAndPaths,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Folder for the pictures; made if there is none.",
        ),
    ],
    target: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="Explain this class instead of the predicted one.",
        ),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(help="Gradients, or covering part by part (any model, slow)."),
    ] = Method.LAYERCAM,
    trust_pickle: TrustPickleOption = False,
):
    """Draw what spoke for the class of each scan, one PNG a scan.

    Each shows the scan beside its heat map, with the class and its probability. Files
    that cannot be read are named with the reason; the others are explained, and the
    exit status is 1.
    """
    require_extra("plots", PLOTS)
    model, paths = split_model(paths)
    files, failures = find_scans(paths)
    pictures = _name_pictures(files, output)
    _make_folder(output)
    start_backend()
    pipeline = open_model(model, trust_pickle)
    label = _find_label(pipeline, target)
    rows = []
    with progress("Explaining", len(files)) as advance:
        for start in range(0, len(files), _CHUNK):
            chunk = files[start : start + _CHUNK]
            for found in _explain_readable(pipeline, chunk, label, method, failures):
                _draw(*found, pictures[found[0]], pipeline.model_id_)
                rows.append((*found[2:], pictures[found[0]]))
            advance(len(chunk))
    _print_table(rows, pipeline.model_id_, len(failures))
    if failures:
        for path, reason in failures.items():
            print_error(f"{path}: {reason}")
        raise typer.Exit(1)


def _name_pictures(files, folder):
    """A picture's path for each scan; scans of one name get numbers."""
    scans = {Path(path).resolve() for path in files}
    taken, pictures = set(), {}
    for path in files:
        stem = name = Path(path).stem
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.lower())
        pictures[path] = folder / f"{name}.png"
        if pictures[path].resolve() in scans:
            raise typer.BadParameter(
                f"{pictures[path]} is one of the scans; name another folder.",
                param_hint="--output",
            )
    return pictures


def _make_folder(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(
            f"{folder} is no folder and cannot be made one: {error.strerror}.",
            param_hint="--output",
        ) from error


def _find_label(pipeline, target):
    """The label that is written like this; None for the predicted one."""
    if target is None:
        return None
    from brain_tumor_clf._validation import check_choice

    labels = {str(label): label for label in pipeline.classes_.tolist()}
    return labels[check_choice("class", target, labels)]


def _explain_readable(pipeline, paths, label, method, failures):
    """Path, map, class and probability of each scan that can be read."""
    from brain_tumor_clf.exceptions import ImageReadError

    try:
        return _explain(pipeline, paths, label, method)
    except ImageReadError as error:
        failures.update(error.failures.values())
    readable = [path for path in paths if path not in failures]
    return _explain(pipeline, readable, label, method) if readable else []


def _explain(pipeline, paths, label, method):
    import numpy as np

    from brain_tumor_clf.inspection import grad_cam, occlusion_map

    probabilities = pipeline.predict_proba(paths)
    codes = probabilities.argmax(axis=1)
    if label is not None:
        codes = np.full(len(paths), pipeline.classes_.tolist().index(label))
    labels = pipeline.classes_[codes]
    if method is Method.OCCLUSION:
        maps = occlusion_map(pipeline, paths, labels)
    else:
        maps = grad_cam(pipeline, paths, labels, method=str(method))
    sure = probabilities[np.arange(len(paths)), codes]
    return list(zip(paths, maps, labels, sure, strict=True))


def _draw(path, heat, label, probability, picture, model_id):
    from matplotlib.figure import Figure

    from brain_tumor_clf.inspection import SaliencyDisplay

    figure = Figure(figsize=_INCHES, layout="constrained")
    SaliencyDisplay.from_maps(
        [path], [heat], [label], probability=[probability], ax=figure.subplots(1, 2)
    )
    figure.supxlabel(f"model {model_id}. {RESEARCH_ONLY}", fontsize=6, color="0.4")
    figure.savefig(picture, dpi=_DPI)


def _print_table(rows, model_id, n_failed):
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("class", no_wrap=True)
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("picture", overflow="fold")
    for label, probability, picture in rows:
        table.add_row(escape(str(label)), f"{probability:.3f}", escape(str(picture)))
    out = console()
    out.print(table)
    failed = f", {n_failed} unreadable" if n_failed else ""
    out.print(f"{len(rows)} scans{failed}; model {model_id}")
    print_research_only(out)
