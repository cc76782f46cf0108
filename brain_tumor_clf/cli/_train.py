"""``train``: fit a pipeline on a folder of scans and save it."""

import sys
from typing import Literal

import typer

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._cross_validation import choose_folds, cross_validate
from brain_tumor_clf.cli._info import describe_guard
from brain_tumor_clf.cli._model import SIMPLE, features_kept, make_model, set_verbose

_LEAKAGE = (
    "--weights brain-mri-multisource: the packaged model was trained on the public "
    "Kaggle set and ten other sources; scores on their images are inflated by leakage."
)


def train(
    folder: opt.LabeledScans,
    output: opt.ModelOutput,
    architecture: opt.option(
        str | None,
        metavar="NAME",
        help=f"Default: simple. One of: {opt.ARCHITECTURE_NAMES}",
    ) = None,
    recipe: opt.option(
        Literal["fast", "default", "best", "robust"] | None,
        help="A complete recipe instead of an architecture. fast: frozen features "
        "and a linear classifier, minutes on a CPU; default: one fine-tuned "
        "EfficientNetLite0; best: the average of three of them; robust: one for "
        "scans of several hospitals.",
    ) = None,
    image_size: opt.ImageSizeOption = None,
    epochs: opt.EpochsOption = None,
    batch_size: opt.BatchSizeOption = None,
    learning_rate: opt.LearningRateOption = None,
    weights: opt.WeightsOption = None,
    root: opt.RootOption = None,
    subset: opt.SubsetOption = None,
    groups: opt.GroupsOption = None,
    no_groups: opt.NoGroupsOption = False,
    cv: opt.option(
        int | None, min=2, metavar="K", help="First cross-validate with K folds."
    ) = None,
    leave_out: opt.LeaveOutOption = None,
    balance: opt.BalanceOption = None,
    label_issues: opt.LabelIssuesOption = False,
    healthy: opt.HealthyOption = "notumor",
    seed: opt.SeedOption = 0,
    html_file: opt.HtmlOption = None,
    json_file: opt.JsonOption = None,
):
    """Train a classifier on a folder of scans and save it to one file.

    With --cv or --leave-out it is first cross-validated, then fitted on all images.
    Groups are kept together: those of --groups, of a groups.csv in DIR or of the
    table, otherwise near duplicates, mirror images included. Without either no score
    is measured; `evaluate` scores the model on other images.
    """
    opt.check_grouping(no_groups, groups, leave_out)
    is_scored = cv is not None or leave_out is not None
    needing_cv = {
        "--no-groups": no_groups,
        "--html": html_file,
        "--label-issues": label_issues,
    }
    for name, given in needing_cv.items():
        if given and not is_scored:
            raise typer.BadParameter(
                "needs a cross-validation: --cv K.", param_hint=name
            )
    _check_model_options(recipe, architecture, weights)
    scans = opt.load_scans(folder, subset, groups, root)
    if is_scored:
        healthy = opt.resolve_healthy(healthy, scans.target_names)
    shell.start_backend()
    weight = None if balance is None else _balance(scans, balance)
    name, pipeline = make_model(
        recipe,
        architecture or "simple",
        image_size=image_size,
        weights=weights,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        random_state=seed,
    )
    if is_scored and weights == "brain-mri-multisource":
        shell.print_warning(_LEAKAGE)
    result = None
    with features_kept(pipeline):
        if is_scored:
            folds = choose_folds(scans, cv, seed, no_groups, leave_out)
            models = {name: pipeline}
            options = {"healthy": healthy, "label_issues": label_issues}
            _, (result,) = cross_validate(
                models, scans, folds, seed, sample_weight=weight, **options
            )
            scans.groups = folds.groups
        about = {"seed": seed, "recipe": recipe, "balanced_by": balance}
        manifest = fit_and_save(
            pipeline, scans, output, result, sample_weight=weight, **about
        )
    _show(manifest, result, output, html_file, json_file)


def _check_model_options(recipe, architecture, weights):
    if recipe and architecture:
        raise typer.BadParameter(
            "choose --recipe or --architecture, not both.", param_hint="--recipe"
        )
    is_simple = (architecture or "simple").lower() in ("simple", SIMPLE.lower())
    if weights and is_simple and not recipe:
        raise typer.BadParameter(
            f"{SIMPLE} has no weights to start from: leave --weights out, or choose an "
            "architecture that has, such as EfficientNetLite0.",
            param_hint="--weights",
        )


def _balance(scans, column):
    """Return weights by class within each value of a column."""
    from brain_tumor_clf import source_balanced_weight

    sources = opt.take_columns(scans, [column], "--balance")[column]
    return source_balanced_weight(scans.target, sources)


def fit_and_save(
    pipeline,
    scans,
    output,
    result=None,
    /,
    *,
    with_guard=True,
    sample_weight=None,
    **about,
):
    """Fit a pipeline on all scans and save it with what is known about it.

    `result` is its cross-validation, whose report gets the model's id and whose
    abstention threshold the model gets.
    """
    from sklearn.frozen import FrozenEstimator

    from brain_tumor_clf import SelectiveClassifier, save
    from brain_tumor_clf.reports import fit_parameters

    shell.note(f"Training on {shell.count(len(scans.data), 'image')}")
    # A progress bar on a terminal; nothing in a log file.
    set_verbose(pipeline, int(sys.stderr.isatty()))
    params = fit_parameters(pipeline, scans.groups, sample_weight)
    pipeline.fit(scans.data, scans.target, **params)
    set_verbose(pipeline, 0)
    guard = _fit_guard(pipeline, scans.data) if with_guard else None
    abstention = None if result is None else result.abstention
    trained_on = {
        "n": len(scans.data),
        "images_per_class": {
            name: int((scans.target == name).sum()) for name in scans.target_names
        },
        "n_groups": None if scans.groups is None else len(set(scans.groups)),
    }
    scores = None if result is None else result.to_dict()
    metadata = {"trained_on": trained_on, **about, "cross_validation": scores}
    metadata["guard"] = None if guard is None else type(guard).__name__
    metadata["abstention"] = abstention
    model = SelectiveClassifier(
        FrozenEstimator(pipeline),
        None if guard is None else FrozenEstimator(guard),
        None if abstention is None else abstention["threshold"],
    ).fit(None, None)  # all of it is fitted
    manifest = save(model, output, metadata=metadata)
    if result is not None:
        result.report.model_id = manifest.model_id
    return manifest


def _fit_guard(pipeline, paths):
    """Return a guard that uses the network of a fitted pipeline; None without one."""
    from sklearn.frozen import FrozenEstimator

    from brain_tumor_clf import ScanGuard

    shell.note("Fitting the guard, an out-of-distribution detector")
    try:
        return ScanGuard(FrozenEstimator(pipeline)).fit(paths)
    except (TypeError, ValueError) as error:  # no network, or very few images
        shell.note(f"The model has no guard. {error}")
        return None


def _show(manifest, result, output, html_file, json_file):
    out = shell.console(json_file)
    if result is None:
        out.print("No score was measured: use --cv K, or evaluate on other images.")
    else:
        title = f"Cross-validation of {result.name}, out-of-fold predictions"
        shell.show_report(out, result.report, html_file, title=title)
    for name, value in describe_guard(manifest.metadata):
        shell.say(f"{name[:1].upper()}{name[1:]}: {value}", out)
    shell.say(f"Saved {output}, model {manifest.model_id}", out)
    if json_file is not None:
        names = ("model_id", "estimator", "classes", "backend", "versions")
        document = {name: getattr(manifest, name) for name in names}
        document |= manifest.metadata
        if result is not None:  # now with the model's id
            document["cross_validation"] = result.to_dict()
        shell.write_json(document, json_file, out)
