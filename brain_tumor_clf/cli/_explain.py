"""``explain``: draw heat maps of scans."""

import warnings
from pathlib import Path
from typing import Literal

import typer

from brain_tumor_clf._files import written_beside
from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._model import open_model, split_model
from brain_tumor_clf.cli._predict import (
    find_scans,
    gather_answers,
    report_problems,
    summarize,
)

_CHUNK = 16  # scans whose maps are in memory at a time
_INCHES, _DPI = (6.4, 3.9), 150


def explain(
    paths: opt.ModelAndPaths,
    output: opt.option(
        Path,
        "-o",
        "--output",
        metavar="DIR",
        help="Folder for the pictures; created if there is none.",
    ),
    target: opt.option(
        str | None,
        "--class",
        metavar="CLASS",
        help="Explain this class instead of the predicted one.",
    ) = None,
    method: opt.option(
        Literal["layercam", "gradcam", "gradcam++", "occlusion"] | None,
        help="Gradients of a network, or occlusion, which is slow. Default: layercam, "
        "or occlusion where the classifier is no network.",
    ) = None,
    frame: opt.FrameOption = None,
    trust_pickle: opt.TrustPickleOption = False,
):
    """Draw a heat map of each scan, one PNG per scan.

    Each picture shows the scan beside the heat map of its class, with the probability.
    Files that cannot be read are listed with the reason. All others are explained, and
    the exit status is 1.
    """
    shell.require_extra("plots", "matplotlib")
    file, paths = split_model(paths)
    files, empty, n_left_out = find_scans(paths)
    pictures = _name_pictures(files, output)
    _make_folder(output)
    shell.start_backend()
    from brain_tumor_clf._validation import check_choice

    model = open_model(file, trust_pickle, frame)
    labels = {str(label): label for label in model.classes_.tolist()}
    label = None if target is None else labels[check_choice("class", target, labels)]
    tables = []
    kept = (
        f"Pictures drawn so far are kept in {output}. The same command draws all of "
        "them anew; to go on, name the scans that are left."
    )
    with (
        shell.kept_if_interrupted(kept),
        shell.progress("Explaining", len(files)) as advance,
    ):
        for start in range(0, len(files), _CHUNK):
            chunk = files[start : start + _CHUNK]
            tables.append(_explain(model, chunk, label, method, pictures))
            advance(len(chunk))
    answers = gather_answers(tables, empty)
    _print_table(answers, pictures, model.model_id_)
    report_problems(answers, n_left_out)


def _name_pictures(files, folder):
    """Return the path of each scan's picture; scans of one name get numbers."""
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


def _explain(model, paths, label, method, pictures):
    """Draw the pictures of some scans; return the answers of the class explained."""
    from brain_tumor_clf.selective import predict_files

    answers = predict_files(model, paths, guard=False, threshold=None)
    drawn = answers["label"].notna()
    if label is not None:
        drawn |= answers["probability"].notna()
        answers.loc[drawn, "label"] = label
        answers.loc[drawn, "probability"] = answers.loc[drawn, f"p_{label}"]
    shown = answers[drawn]
    if len(shown):
        scans, labels = shown["file"].tolist(), shown["label"].tolist()
        maps = _compute_maps(model, scans, labels, method)
        for answer, heat in zip(shown.to_dict("records"), maps, strict=True):
            _draw(answer, heat, pictures[answer["file"]], model.model_id_)
    return answers


def _compute_maps(model, scans, labels, method):
    from brain_tumor_clf.inspection import grad_cam, occlusion_map

    if method != "occlusion":
        try:
            return grad_cam(model, scans, labels, method=method or "layercam")
        except TypeError:
            if method is not None:
                raise
            warnings.warn(
                "This classifier is no network: its heat maps are by occlusion, "
                "which is slow.",
                stacklevel=2,
            )
    return occlusion_map(model, scans, labels)


def _draw(answer, heat, picture, model_id):
    from matplotlib.figure import Figure

    from brain_tumor_clf.inspection import SaliencyDisplay

    figure = Figure(figsize=_INCHES, layout="constrained")
    SaliencyDisplay.from_maps(
        [answer["file"]],
        [heat],
        [answer["label"]],
        probability=[answer["probability"]],
        ax=figure.subplots(1, 2),
    )
    figure.supxlabel(
        f"model {model_id}. {shell.RESEARCH_ONLY}", fontsize=6, color="0.4"
    )
    with written_beside(picture) as partial:
        figure.savefig(partial, dpi=_DPI, format="png")


def _print_table(answers, pictures, model_id):
    rows = []
    for row in answers[answers["state"] != "unreadable"].to_dict("records"):
        cells = row["state"], "", f"none of {row['file']}"
        if row["label"] is not None:
            picture = pictures[row["file"]]
            cells = row["label"], f"{row['probability']:.3f}", picture
        rows.append((*cells, row["state"]))
    summary = summarize(answers, model_id)
    shell.print_table(("class", "probability", "picture"), rows, summary)
