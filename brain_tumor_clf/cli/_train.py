"""``train``: fit a pipeline on a folder of scans and save it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._architectures import (
    features_kept,
    make_pipeline,
    make_recipe_pipeline,
    resolve_name,
    set_verbose,
)
from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import console, note, print_warning
from brain_tumor_clf.cli._data import load_scans, resolve_healthy
from brain_tumor_clf.cli._files import (
    PLOTS,
    check_page,
    check_writable,
    require_extra,
    write_json,
)
from brain_tumor_clf.cli._options import (
    ARCHITECTURE_NAMES,
    BatchSizeOption,
    DataFolder,
    EpochsOption,
    GroupsOption,
    HealthyOption,
    HtmlOption,
    ImageSizeOption,
    JsonOption,
    LearningRateOption,
    NoGroupsOption,
    Recipe,
    SeedOption,
    SubsetOption,
    WeightsOption,
    check_grouping,
    check_learning_rate,
)

_SEEN = (
    "--weights brain-mri: the packaged model has seen the public Kaggle set; on images "
    "of that set these scores measure its memory."
)


def train(
    folder: DataFolder,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="MODEL", help="Model file to write."),
    ],
    architecture: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=f"Default: simple. One of: {ARCHITECTURE_NAMES}"
        ),
    ] = None,
    recipe: Annotated[
        Recipe | None,
        typer.Option(
            help="A whole recipe in place of an architecture. fast: frozen features "
            "and a linear classifier, minutes on a CPU; default: one fine-tuned "
            "EfficientNetLite0; best: three of them averaged."
        ),
    ] = None,
    image_size: ImageSizeOption = None,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    learning_rate: LearningRateOption = None,
    weights: WeightsOption = None,
    subset: SubsetOption = None,
    groups: GroupsOption = None,
    no_groups: NoGroupsOption = False,
    cv: Annotated[
        int | None,
        typer.Option(min=2, metavar="K", help="Cross-validate in K folds first."),
    ] = None,
    healthy: HealthyOption = "notumor",
    seed: SeedOption = 0,
    html_file: HtmlOption = None,
    json_file: JsonOption = None,
):
    """Train a classifier on a folder of scans and save it to one file.

    With --cv it is cross-validated first, then fitted on all images. Groups are kept
    whole: those of --groups or of a groups.csv in DIR; without them near duplicates,
    mirror images included. Nothing else here measures a score: use --cv, or
    `evaluate` on other images.
    """
    check_writable(output, "--output")
    check_page(html_file)
    check_writable(json_file, "--json")
    check_learning_rate(learning_rate)
    _check_cross_validation(cv, no_groups, html_file)
    check_grouping(groups, no_groups)
    if recipe and architecture:
        raise typer.BadParameter(
            "choose --recipe or --architecture, not both.", param_hint="--recipe"
        )
    scans = load_scans(folder, subset, groups)
    if cv:
        healthy = resolve_healthy(healthy, scans.target_names)
    start_backend()
    name, pipeline = _make_pipeline(
        recipe,
        architecture or "simple",
        image_size=image_size,
        weights=weights,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        random_state=seed,
    )
    if cv and weights == "brain-mri":
        print_warning(_SEEN)
    result = None
    with features_kept(pipeline):
        if cv:
            models = {name: pipeline}
            result = _cross_validate(models, scans, no_groups, healthy, cv, seed)
        manifest = _fit_and_save(pipeline, scans, result, output, seed, recipe)
    _show(manifest, result, output, html_file, json_file)


def _check_cross_validation(cv, no_groups, html_file):
    if cv is None:
        for given, option in ((no_groups, "--no-groups"), (html_file, "--html")):
            if given:
                raise typer.BadParameter(
                    "needs a cross-validation: --cv K.", param_hint=option
                )
    if html_file is not None:
        require_extra("plots", PLOTS)


def _make_pipeline(recipe, architecture, **options):
    try:
        if recipe:
            return f"recipe {recipe}", make_recipe_pipeline(str(recipe), **options)
        name = resolve_name(architecture)
        return name, make_pipeline(name, **options)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _cross_validate(models, scans, no_groups, healthy, n_splits, seed):
    from brain_tumor_clf.cli._cross_validation import choose_groups, cross_validate

    grouping = choose_groups(scans, no_groups, n_splits, seed)
    _, (result,) = cross_validate(models, scans, grouping, healthy, n_splits, seed)
    scans.groups = grouping.labels
    return result


def _fit_and_save(pipeline, scans, result, output, seed, recipe):
    from brain_tumor_clf import save
    from brain_tumor_clf.reports import fit_groups

    note(f"Training on {len(scans.data)} images")
    # One bar for a person to watch; nothing in a log file.
    set_verbose(pipeline, int(sys.stderr.isatty()))
    params = {} if scans.groups is None else fit_groups(pipeline, scans.groups)
    pipeline.fit(scans.data, scans.target, **params)
    set_verbose(pipeline, 0)
    metadata = {
        "trained_on": {
            "n": len(scans.data),
            "images_per_class": {
                name: int((scans.target == name).sum()) for name in scans.target_names
            },
            "n_groups": None if scans.groups is None else len(set(scans.groups)),
        },
        "seed": seed,
        "recipe": recipe and str(recipe),
        "cross_validation": None if result is None else result.to_dict(),
    }
    manifest = save(pipeline, output, metadata=metadata)
    if result is not None:
        result.report.model_id = manifest.model_id
    return manifest


def _show(manifest, result, output, html_file, json_file):
    out = console(json_file)
    if result is None:
        out.print("No score was measured: use --cv K, or evaluate on other images.")
    else:
        _show_scores(out, result, html_file)
    out.print(f"Saved {output}, model {manifest.model_id}", soft_wrap=True)
    if json_file is not None:
        write_json(_document(manifest, result), json_file)


def _show_scores(out, result, html_file):
    title = f"Cross-validation of {result.name}, every image out of fold"
    result.report.print(out, title=title)
    if html_file is not None:
        result.report.to_html(html_file)
        out.print(f"Wrote {html_file}", soft_wrap=True, markup=False)


def _document(manifest, result):
    document = {
        "model_id": manifest.model_id,
        "estimator": manifest.estimator,
        "classes": manifest.classes,
        "backend": manifest.backend,
        "versions": manifest.versions,
        **manifest.metadata,
    }
    if result is not None:
        document["cross_validation"] = result.to_dict()  # now with the model's id
    return document
