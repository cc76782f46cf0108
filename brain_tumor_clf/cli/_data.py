"""From the folders and names of the command line to labelled scans."""

import typer


def load_scans(folder, subset=None, groups=None):
    """Load a folder of scans, as `load_mri_folder`, and say on stderr what it is.

    Raises
    ------
    BadParameter
        If the folder holds Training and Testing and no subset was chosen.
    """
    from brain_tumor_clf.cli._console import note
    from brain_tumor_clf.datasets import load_mri_folder
    from brain_tumor_clf.datasets._folder import has_subsets

    if subset is None and has_subsets(folder):
        raise typer.BadParameter(
            f"{folder} holds Training and Testing: choose train, test or all.",
            param_hint="--subset",
        )
    subset = None if subset is None else str(subset)
    scans = load_mri_folder(folder, subset=subset, groups=groups)
    scans.place = f"{folder}, subset {subset}" if subset else str(folder)
    note(scans.DESCR)
    return scans


def load_training_scans(folder):
    """Load a folder of scans, or the Training part of a folder that has one."""
    from brain_tumor_clf.datasets._folder import has_subsets

    return load_scans(folder, "train" if has_subsets(folder) else None)


def describe_data(scans):
    """Which images, in words, as a report says it."""
    counts = (f"{(scans.target == name).sum():,} {name}" for name in scans.target_names)
    return f"{len(scans.data):,} images of {scans.place}: {', '.join(counts)}"


def resolve_healthy(name, classes):
    """The class without a tumor, or None for a name that stands for no class.

    Parameters
    ----------
    name : str
        Value of ``--healthy``.
    classes : sequence of str
        Classes of the scans, and of the model if there is one.

    Returns
    -------
    str or None

    Raises
    ------
    BadParameter
        If there is no such class; the message names the nearest.
    """
    from brain_tumor_clf._validation import nearest_name

    if name in classes:
        return name
    if name.lower() == "none":
        return None
    near = nearest_name(name, classes)
    hint = f" Did you mean {near!r}?" if near else ""
    raise typer.BadParameter(
        f"there is no class {name!r} but {', '.join(sorted(classes))}.{hint} Name the "
        "class without a tumor, or none.",
        param_hint="--healthy",
    )
