"""``predict``: classify scans."""

from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._model import open_model, split_model

_COUNTED = {
    "unreadable": "unreadable",
    "not a scan": "not brain scans",
    "uncertain": "uncertain",
}
_STYLES = {"unreadable": "red", "not a scan": "yellow", "uncertain": "yellow"}


def predict(
    paths: opt.ModelAndPaths,
    guard: Annotated[
        bool,
        typer.Option(
            "--guard", help="Give no class to what the model's guard rejects."
        ),
    ] = False,
    abstain: Annotated[
        str | None,
        typer.Option(
            metavar="P|auto",
            help="Abstention threshold: give no class below this probability, 0 to 1; "
            "auto is the threshold in the model file.",
        ),
    ] = None,
    frame: opt.FrameOption = None,
    trust_pickle: opt.TrustPickleOption = False,
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

    Files that cannot be read are listed with the reason, in the results and on stderr.
    All others are classified, and the exit status is 1.
    """
    if as_json and as_csv:
        raise typer.BadParameter("choose --json or --csv, not both.")
    if output is not None and not (as_json or as_csv):
        raise typer.BadParameter(
            "choose --json or --csv for it.", param_hint="--output"
        )
    shell.check_writable(output, "--output")
    file, paths = split_model(paths)
    threshold = _parse_abstain(abstain)
    files, empty = find_scans(paths)
    shell.start_backend()
    from brain_tumor_clf.selective import answers_to_csv, predict_files

    model = open_model(file, trust_pickle, frame)
    _check_model(model, guard, threshold)
    options = {"guard": guard, "threshold": threshold}
    with shell.progress("Predicting", len(files)) as advance:
        answers = predict_files(model, files, **options, progress=advance)
    answers = gather_answers([answers], empty)
    if as_json:
        shell.write_json(_document(model, answers), output or "-")
    elif as_csv:
        shell.write_text(answers_to_csv(answers, model.model_id_), output or "-")
    else:
        _print_table(model, answers)
    report_problems(answers)


def find_scans(paths):
    """Return all scans among files and folders, and the folders that hold none."""
    from brain_tumor_clf.preprocessing import find_image_files

    files, empty = [], []
    for path in paths:
        inside = find_image_files(path, recursive=True) if path.is_dir() else [path]
        files += map(str, inside)
        if not inside:
            empty.append(str(path))
    # A file that is named twice, or both alone and by its folder, is one file.
    return list(dict.fromkeys(files)), empty


def gather_answers(tables, empty):
    """Join answers to one table that begins with the folders that hold no image.

    The reasons are put in words for the command line.
    """
    import pandas as pd

    failed = pd.DataFrame({"file": empty, "label": None}, dtype=object)
    failed["state"], failed["reason"] = "unreadable", "this folder holds no image"
    answers = pd.concat([failed, *tables] if empty else tables, ignore_index=True)
    answers["reason"] = [r and shell.fit_advice(r) for r in answers["reason"]]
    return answers[list(tables[0])] if tables else answers


def report_problems(answers):
    """Print why files got no answer; exit with status 1 if any could not be read."""
    unanswered = answers[answers["probability"].isna() & answers["label"].isna()]
    for row in unanswered.to_dict("records"):
        if row["state"] == "unreadable":
            shell.print_error(f"{row['file']}: {row['reason']}")
        elif row["state"] == "uncertain":
            shell.print_warning(f"{row['file']}: {row['reason']}")
    if (answers["state"] == "unreadable").any():
        raise typer.Exit(1)


def _parse_abstain(text):
    """Return the threshold, "auto" or None."""
    if text is None or text.lower() == "auto":
        return text and "auto"
    try:
        threshold = float(text)
    except ValueError:
        threshold = -1.0
    if not 0 <= threshold <= 1:
        raise typer.BadParameter(
            f"must be auto or a probability from 0 to 1, got {text!r}.",
            param_hint="--abstain",
        )
    return threshold


def _check_model(model, guard, threshold):
    """Refuse options that the model cannot serve."""
    problem, option = None, "--abstain"
    if guard and model.guard_ is None:
        problem, option = "has no guard; save a SelectiveClassifier with one", "--guard"
    elif threshold == "auto" and model.threshold_ is None:
        problem = "stores no abstention threshold; give a probability"
    elif threshold is not None and not hasattr(model, "predict_proba"):
        problem = "gives no probabilities"
    if problem:
        raise typer.BadParameter(f"the model {problem}.", param_hint=option)


def _document(model, answers):
    from brain_tumor_clf.persistence import installed_versions

    states = answers["state"].tolist()
    return {
        "model_id": model.model_id_,
        "classes": model.classes_.tolist(),
        "n": len(answers),
        "n_failed": states.count("unreadable"),
        "n_refused": states.count("not a scan"),
        "n_not_sure": states.count("uncertain"),
        "predictions": _rows(model, answers),
        "versions": installed_versions(),
    }


def _rows(model, answers):
    """Return the answers as plain data; what is missing is None."""
    rows = []
    for row in answers.to_dict("records"):
        by_class = {str(label): row[f"p_{label}"] for label in model.classes_}
        answered = row["probability"] == row["probability"]  # not NaN
        rows.append(
            {
                "path": row["file"],
                "label": row["label"],
                "probability": row["probability"] if answered else None,
                "probabilities": by_class if answered else None,
                "state": row["state"],
                "error": row["reason"] if row["state"] == "unreadable" else None,
                "reason": row["reason"],
            }
        )
    return rows


def _print_table(model, answers):
    rows = []
    for row in _rows(model, answers):
        state, probability = row["state"], row["probability"]
        label = row["label"] if state == "classified" else state
        number = "" if probability is None else f"{probability:.3f}"
        rows.append((row["path"], label, number, _STYLES.get(state, "")))
        if state == "uncertain" and row["probabilities"]:
            each = [f"{name} {p:.3f}" for name, p in row["probabilities"].items()]
            rows.append(("", ", ".join(each), "", "dim"))
    states = answers["state"].tolist()
    n_scans = states.count("classified") + states.count("uncertain")
    parts = [f"{n_scans} scans"]
    for state, name in _COUNTED.items():
        parts += [f"{states.count(state)} {name}"] if state in states else []
    summary = f"{', '.join(parts)}; model {model.model_id_}"
    shell.print_table(("scan", "class", "probability"), rows, summary)
