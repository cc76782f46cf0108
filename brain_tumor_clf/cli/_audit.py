"""``audit``: what a data set gives away before anything is trained on it."""

from dataclasses import replace
from pathlib import Path

import typer

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt

LEAK_FOUND = 3


def audit(
    folder: opt.LabeledScans,
    test: opt.option(
        Path | None, **opt.DATA, help="Test images: a folder or table as the other."
    ) = None,
    root: opt.RootOption = None,
    subset: opt.SubsetOption = None,
    groups: opt.GroupsOption = None,
    healthy: opt.HealthyOption = "notumor",
    seed: opt.SeedOption = 0,
    html_file: opt.PageOption = None,
    json_file: opt.JsonOption = None,
    fail_on_leak: opt.option(
        bool,
        "--fail-on-leak",
        help="Exit with 3 if a test image has a copy or mirror in training.",
    ) = False,
):
    """Look for copies, mirror images and shortcuts in a folder of scans.

    With --test, or --subset all of a folder that holds Training and Testing, it also
    tells which test images training has seen. Nothing is changed or dropped.

    --groups names groups of training and test images in one table. Without it a
    groups.csv in DIR is used, for the images of DIR alone.
    """
    from brain_tumor_clf import audit_dataset

    train, held_out = _load(folder, test, subset, groups, root)
    if fail_on_leak and held_out is None:
        raise typer.BadParameter(
            "needs test images: --test DIR, or --subset all of a folder that holds "
            "Training and Testing.",
            param_hint="--fail-on-leak",
        )
    n = len(train.data) + (0 if held_out is None else len(held_out.data))
    shell.note(f"Reading {n:,} images and fitting three controls")
    test_scans = held_out or dict.fromkeys(("data", "target", "groups"))
    found = audit_dataset(
        train.data,
        train.target,
        groups=train.groups,
        X_test=test_scans["data"],
        y_test=test_scans["target"],
        groups_test=test_scans["groups"],
        healthy=opt.resolve_healthy(healthy, sorted(set(train.target))),
        random_state=seed,
        n_jobs=-1,
    )
    where = f"{folder} and {test}" if test else folder
    data = f"{where}: {found.protocol.data}"
    found.protocol = replace(found.protocol, data=data)
    shell.show_report(shell.console(json_file), found, html_file, json_file)
    if found.images["failure"].notna().all():
        raise ValueError("No image can be read, so nothing was looked for.")
    if fail_on_leak:
        _fail_on_leak(found)


def _load(folder, test, subset, groups, root):
    """Return the training scans, and the test scans or None."""
    if test is None:
        scans = opt.load_scans(folder, subset, groups, root)
        return _split(scans) if subset == "all" else (scans, None)
    if subset == "all":
        raise typer.BadParameter(
            "all audits a folder with its own Testing; leave --test out, or choose "
            "train.",
            param_hint="--subset",
        )
    train = opt.load_scans(folder, subset, groups, root)
    held_out = opt.load_part(test, "test", groups)
    if groups is None:
        # Names of two tables need not mean the same patients.
        held_out.groups = None
    return train, held_out


def _split(scans):
    """Return the Training and the Testing part of scans; None if one is missing."""
    from sklearn.utils import Bunch

    parts = []
    for name in ("train", "test"):
        here = (scans.frame["split"] == name).to_numpy()
        if here.any():
            part = Bunch(data=scans.data[here], target=scans.target[here])
            part.groups = None if scans.groups is None else scans.groups[here]
            parts.append(part)
    return (*parts, None)[:2]


def _fail_on_leak(found):
    test = found.images[found.images["split"] == "test"]
    n_leaked = int(test["copy_in_training"].notna().sum())
    if n_leaked:
        images = shell.count(n_leaked, "test image has", "test images have")
        shell.note(f"{images} a copy in training: exit status 3")
        raise typer.Exit(LEAK_FOUND)
    n_unread = int(found.images["failure"].notna().sum())
    if n_unread:
        raise ValueError(
            f"{shell.count(n_unread, 'image')} cannot be read, so whether a test "
            "image has a copy in training is not known. Repair or remove what was "
            "named."
        )
