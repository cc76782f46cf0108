"""``adapt``: correct a saved model by labeled scans of another source."""

from pathlib import Path

import typer

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt
from brain_tumor_clf.cli._cross_validation import choose_folds
from brain_tumor_clf.cli._model import open_model, split_model


def adapt(
    paths: opt.argument(
        list[Path],
        metavar="[MODEL] DIR|CSV",
        exists=True,
        help="A model file, or none for the packaged model; then labeled scans: a "
        "folder with one sub-folder per class, or a table with the columns path, label "
        "and group.",
    ),
    output: opt.ModelOutput,
    root: opt.RootOption = None,
    subset: opt.SubsetOption = None,
    groups: opt.GroupsOption = None,
    names: opt.MapOption = None,
    trust_pickle: opt.TrustPickleOption = False,
    seed: opt.SeedOption = 0,
    json_file: opt.JsonOption = None,
):
    """Adapt a saved model to scans of another source.

    From 5 labeled cases (patients) of each class on; classes without scans are
    predicted as before. Where cross-validation finds no gain, the file written holds
    the model as it is. Groups are those of --groups, groups.csv or the table, otherwise
    near duplicates.
    """
    file, (folder, *others) = split_model(paths)
    if others:
        raise typer.BadParameter("name one folder or table.", param_hint="DIR|CSV")
    scans = opt.load_scans(folder, subset, groups, root)
    opt.rename_classes(scans, names)
    shell.start_backend()
    from brain_tumor_clf import adapt, save

    model = open_model(file, trust_pickle)
    known = choose_folds(scans, 5, seed).groups
    adapted = adapt(model, scans.data, scans.target, known, random_state=seed)
    manifest = save(adapted, output, metadata=adapted.metadata_)
    record = None if adapted is model else adapted.metadata_["adaptation"]
    out = shell.console(json_file)
    shell.say(_describe(record), out)
    shell.say(f"Saved {output}, model {manifest.model_id}", out)
    if json_file is not None:
        document = {"model_id": manifest.model_id, "adaptation": record}
        shell.write_json(document, json_file, out)


def _describe(record):
    if record is None:
        return "Not adapted: there was no gain. The model is as it was."
    cases = ", ".join(f"{n} {label}" for label, n in record["cases"].items())
    before, after = record["balanced_accuracy"]
    return (
        f"Adapted to {record['images']:,} scans; cases: {cases}. Balanced accuracy of "
        f"these classes, cross-validated by case: {before:.3f} before, {after:.3f} "
        "after. Scans of other sources may be classified worse than before."
    )
