"""``predict``: classify scans."""

from pathlib import Path

import typer

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._model import open_model, split_model

_TABLE = "groups.csv"  # with which `load_mri_folder` groups scans; no scan itself


def _parse_threshold(text):
    """Return the threshold, "auto" or None; a callback."""
    if text is None or text.lower() == "auto":
        return text and "auto"
    try:
        threshold = float(text)
    except ValueError:
        threshold = -1.0
    if not 0 <= threshold <= 1:
        raise typer.BadParameter(
            f"must be auto or a probability from 0 to 1, got {text!r}."
        )
    return threshold


def predict(
    paths: opt.ModelAndPaths,
    guard: opt.option(
        bool, "--guard", help="Give no class to what the model's guards reject."
    ) = False,
    abstain: opt.option(
        str | None,
        metavar="P|auto",
        callback=_parse_threshold,
        help="Abstention threshold: give no class below this probability, 0 to 1; "
        "auto is the threshold in the model file.",
    ) = None,
    frame: opt.FrameOption = None,
    trust_pickle: opt.TrustPickleOption = False,
    as_json: opt.option(bool, "--json", help="Print JSON.") = False,
    as_csv: opt.option(bool, "--csv", help="Print CSV.") = False,
    output: opt.option(
        Path | None,
        "-o",
        "--output",
        metavar="FILE",
        callback=shell.check_writable,
        help="Write the JSON or CSV to a file.",
    ) = None,
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
    file, paths = split_model(paths)
    files, empty, n_left_out = find_scans(paths)
    shell.start_backend()
    from brain_tumor_clf.selective import answers_to_csv, predict_files

    model = open_model(file, trust_pickle, frame)
    _check_model(model, guard, abstain)
    options = {"guard": guard, "threshold": abstain}
    with shell.progress("Predicting", len(files)) as advance:
        answers = predict_files(model, files, **options, progress=advance)
    answers = gather_answers([answers], empty)
    if as_json:
        shell.write_json(_document(model, answers), output or "-")
    elif as_csv:
        shell.write_text(answers_to_csv(answers, model.model_id_), output or "-")
    else:
        _print_table(model, answers)
    report_problems(answers, n_left_out)


def find_scans(paths):
    """Return all files to classify, the folders that hold none, and a number.

    Every file of a folder is classified, so that what is no image gets its reason.
    Only hidden entries and tables of groups are left out: this is their number.
    """
    from brain_tumor_clf.preprocessing import is_hidden, sort_image_files

    files, empty, n_left_out = [], [], 0
    for path in paths:
        if not path.is_dir():
            files.append(str(path))
            continue
        images, others = sort_image_files(path, recursive=True)
        scans = [each for each in images + others if each.name != _TABLE]
        n_left_out += len(images + others) - len(scans)
        n_left_out += sum(map(is_hidden, path.rglob("*")))
        files += map(str, scans)
        if not scans:
            empty.append(str(path))
    # A file that is named twice, or both alone and by its folder, is one file.
    return list(dict.fromkeys(files)), empty, n_left_out


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


def summarize(answers, model_id):
    """Count the files of each state, in one line."""
    counts = answers["state"].value_counts()
    states = ", ".join(f"{n:,} {state}" for state, n in counts.items())
    return f"{shell.count(len(answers), 'file')}: {states}; model {model_id}"


def report_problems(answers, n_left_out=0):
    """Print why files got no answer; exit with status 1 if any could not be read."""
    if n_left_out:
        entries = shell.count(n_left_out, "entry", "entries")
        shell.note(f"Left out of folders: {entries}, hidden or called {_TABLE}")
    unanswered = answers[answers["probability"].isna() & answers["label"].isna()]
    for row in unanswered.to_dict("records"):
        if row["state"] == "unreadable":
            shell.print_error(f"{row['file']}: {row['reason']}")
        elif row["state"] == "uncertain":
            shell.print_warning(f"{row['file']}: {row['reason']}")
    if (answers["state"] == "unreadable").any():
        raise typer.Exit(1)


def _check_model(model, guard, threshold):
    """Refuse options that the model cannot serve."""
    problem, option = None, "--abstain"
    if guard and model.guard_ is None and model.familiarity_ is None:
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
        "states": answers["state"].value_counts(sort=False).to_dict(),
        "predictions": list(_rows(model, answers)),
        "versions": installed_versions(),
    }


def _rows(model, answers):
    """Yield the answers as plain data; what is missing is None."""
    for row in answers.astype(object).where(answers.notna(), None).to_dict("records"):
        by_class = {str(label): row[f"p_{label}"] for label in model.classes_}
        yield {
            "path": row["file"],
            "label": row["label"],
            "probability": row["probability"],
            "probabilities": None if row["probability"] is None else by_class,
            "state": row["state"],
            "error": row["reason"] if row["state"] == "unreadable" else None,
            "reason": row["reason"],
        }


def _print_table(model, answers):
    rows = []
    for row in _rows(model, answers):
        state, probability = row["state"], row["probability"]
        if state == "none of these":  # its probability is spread over the classes
            rows.append((row["path"], state, "", state))
            rows.append(("", row["reason"], "", "details"))
            continue
        number = "" if probability is None else f"{probability:.3f}"
        label = state if row["label"] is None else row["label"]
        rows.append((row["path"], label, number, state))
        if row["label"] is None and row["probabilities"]:
            each = [f"{name} {p:.3f}" for name, p in row["probabilities"].items()]
            rows.append(("", ", ".join(each), "", "details"))
    summary = summarize(answers, model.model_id_)
    shell.print_table(("scan", "class", "probability"), rows, summary)
