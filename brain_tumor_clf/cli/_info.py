"""``info``: what is installed, what is missing for what, what a model file is."""

import importlib.metadata
import platform
import re
from pathlib import Path
from typing import Annotated

import typer

from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import console, note

_DISTRIBUTION = "brain-tumor-clf"
_PACKAGES = (
    _DISTRIBUTION,
    "scikit-learn",
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "scikeras",
    "skops",
    "numpy",
    "pandas",
    "pillow",
)
_EXTRAS = {
    "dicom": "reading DICOM files, compressed ones too",
    "kaggle": "fetch_brain_tumor_mri",
    "plots": "the demo's picture, displays",
    "app": "the web app",
}


def info(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]",
            exists=True,
            dir_okay=False,
            help="A model file to describe instead.",
        ),
    ] = None,
):
    """Show versions, backend and GPU, and what is missing for what."""
    if model is not None:
        _describe_model(model)
        return
    out = console()
    out.print("Versions", style="bold")
    _print_pairs(out, [("python", platform.python_version()), *_versions()])
    note("Starting the backend…")
    out.print("\nBackend", style="bold")
    _print_pairs(out, _backend())
    out.print("\nExtras", style="bold")
    for extra, purpose in _EXTRAS.items():
        missing = _missing(extra)
        state = f"missing {', '.join(missing)}" if missing else "installed"
        out.print(f"  {extra:<17}{state:<12}{purpose}", soft_wrap=True)
        if missing:
            command = f"pip install '{_DISTRIBUTION}[{extra}]'"
            out.print(f"{'':<17}{command}", soft_wrap=True, markup=False)


def _describe_model(path):
    from brain_tumor_clf.persistence import read_manifest

    manifest = read_manifest(path)
    pairs = [
        ("model", manifest.model_id),
        ("estimator", manifest.estimator),
        ("classes", ", ".join(map(str, manifest.classes or ["none"]))),
        ("saved", f"{manifest.created}, backend {manifest.backend}"),
        ("versions", ", ".join(f"{k} {v}" for k, v in manifest.versions.items())),
        ("size", f"{path.stat().st_size / 2**20:.1f} MiB"),
    ]
    trained_on = manifest.metadata.get("trained_on")
    if isinstance(trained_on, dict):
        pairs.append(("trained on", f"{trained_on.get('n')} images"))
    scores = manifest.metadata.get("cross_validation")
    if isinstance(scores, dict):
        mean, std = scores["mean"]["accuracy"], scores["std"]["accuracy"]
        pairs.append(("accuracy", f"{mean:.3f} ± {std:.3f}, {scores['protocol']}"))
    _print_pairs(console(), pairs)


def _print_pairs(out, pairs):
    for name, value in pairs:
        out.print(f"  {name:<17}{value}", soft_wrap=True, markup=False)


def _versions():
    for package in _PACKAGES:
        version = _version(package)
        if version is not None:
            yield package, version


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        # TensorFlow for CPUs alone is a distribution of another name.
        return _version("tensorflow-cpu") if package == "tensorflow" else None


def _backend():
    start_backend()
    import keras

    name = keras.config.backend()
    yield "keras uses", name
    devices = _gpus(name)
    yield "gpu", ", ".join(devices) or "none found; training runs on the CPU"


def _gpus(backend):
    if backend == "tensorflow":
        import tensorflow as tf

        return [device.name for device in tf.config.list_physical_devices("GPU")]
    if backend == "jax":
        import jax

        return [str(device) for device in jax.devices() if device.platform == "gpu"]
    import torch

    count = torch.cuda.device_count()
    return [torch.cuda.get_device_name(i) for i in range(count)]


def _missing(extra):
    """Distributions that an extra asks for and that are not installed."""
    missing = []
    for requirement in importlib.metadata.requires(_DISTRIBUTION) or ():
        name, _, marker = requirement.partition(";")
        if re.search(rf"extra\s*==\s*['\"]{extra}['\"]", marker):
            package = re.match(r"[\w.-]+", name.strip()).group()
            if _version(package) is None:
                missing.append(package)
    return missing
