"""``predict``: classify files and folders of scans with a saved model."""

from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf._answers import (
    CLASSIFIED,
    NOT_A_SCAN,
    NOT_SURE,
    UNREADABLE,
    state_of,
    to_csv,
)
from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import (
    console,
    print_error,
    print_research_only,
    progress,
)
from brain_tumor_clf.cli._files import check_writable, write_json, write_text
from brain_tumor_clf.cli._model import (
    ModelAndPaths,
    TrustPickleOption,
    open_model,
    split_model,
)

_AUTO = "auto"
_EMPTY_FOLDER = "this folder holds no image"


def predict(
    paths: ModelAndPaths,
    guard: Annotated[
        bool,
        typer.Option(
            "--guard",
            help="Give no class to what the model's guard takes for no brain scan.",
        ),
    ] = False,
    abstain: Annotated[
        str | None,
        typer.Option(
            metavar="P|auto",
            help="Give no class below this probability, 0 to 1; auto is the threshold "
            "in the model file.",
        ),
    ] = None,
    trust_pickle: TrustPickleOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write the JSON or CSV to a file."
        ),
    ] = None,
):
    """Classify scans with a saved model, or with the packaged one.

    Files that cannot be read are named with the reason, in the results and on stderr;
    the others are predicted, and the exit status is 1.
    """
    if as_json and as_csv:
        raise typer.BadParameter("choose --json or --csv, not both.")
    if output is not None and not (as_json or as_csv):
        hint = "--output"
        raise typer.BadParameter("choose --json or --csv for it.", param_hint=hint)
    check_writable(output, "--output")
    model, paths = split_model(paths)
    least = _parse_abstain(abstain)
    from brain_tumor_clf.cli._prediction import predict_in_chunks

    files, failures = find_scans(paths)
    start_backend()
    pipeline = open_model(model, trust_pickle)
    least = _stored_threshold(pipeline) if least == _AUTO else least
    if least is not None and not hasattr(pipeline, "predict_proba"):
        raise typer.BadParameter(
            "the model gives no probabilities.", param_hint="--abstain"
        )
    judge = _guard_of(pipeline) if guard else None
    with progress("Predicting", len(files)) as advance:
        found = predict_in_chunks(pipeline, files, advance, judge)
    found.failures = {**failures, **found.failures}
    rows = _rows(pipeline, found, [*failures, *files], least)
    if as_json:
        write_json(_document(pipeline, rows), output or "-")
    elif as_csv:
        names = [str(label) for label in pipeline.classes_]
        write_text(to_csv(names, pipeline.model_id_, rows), output or "-")
    else:
        _print_table(pipeline, rows)
    if found.failures:
        for path, reason in found.failures.items():
            print_error(f"{path}: {reason}")
        raise typer.Exit(1)


def find_scans(paths):
    """All scans among files and folders, and the folders that hold none."""
    from brain_tumor_clf.preprocessing import find_image_files

    files, failures = [], {}
    for path in paths:
        inside = find_image_files(path, recursive=True) if path.is_dir() else [path]
        files += map(str, inside)
        if not inside:
            failures[str(path)] = _EMPTY_FOLDER
    # A file named twice, or alone and by its folder, is one file.
    return list(dict.fromkeys(files)), failures


def _parse_abstain(text):
    """The least probability that gets a class; "auto", or None."""
    if text is None or text.lower() == _AUTO:
        return text and _AUTO
    try:
        least = float(text)
    except ValueError:
        least = -1.0
    if not 0 <= least <= 1:
        raise typer.BadParameter(
            f"must be auto or a probability from 0 to 1, got {text!r}.",
            param_hint="--abstain",
        )
    return least


def _stored_threshold(pipeline):
    from brain_tumor_clf.selective import read_abstention

    stored = read_abstention(getattr(pipeline, "metadata_", None) or {})
    if stored is None:
        raise typer.BadParameter(
            "the model stores no abstention threshold; give a probability.",
            param_hint="--abstain",
        )
    return stored.threshold


def _guard_of(pipeline):
    guard = getattr(pipeline, "guard_", None)
    if guard is None:
        raise typer.BadParameter(
            "the model has no guard; fit one with ScanGuard and save it along.",
            param_hint="--guard",
        )
    return guard


def _rows(pipeline, found, paths, least=None):
    """One dict per file, in the order given, failures in their places."""
    predicted = zip(found.paths, found.labels, found.probabilities, strict=True)
    by_path = {path: (label, p) for path, label, p in predicted}
    names = [str(label) for label in pipeline.classes_]
    refused = set(found.refused)
    rows = []
    for path in paths:
        label, values = by_path.get(path, (None, None))
        row = {"path": path, "label": label, "probability": None, "probabilities": None}
        if values is not None:
            row["probability"] = max(values)
            row["probabilities"] = dict(zip(names, values, strict=True))
        if path in found.failures:
            state = UNREADABLE
        else:
            state = state_of(row["probability"], path not in refused, least)
        if state != CLASSIFIED:
            row["label"] = None
        rows.append({**row, "state": state, "error": found.failures.get(path)})
    return rows


def _document(pipeline, rows):
    from brain_tumor_clf.persistence import installed_versions

    return {
        "model_id": pipeline.model_id_,
        "classes": pipeline.classes_.tolist(),
        "n": len(rows),
        "n_failed": _count(rows, UNREADABLE),
        "n_refused": _count(rows, NOT_A_SCAN),
        "n_not_sure": _count(rows, NOT_SURE),
        "predictions": rows,
        "versions": installed_versions(),
    }


def _count(rows, state):
    return sum(row["state"] == state for row in rows)


def _in_table(row):
    from rich.markup import escape

    if row["state"] == UNREADABLE:
        return "[red]unreadable[/red]"
    if row["state"] in (NOT_A_SCAN, NOT_SURE):
        return f"[yellow]{row['state']}[/yellow]"
    return escape(str(row["label"]))


def _summary(rows):
    n_scans = len(rows) - _count(rows, UNREADABLE) - _count(rows, NOT_A_SCAN)
    parts = [f"{n_scans} scans"]
    for state, name in (
        (UNREADABLE, "unreadable"),
        (NOT_A_SCAN, "not brain scans"),
        (NOT_SURE, "not sure"),
    ):
        n = _count(rows, state)
        parts += [f"{n} {name}"] if n else []
    return ", ".join(parts)


def _print_table(pipeline, rows):
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("scan", overflow="fold")
    table.add_column("class")
    table.add_column("probability", justify="right", no_wrap=True)
    for row in rows:
        sure = row["probability"]
        table.add_row(
            escape(row["path"]), _in_table(row), "" if sure is None else f"{sure:.3f}"
        )
        if row["state"] == NOT_SURE:
            each = [f"{name} {p:.3f}" for name, p in row["probabilities"].items()]
            table.add_row("", f"[dim]{escape(', '.join(each))}[/dim]", "")
    out = console()
    out.print(table)
    out.print(f"{_summary(rows)}; model {pipeline.model_id_}")
    print_research_only(out)
