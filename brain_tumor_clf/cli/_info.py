"""``info``: what is installed, what is missing for what, what a model file is."""

import importlib.metadata
import platform
import re
from pathlib import Path

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt

_DISTRIBUTION = "brain-tumor-clf"
_PACKAGES = (
    *(_DISTRIBUTION, "scikit-learn", "keras", "tensorflow", "jax", "torch"),
    *("scikeras", "skops", "numpy", "pandas", "pillow"),
)
_EXTRAS = {
    "dicom": "reading DICOM files, compressed ones too",
    "deep-color": "color images of more than 8 bits",
    "kaggle": "fetch_brain_tumor_mri",
    "labels": "find_label_issues, --label-issues",
    "plots": "displays, reports with figures",
    "app": "the web app",
}


def info(
    model: opt.argument(
        Path | None,
        **opt.FILE,
        metavar="[MODEL]",
        help="A model file to describe instead.",
    ) = None,
):
    """Show versions, backend, GPU and missing extras, or describe a model file."""
    if model is None:
        shell.note("Starting the backend…")
        shell.start_backend()
        show_versions()
    else:
        _print_pairs(_describe_model(model))


def show_versions():
    """Print versions, the backend of Keras, GPUs, and which extras are installed.

    Examples
    --------
    >>> import brain_tumor_clf
    >>> brain_tumor_clf.show_versions()
    Versions
      python ...
    """
    shell.say("Versions", style="bold")
    pairs = [(name, version) for name in _PACKAGES if (version := _version(name))]
    _print_pairs([("python", platform.python_version()), *pairs])
    shell.say("\nBackend", style="bold")
    _print_pairs(_backend())
    shell.say("\nPackaged models", style="bold")
    _print_pairs(_packaged_terms())
    shell.say("\nExtras", style="bold")
    for extra, purpose in _EXTRAS.items():
        missing = ", ".join(_missing(extra))
        advice = f"; missing {missing}: pip install '{_DISTRIBUTION}[{extra}]'"
        state = advice if missing else "; installed"
        _print_pairs([(extra, purpose + state)])


def _packaged_terms():
    from brain_tumor_clf.networks import PACKAGED_MODELS, packaged_model_file
    from brain_tumor_clf.persistence import read_manifest

    for name in PACKAGED_MODELS:
        manifest = read_manifest(packaged_model_file(name))
        yield name, manifest.metadata["license"]


def _describe_model(path):
    from brain_tumor_clf.persistence import read_manifest

    manifest = read_manifest(path)
    pairs = [
        ("model", manifest.model_id),
        ("estimator", manifest.estimator),
        ("classes", ", ".join(map(str, manifest.classes or ["none"]))),
        ("saved", f"{manifest.created}, backend {manifest.backend}"),
        ("versions", ", ".join(map(" ".join, manifest.versions.items()))),
        ("size", f"{path.stat().st_size / 2**20:.1f} MiB"),
    ]
    if isinstance(terms := manifest.metadata.get("license"), str):
        pairs.append(("license", terms))
    for name, key, number in (
        ("trained on", "trained_on", "n"),
        ("adapted to", "adaptation", "images"),
    ):
        found = manifest.metadata.get(key)
        if isinstance(found, dict) and isinstance(found.get(number), int):
            pairs.append((name, shell.count(found[number], "image")))
    scores = manifest.metadata.get("cross_validation")
    if isinstance(scores, dict):
        pairs += [
            (name.replace("_", " "), f"{mean:.3f} ± {scores['std'][name]:.3f}")
            for name, mean in scores["mean"].items()
        ]
        pairs.append(("cross-validation", scores["protocol"]))
    return pairs + describe_guard(manifest.metadata)


def describe_guard(metadata):
    """Return pairs of name and text on the guard and the abstention threshold."""
    from brain_tumor_clf.selective import read_abstention

    pairs = []
    if "guard" in metadata:
        pairs.append(("guard", metadata["guard"] or "none; no image is rejected"))
    found = read_abstention(metadata)
    if found is not None:
        text = f"{found.threshold:.3f}"
        if found.error_rate is not None:
            rate = found.error_rate
            text += (
                f"; at most {rate:.1%} of the answers were wrong where it was chosen"
            )
        if found.coverage is not None:
            text += f"; {found.coverage:.0%} of the images were answered"
        pairs.append(("threshold", text))
    elif "abstention" in metadata:
        pairs.append(("threshold", "none; no result is uncertain"))
    return pairs


def _print_pairs(pairs):
    for name, value in pairs:
        shell.say(f"  {name:<17} {value}")


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        # TensorFlow for CPUs alone is a distribution of another name.
        return _version("tensorflow-cpu") if package == "tensorflow" else None


def _backend():
    import keras

    name = keras.config.backend()
    gpus = ", ".join(_gpus(name)) or "none found; training runs on the CPU"
    return [("keras uses", name), ("gpu", gpus)]


def _gpus(backend):
    if backend == "tensorflow":
        import tensorflow as tf

        return [device.name for device in tf.config.list_physical_devices("GPU")]
    if backend == "jax":
        import jax

        return [str(device) for device in jax.devices() if device.platform == "gpu"]
    import torch

    n_gpus = torch.cuda.device_count()
    return [torch.cuda.get_device_name(i) for i in range(n_gpus)]


def _missing(extra):
    """Return the distributions of an extra that are not installed."""
    missing = []
    for requirement in importlib.metadata.requires(_DISTRIBUTION) or ():
        name, _, marker = requirement.partition(";")
        if re.search(rf"extra\s*==\s*['\"]{extra}['\"]", marker):
            package = re.match(r"[\w.-]+", name.strip()).group()
            if _version(package) is None:
                missing.append(package)
    return missing
