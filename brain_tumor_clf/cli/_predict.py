"""``predict``: classify files and folders of scans with a saved model."""

import csv
import io
from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import (
    console,
    print_error,
    print_research_only,
    progress,
)
from brain_tumor_clf.cli._files import check_writable, write_json, write_text
from brain_tumor_clf.cli._options import ModelFile

_EMPTY_FOLDER = "this folder holds no image"


def predict(
    model: ModelFile,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            exists=True,
            help="Scans, and folders that are searched with all that is in them.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write the JSON or CSV to a file."
        ),
    ] = None,
):
    """Classify scans with a saved model.

    Files that cannot be read are named with the reason, in the results and on stderr;
    the others are predicted, and the exit status is 1.
    """
    if as_json and as_csv:
        raise typer.BadParameter("choose --json or --csv, not both.")
    if output is not None and not (as_json or as_csv):
        hint = "--output"
        raise typer.BadParameter("choose --json or --csv for it.", param_hint=hint)
    check_writable(output, "--output")
    from brain_tumor_clf.cli._prediction import load_classifier, predict_in_chunks

    files, failures = find_scans(paths)
    start_backend()
    pipeline = load_classifier(model)
    with progress("Predicting", len(files)) as advance:
        found = predict_in_chunks(pipeline, files, advance)
    found.failures = {**failures, **found.failures}
    rows = _rows(pipeline, found, [*failures, *files])
    if as_json:
        write_json(_document(pipeline, rows), output or "-")
    elif as_csv:
        write_text(_csv(pipeline, rows), output or "-")
    else:
        _print_table(pipeline, rows)
    if found.failures:
        for path, reason in found.failures.items():
            print_error(f"{path}: {reason}")
        raise typer.Exit(1)


def find_scans(paths):
    """All scans among files and folders, and the folders that hold none."""
    from brain_tumor_clf._image_files import find_image_files

    files, failures = [], {}
    for path in paths:
        inside = find_image_files(path, recursive=True) if path.is_dir() else [path]
        files += map(str, inside)
        if not inside:
            failures[str(path)] = _EMPTY_FOLDER
    # A file named twice, or alone and by its folder, is one file.
    return list(dict.fromkeys(files)), failures


def _rows(pipeline, found, paths):
    """One dict per file, in the order given, failures in their places."""
    predicted = zip(found.paths, found.labels, found.probabilities, strict=True)
    by_path = {path: (label, p) for path, label, p in predicted}
    names = [str(label) for label in pipeline.classes_]
    rows = []
    for path in paths:
        label, values = by_path.get(path, (None, None))
        row = {"path": path, "label": label, "probability": None, "probabilities": None}
        if values is not None:
            row["probability"] = max(values)
            row["probabilities"] = dict(zip(names, values, strict=True))
        rows.append({**row, "error": found.failures.get(path)})
    return rows


def _document(pipeline, rows):
    from brain_tumor_clf.persistence import installed_versions

    return {
        "model_id": pipeline.model_id_,
        "classes": pipeline.classes_.tolist(),
        "n": len(rows),
        "n_failed": sum(row["error"] is not None for row in rows),
        "predictions": rows,
        "versions": installed_versions(),
    }


def _csv(pipeline, rows):
    names = [str(label) for label in pipeline.classes_]
    by_class = [f"p_{name}" for name in names]
    head = ["path", "label", "probability", *by_class, "error", "model_id"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        of_class = row["probabilities"] or {}
        values = [row["probability"], *(of_class.get(name) for name in names)]
        writer.writerow(
            [row["path"], row["label"], *values, row["error"], pipeline.model_id_]
        )
    return buffer.getvalue()


def _print_table(pipeline, rows):
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("scan", overflow="fold")
    table.add_column("class", no_wrap=True)
    table.add_column("probability", justify="right", no_wrap=True)
    for row in rows:
        if row["error"]:
            table.add_row(escape(row["path"]), "[red]unreadable[/red]", "")
            continue
        sure = row["probability"]
        table.add_row(
            escape(row["path"]),
            escape(str(row["label"])),
            "" if sure is None else f"{sure:.3f}",
        )
    out = console()
    out.print(table)
    n_failed = sum(row["error"] is not None for row in rows)
    failed = f", {n_failed} unreadable" if n_failed else ""
    out.print(f"{len(rows) - n_failed} scans{failed}; model {pipeline.model_id_}")
    print_research_only(out)
