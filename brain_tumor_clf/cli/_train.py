"""``train``: fit a pipeline on a folder of scans and save it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import (
    check_writable,
    console,
    error_console,
    note,
    print_warning,
    progress,
    write_json,
)
from brain_tumor_clf.cli._options import (
    DataFolder,
    GroupsOption,
    JsonOption,
    SubsetOption,
)

_NO_GROUPS = (
    "no groups are known, so images of one patient may lie on both sides of a split "
    "and scores may be too high. Name patients or copies with --groups CSV."
)


def train(
    folder: DataFolder,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="MODEL", help="Model file to write."),
    ],
    architecture: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="simple (a small CNN from scratch), Xception, VGG16, ResNet50V2, "
            "DenseNet121, InceptionV3, MobileNetV2, MobileNetV3Small, "
            "MobileNetV3Large, EfficientNetB0, EfficientNetV2B0, ConvNeXtTiny or "
            "EfficientNetLite0.",
        ),
    ] = "simple",
    image_size: Annotated[
        int | None,
        typer.Option(
            min=8,
            metavar="PIXELS",
            help="Side of the images. Default: the architecture's; 128 for simple.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Default: the classifier's.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Default: the classifier's.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(metavar="RATE", help="Default: the architecture's.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|none|FILE",
            help="What a backbone starts from. Default: the classifier's.",
        ),
    ] = None,
    subset: SubsetOption = None,
    groups: GroupsOption = None,
    cv: Annotated[
        int | None,
        typer.Option(min=2, metavar="K", help="Cross-validate in K folds first."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Seed of everything random.")
    ] = 0,
    json_file: JsonOption = None,
):
    """Train a classifier on a folder of scans and save it to one file.

    With --cv it is cross-validated first, then fitted on all images. Nothing else
    here measures a score: use --cv, or `evaluate` on other images.
    """
    check_writable(output, "--output")
    check_writable(json_file, "--json")
    if learning_rate is not None and learning_rate <= 0:
        raise typer.BadParameter("must be above 0.", param_hint="--learning-rate")
    from brain_tumor_clf.datasets import load_mri_folder

    start_backend()
    scans = load_mri_folder(folder, subset=subset, groups=groups)
    note(scans.DESCR)
    pipeline = _make_pipeline(
        architecture,
        image_size=image_size,
        weights=weights,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        random_state=seed,
    )
    if scans.groups is None:
        print_warning(_NO_GROUPS)
    result = _cross_validate(pipeline, scans, cv, seed) if cv else None
    manifest = _fit_and_save(pipeline, scans, result, output, seed)
    _show(manifest, result, output, json_file)
    if json_file is not None:
        write_json(_document(manifest), json_file)


def _make_pipeline(architecture, **options):
    from brain_tumor_clf.cli._architectures import make_pipeline, resolve_name

    try:
        return make_pipeline(resolve_name(architecture), **options)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _cross_validate(pipeline, scans, n_splits, seed):
    from brain_tumor_clf.cli._cross_validation import cross_validate

    with progress("Cross-validating", n_splits) as advance:
        result = cross_validate(pipeline, scans, n_splits, seed, advance)
    del result["predicted"]
    return result


def _fit_and_save(pipeline, scans, result, output, seed):
    from brain_tumor_clf import save
    from brain_tumor_clf.cli._cross_validation import fit_params

    note(f"Training on {len(scans.data)} images")
    # One bar for a person to watch; nothing in a log file.
    pipeline.set_params(classifier__verbose=int(sys.stderr.isatty()))
    pipeline.fit(scans.data, scans.target, **fit_params(pipeline, scans.groups))
    pipeline.set_params(classifier__verbose=0)
    metadata = {
        "trained_on": {
            "n": len(scans.data),
            "images_per_class": {
                name: int((scans.target == name).sum()) for name in scans.target_names
            },
            "n_groups": None if scans.groups is None else len(set(scans.groups)),
        },
        "seed": seed,
        "cross_validation": result,
    }
    return save(pipeline, output, metadata=metadata)


def _show(manifest, result, output, json_file):
    from brain_tumor_clf.cli._scores import print_scores, spread

    out = error_console() if str(json_file) == "-" else console()
    if result is not None:
        print_scores(out, result["out_of_fold"], "Cross-validation, out of fold")
        out.print(f"protocol           {result['protocol']}", soft_wrap=True)
        out.print(f"accuracy           {spread(result, 'accuracy')}")
        out.print(f"balanced accuracy  {spread(result, 'balanced_accuracy')}")
        out.print("(mean ± standard deviation over folds)\n", style="dim")
    else:
        out.print("No score was measured: use --cv K, or evaluate on other images.")
    out.print(f"Saved {output}, model {manifest.model_id}", soft_wrap=True)


def _document(manifest):
    return {
        "model_id": manifest.model_id,
        "estimator": manifest.estimator,
        "classes": manifest.classes,
        "backend": manifest.backend,
        "versions": manifest.versions,
        **manifest.metadata,
    }
