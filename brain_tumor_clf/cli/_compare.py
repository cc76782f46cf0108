"""``compare``: several architectures on the same folds."""

from dataclasses import replace

import typer

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._cross_validation import choose_folds, compare_models
from brain_tumor_clf.cli._model import make_model


def _parse_seeds(text):
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise typer.BadParameter(
            f"expected whole numbers from 0 on with commas between, got {text!r}."
        )
    return list(dict.fromkeys(map(int, words)))


def compare(
    folder: opt.LabeledScans,
    architectures: opt.option(
        str,
        metavar="NAME,NAME,…",
        help="The first is the one to compare with: " + opt.ARCHITECTURE_NAMES,
    ),
    image_size: opt.ImageSizeOption = None,
    epochs: opt.EpochsOption = None,
    batch_size: opt.BatchSizeOption = None,
    learning_rate: opt.LearningRateOption = None,
    weights: opt.WeightsOption = None,
    root: opt.RootOption = None,
    subset: opt.SubsetOption = None,
    groups: opt.GroupsOption = None,
    no_groups: opt.NoGroupsOption = False,
    leave_out: opt.LeaveOutOption = None,
    cv: opt.option(int, min=2, metavar="K", help="Folds of cross-validation.") = 5,
    seeds: opt.option(
        str,
        metavar="N,N,…",
        callback=_parse_seeds,
        help="Seeds of everything random; with each, every fold is split and "
        "trained anew.",
    ) = "0",
    html_file: opt.HtmlOption = None,
    json_file: opt.JsonOption = None,
):
    """Cross-validate several architectures on the same folds of a folder of scans.

    Groups are kept whole: those of --groups or of a groups.csv in DIR; without them
    near duplicates, mirror images included.
    """
    opt.check_grouping(no_groups, groups, leave_out)
    options = {
        "image_size": image_size,
        "weights": weights,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
    }
    scans = opt.load_scans(folder, subset, groups, root)
    shell.start_backend()
    names = architectures.split(",")
    models = dict(make_model(None, name.strip(), **options) for name in names)
    folds = choose_folds(scans, cv, seeds[0], no_groups, leave_out)
    result = compare_models(models, scans, folds, seeds)
    result.protocol = _with_options(result.protocol, options)
    title = f"{len(result.names)} architectures on {folder}"
    shell.show_report(shell.console(json_file), result, html_file, json_file, title)


def _with_options(protocol, options):
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    text = f"{', '.join(given)}; all else by default" if given else "all by default"
    return replace(protocol, notes=(*protocol.notes, f"parameters: {text}"))
