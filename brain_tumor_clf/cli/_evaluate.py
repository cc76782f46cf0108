"""``evaluate``: score a saved model on a folder of labelled scans."""

from brain_tumor_clf.cli._backend import start_backend
from brain_tumor_clf.cli._console import (
    check_writable,
    console,
    error_console,
    progress,
    write_json,
)
from brain_tumor_clf.cli._options import DataFolder, JsonOption, ModelFile, SubsetOption


def evaluate(
    model: ModelFile,
    folder: DataFolder,
    subset: SubsetOption = None,
    json_file: JsonOption = None,
):
    """Score a saved model on scans that it has not seen.

    The scores hold for new patients only if no patient and no copy of an image was
    in training.
    """
    check_writable(json_file, "--json")
    import numpy as np

    from brain_tumor_clf.cli._prediction import load_classifier, predict_in_chunks
    from brain_tumor_clf.cli._scores import print_scores, score
    from brain_tumor_clf.datasets import load_mri_folder
    from brain_tumor_clf.persistence import installed_versions

    start_backend()
    scans = load_mri_folder(folder, subset=subset)
    pipeline = load_classifier(model)
    _check_classes(pipeline, scans)
    with progress("Predicting", len(scans.data)) as advance:
        predictions = predict_in_chunks(pipeline, list(scans.data), advance)
    predictions.raise_failures()
    scores = score(scans.target, np.asarray(predictions.labels))
    out = error_console() if str(json_file) == "-" else console()
    print_scores(out, scores, f"Model {pipeline.model_id_} on {folder}")
    if json_file is not None:
        document = {
            "model_id": pipeline.model_id_,
            "data": str(folder),
            "protocol": "one evaluation; whether training saw these patients or copies "
            "of these images is not known",
            "n_groups": None if scans.groups is None else len(set(scans.groups)),
            **scores,
            "versions": installed_versions(),
        }
        write_json(document, json_file)


def _check_classes(pipeline, scans):
    known = [str(label) for label in pipeline.classes_]
    unknown = sorted(set(scans.target_names) - set(known))
    if unknown:
        from brain_tumor_clf.exceptions import DatasetError

        raise DatasetError(
            f"The folder has the classes {', '.join(unknown)}, which the model does "
            f"not know; it tells {', '.join(known)} apart. Rename or leave out folders."
        )
