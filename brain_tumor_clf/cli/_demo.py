"""``demo``: draw scans, compare classifiers on them, save and use the best."""

import shutil
from pathlib import Path

import typer

from brain_tumor_clf._files import written_beside
from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._cross_validation import choose_folds, cross_validate

_MARK = ".brain-tumor-demo"  # a file in folders that the demo made
_FILES = ("confusion_matrix.png", "model.btc", "report.html", "scores.json")


def demo(
    output: opt.option(
        Path, "-o", "--output", metavar="DIR", help="New folder to write to."
    ) = Path("brain-tumor-demo"),
    n_samples: opt.option(
        int, min=24, metavar="N", help="Number of drawn scans."
    ) = 400,
    folds: opt.option(
        int, min=2, metavar="K", help="Folds of the cross-validation."
    ) = 3,
    epochs: opt.option(
        int | None,
        min=1,
        metavar="N",
        help="Epochs of both networks. Default: 20 and 5.",
    ) = None,
    seed: opt.SeedOption = 0,
    overwrite: opt.option(
        bool, "--overwrite", help="Replace what an earlier demo wrote to DIR."
    ) = False,
):
    """Draw scans, compare three classifiers on them, save the best and use it.

    The scans are phantoms: drawings of heads with drawn tumors. Scores on them say
    nothing about patients. No internet connection is needed.
    """
    shell.require_extra("demo", "matplotlib")
    _make_folder(output, overwrite)
    with shell.kept_if_interrupted(
        f"What the demo wrote is kept in {output}; --overwrite starts it anew."
    ):
        _run(output, n_samples, folds, epochs, seed)


def _make_folder(folder, overwrite):
    """Make the folder, or empty that of an earlier demo; refuse any other."""
    mark = folder / _MARK
    if folder.exists() and (folder.is_file() or any(folder.iterdir())):
        if not (overwrite and mark.is_file()):
            advice = " or give --overwrite" if mark.is_file() else ""
            raise typer.BadParameter(
                f"{folder} exists already; name a new folder{advice}.",
                param_hint="--output",
            )
        shutil.rmtree(folder / "scans", ignore_errors=True)
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _run(output, n_samples, folds, epochs, seed):
    shell.start_backend()
    from brain_tumor_clf import write_brain_mri
    from brain_tumor_clf.cli._train import fit_and_save

    shell.note(f"Drawing {n_samples} scans to {output / 'scans'}")
    write_brain_mri(output / "scans", n_samples, image_size=128, random_state=seed)
    scans = opt.load_scans(output / "scans")
    models = make_models(epochs, seed)
    cv = choose_folds(scans, folds, seed)
    comparison, results = cross_validate(models, scans, cv, seed)
    best = max(results, key=lambda one: one.scores["mean"]["balanced_accuracy"])
    _show(comparison, best, scans, output)
    about = {"scans": "phantoms, not patients"}
    manifest = fit_and_save(
        models[best.name], scans, output / "model.btc", best, with_guard=False, **about
    )
    _write_reports(comparison, best, manifest, output)
    _classify_one(scans, output)


def make_models(epochs=None, seed=0):
    """Return the three pipelines that the demo compares, by name."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    from brain_tumor_clf import CNNFeatures, make_mri_pipeline
    from brain_tumor_clf.cli._model import SIMPLE, make_architecture

    options = {"image_size": 64, "random_state": seed}
    simple = {"epochs": epochs or 20, "augmentation": "light"}
    lite = {"epochs": epochs or 5, "learning_rate": 3e-3, "weights": "none"}
    frozen = CNNFeatures("EfficientNetLite0", weights="imagenet")
    svc = make_pipeline(frozen, StandardScaler(), SVC(C=10))
    return {
        SIMPLE: make_architecture(SIMPLE, **simple, **options),
        "EfficientNetLite0, scratch": make_architecture(
            "EfficientNetLite0", **lite, **options
        ),
        "Frozen features, SVC": make_mri_pipeline(svc, image_size=128),
    }


def _show(comparison, best, scans, output):
    out = shell.console()
    title = f"{len(scans.data)} drawn scans of {len(set(scans.groups))} patients"
    comparison.print(out, title=title)
    out.print()
    best.report.print(out, title=f"{best.name}, out-of-fold predictions")
    picture = output / "confusion_matrix.png"
    with written_beside(picture) as partial:
        best.report.plot().figure_.savefig(partial, dpi=120, format="png")
    shell.say(f"Wrote {picture}")


def _write_reports(comparison, best, manifest, output):
    document = {
        "model_id": manifest.model_id,
        "best": best.name,
        "comparison": comparison.to_dict(),
        "cross_validation": best.to_dict(),
        "versions": manifest.versions,
    }
    best.report.to_html(output / "report.html")
    shell.say(f"Wrote {output / 'report.html'}")
    shell.write_json(document, output / "scores.json")
    shell.say(f"Saved {output / 'model.btc'}, model {manifest.model_id}")


def _classify_one(scans, output):
    from brain_tumor_clf import load, predict_files

    file = output / "model.btc"
    path, truth = scans.data[0], scans.target[0]
    label = predict_files(load(file), [path], threshold=None)["label"][0]
    shell.say(f"Classified {path}: {label} (drawn as {truth})")
    shell.say("\nNext:", style="bold")
    for line in (
        f"predict {file} {output / 'scans'}",
        "audit YOUR_FOLDER --html audit.html",
        "train YOUR_FOLDER -o model.btc --cv 5",
    ):
        shell.say(f"  brain-tumor-clf {line}")
