"""``demo``: from drawn scans to a compared, saved and used classifier in minutes."""

from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import console, note
from brain_tumor_clf.cli._files import PLOTS, require_extra, write_json


def demo(
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="New folder to write to."),
    ] = Path("brain-tumor-demo"),
    n_samples: Annotated[
        int, typer.Option(min=24, metavar="N", help="Number of drawn scans.")
    ] = 400,
    folds: Annotated[
        int, typer.Option(min=2, metavar="K", help="Folds of cross-validation.")
    ] = 3,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Epochs of both networks. Default: 20 and 5."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Seed of everything random.")
    ] = 0,
):
    """Draw scans, compare three classifiers on them, save the best and use it.

    The scans are phantoms: drawings of heads with drawn tumors. Nothing that is
    measured on them says anything about patients. No network is needed.
    """
    require_extra("demo", PLOTS)
    if output.exists() and (output.is_file() or any(output.iterdir())):
        raise typer.BadParameter(
            f"{output} exists already; name a new folder.", param_hint="--output"
        )
    start_backend()
    scans = _draw_scans(output / "scans", n_samples, seed)
    models = make_models(epochs, seed)
    comparison, best = _compare(models, scans, folds, seed)
    _show(comparison, best, scans, output)
    manifest = _fit_and_save(models[best.name], scans, comparison, best, output)
    _classify_one(scans, manifest, output)


def make_models(epochs=None, seed=0):
    """The three pipelines that the demo compares, by name."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    from brain_tumor_clf import (
        CNNFeatures,
        SimpleCNNClassifier,
        TransferCNNClassifier,
        make_mri_pipeline,
    )

    simple = SimpleCNNClassifier(
        epochs=epochs or 20, augmentation="light", random_state=seed
    )
    lite = TransferCNNClassifier(
        "EfficientNetLite0",
        weights=None,
        learning_rate=3e-3,
        epochs=epochs or 5,
        random_state=seed,
    )
    frozen = CNNFeatures("EfficientNetLite0", weights="imagenet")
    features = make_pipeline(frozen, StandardScaler(), SVC(C=10))
    return {
        "SimpleCNN": make_mri_pipeline(simple, image_size=64),
        "EfficientNetLite0, scratch": make_mri_pipeline(lite, image_size=64),
        "Frozen features, SVC": make_mri_pipeline(features, image_size=128),
    }


def _draw_scans(folder, n_samples, seed):
    from brain_tumor_clf import write_brain_mri
    from brain_tumor_clf.cli._data import load_scans

    note(f"Drawing {n_samples} scans to {folder}")
    write_brain_mri(folder, n_samples, image_size=128, random_state=seed)
    return load_scans(folder)


def _compare(models, scans, folds, seed):
    """The comparison of all models, and the best of them out of fold."""
    from brain_tumor_clf.cli._cross_validation import choose_groups, cross_validate

    grouping = choose_groups(scans, False, folds, seed)
    comparison, results = cross_validate(
        models, scans, grouping, "notumor", folds, seed
    )
    best = comparison.to_frame()["mean"].idxmax()
    return comparison, next(result for result in results if result.name == best)


def _show(comparison, best, scans, output):
    out = console()
    title = f"{len(scans.data)} drawn scans of {len(set(scans.groups))} patients"
    comparison.print(out, title=title)
    out.print()
    title = f"{best.name}, every scan out of fold"
    best.report.print(out, title=title)
    picture = output / "confusion_matrix.png"
    best.report.plot().figure_.savefig(picture, dpi=120)
    out.print(f"Wrote {picture}", soft_wrap=True, markup=False)


def _fit_and_save(pipeline, scans, comparison, best, output):
    from brain_tumor_clf import save
    from brain_tumor_clf.reports import fit_groups

    note(f"Training {best.name} on all {len(scans.data)} scans")
    pipeline.fit(scans.data, scans.target, **fit_groups(pipeline, scans.groups))
    metadata = {
        "trained_on": {"n": len(scans.data), "what": "phantoms, not patients"},
        "cross_validation": best.to_dict(),
    }
    manifest = save(pipeline, output / "model.btc", metadata=metadata)
    best.report.model_id = manifest.model_id
    best.report.to_html(output / "report.html")
    document = {
        "model_id": manifest.model_id,
        "best": best.name,
        "comparison": comparison.to_dict(),
        "cross_validation": best.to_dict(),
        "versions": manifest.versions,
    }
    write_json(document, output / "scores.json")
    return manifest


def _classify_one(scans, manifest, output):
    from brain_tumor_clf import load

    model_file = output / "model.btc"
    out = console()
    out.print(f"Wrote {output / 'report.html'}", soft_wrap=True, markup=False)
    out.print(f"Saved {model_file}, model {manifest.model_id}", soft_wrap=True)
    path, truth = scans.data[0], scans.target[0]
    label = load(model_file).predict([path])[0]
    out.print(f"Classified {path}: {label} (drawn as {truth})", soft_wrap=True)
    out.print("\nNext:", style="bold")
    scans_folder = output / "scans"
    out.print(f"  brain-tumor-clf predict {model_file} {scans_folder}", soft_wrap=True)
    out.print("  brain-tumor-clf audit YOUR_FOLDER --html audit.html")
    out.print("  brain-tumor-clf train YOUR_FOLDER -o model.btc --cv 5")
