"""``evaluate``: score a saved model on a folder of labeled scans."""

from dataclasses import replace
from pathlib import Path

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._model import open_model

_CHUNK = 256  # images that are in memory at a time


def evaluate(
    model: opt.ModelFile,
    folder: opt.LabeledScans,
    root: opt.RootOption = None,
    subset: opt.SubsetOption = None,
    groups: opt.GroupsOption = None,
    train: opt.option(
        Path | None,
        **opt.DATA,
        help="What the model was trained on: the scores stand apart for images "
        "without a copy there, beside those of controls.",
    ) = None,
    by: opt.option(
        str | None,
        metavar="COLUMN,…",
        help="Also score each subgroup: each value of these columns of the table "
        "or of groups.csv, such as source,sequence.",
    ) = None,
    label_issues: opt.LabelIssuesOption = False,
    names: opt.MapOption = None,
    healthy: opt.HealthyOption = "notumor",
    seed: opt.SeedOption = 0,
    html_file: opt.HtmlOption = None,
    json_file: opt.JsonOption = None,
):
    """Score a saved model on scans that it has not seen.

    The scores hold for new patients only if no patient and no copy of an image was in
    training: --train DIR finds copies. Where groups (patients) are known, intervals
    are of groups drawn whole, and each group also has one vote.
    """
    scans = opt.load_scans(folder, subset, groups, root)
    subgroups = None
    if by is not None:
        columns = [name.strip() for name in by.split(",")]
        subgroups = opt.take_columns(scans, columns, "--by")
    training = None if train is None else opt.load_part(train, "train")
    for loaded in (scans, training):
        if loaded is not None:
            opt.rename_classes(loaded, names)
    shell.start_backend()
    pipeline = open_model(model)
    classes = [str(label) for label in pipeline.classes_]
    _check_classes(classes, scans)
    healthy = opt.resolve_healthy(healthy, classes)
    options = {"healthy": healthy, "random_state": seed, "subgroups": subgroups}
    options["label_issues"] = label_issues
    report = _evaluate(pipeline, scans, training, options)
    title = f"Model {report.model_id} on {folder}"
    shell.show_report(shell.console(json_file), report, html_file, json_file, title)


def _check_classes(known, scans):
    unknown = sorted(set(scans.target_names) - set(known))
    if unknown:
        from brain_tumor_clf.exceptions import DatasetError

        raise DatasetError(
            f"The scans have the labels {', '.join(unknown)}, which the model does "
            f"not know; it tells {', '.join(known)} apart. Name them as the model does "
            "by --map NAME=CLASS, or leave them out."
        )


def _evaluate(pipeline, scans, training, options):
    import numpy as np

    from brain_tumor_clf.reports import EvaluationReport

    labels, probabilities = _predict(pipeline, scans.data)
    if training is None:
        known = {}
        shell.note("--train DIR tells which images have a copy in training.")
    else:
        known = {"X_train": training.data, "y_train": training.target}
        shell.note(f"Looking for copies among {len(training.data):,} training images")
    report = EvaluationReport.from_predictions(
        scans.target,
        labels,
        probabilities,
        classes=np.asarray([str(label) for label in pipeline.classes_]),
        groups=scans.groups,
        X=scans.data,
        per_group=scans.groups is not None,
        n_jobs=-1,
        protocol="a fitted model on these images; those it was trained on are "
        + ("given" if known else "not known here"),
        model_id=pipeline.model_id_,
        **known,
        **options,
    )
    report.protocol = replace(report.protocol, data=opt.describe_data(scans))
    return report


def _predict(model, files):
    """Return labels and probabilities of files, in chunks so that memory stays flat.

    All unreadable files are named together. There may be no probabilities.
    """
    import numpy as np

    from brain_tumor_clf.exceptions import ImageReadError

    has_probabilities = hasattr(model, "predict_proba")
    function = model.predict_proba if has_probabilities else model.predict
    results, failures = [], {}
    with shell.progress("Predicting", len(files)) as advance:
        for start in range(0, len(files), _CHUNK):
            chunk = files[start : start + _CHUNK]
            try:
                results.append(function(chunk))
            except ImageReadError as error:
                failures |= {start + i: why for i, why in error.failures.items()}
            advance(len(chunk))
    if failures:
        raise ImageReadError(failures, len(files))
    results = np.concatenate(results)
    if not has_probabilities:
        return results.astype(str), None
    return model.classes_[results.argmax(axis=1)].astype(str), results
