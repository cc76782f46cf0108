"""predict_files: one answer per image file."""

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import check_count, check_image_collection
from brain_tumor_clf.exceptions import ImageReadError
from brain_tumor_clf.preprocessing import source_name
from brain_tumor_clf.selective._metadata import as_selective
from brain_tumor_clf.selective._readers import look_at

CLASSIFIED = "classified"
UNCERTAIN = "uncertain"
NONE_OF_THESE = "none of these"
UNFAMILIAR = "unfamiliar scan"
NOT_A_SCAN = "not a scan"
UNREADABLE = "unreadable"
STATES = (CLASSIFIED, UNCERTAIN, NONE_OF_THESE, UNFAMILIAR, NOT_A_SCAN, UNREADABLE)
_BLANK = "the image is blank: it shows a single gray value"


def predict_files(
    model, files, *, guard=True, threshold="auto", chunk_size=256, progress=None
):
    """Classify image files and report on every one of them.

    Files are processed in chunks, so that memory stays constant. A file that cannot be
    read is a row of its own and affects no other.

    Parameters
    ----------
    model : fitted classifier
        A `SelectiveClassifier`, or any classifier of files, which then has no guard
        and no threshold.
    files : sequence of n files
        Paths, or files as bytes; any other image that the classifier takes works too.
    guard : bool, default=True
        Whether to apply the model's guard and novelty detector, where it has them. A
        blank image is uncertain with or without them.
    threshold : float, "auto" or None, default="auto"
        Abstention threshold from 0 to 1. "auto" is the model's own, if any; None never
        abstains.
    chunk_size : int, default=256
        Number of files that are processed at a time.
    progress : callable, default=None
        Called with the number of files after each chunk.

    Returns
    -------
    pandas.DataFrame of n rows
        In the order of `files`, with these columns:

        - ``file``: the path, or ``"X[3]"`` for an entry without one;
        - ``state``: "classified"; "uncertain", if the abstention threshold is not
          reached; "none of these", if the model's reject class is the most probable;
          "unfamiliar scan", if the novelty detector finds it unlike the scans of
          training; "not a scan", if the guard refuses it; or "unreadable";
        - ``label``: the class; None unless the state is "classified";
        - ``probability``: that of the most probable class; NaN if the model was not
          asked, has no ``predict_proba``, or gave a value that is not finite;
        - ``p_<class>``: the probability of each class, in the order of
          ``model.classes_``;
        - ``reason``: why there is no class; None if there is one.

    Raises
    ------
    ValueError
        If `threshold` or `chunk_size` is out of range, or there is a threshold but the
        model gives no probabilities.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri
    >>> from brain_tumor_clf import make_mri_pipeline
    >>> from brain_tumor_clf.selective import predict_files
    >>> X, y = make_brain_mri(24, 48, random_state=0, return_X_y=True)
    >>> cnn = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> pipe = make_mri_pipeline(cnn, image_size=24).fit(X, y)
    >>> file = io.BytesIO()
    >>> Image.fromarray(X[0]).save(file, format="PNG")
    >>> answers = predict_files(pipe, [file.getvalue(), "missing.png"])
    >>> answers["state"].tolist()
    ['classified', 'unreadable']
    """
    check_is_fitted(model)
    model = as_selective(model)
    threshold = _check_threshold(model, threshold)
    check_count("chunk_size", chunk_size)
    guards = _guards(model) if guard else []
    sources = check_image_collection(files) if len(files) else files
    rows = []
    for start in range(0, len(sources), chunk_size):
        chunk = sources[start : start + chunk_size]
        names = [source_name(source, start + i) for i, source in enumerate(chunk)]
        rows += _predict_chunk(model, guards, threshold, names, chunk)
        if progress is not None:
            progress(len(chunk))
    by_class = _probability_columns(model)
    columns = ["file", "state", "label", "probability", *by_class, "reason"]
    answers = pd.DataFrame(rows, columns=columns, dtype=object)
    return answers.astype(dict.fromkeys(["probability", *by_class], np.float64))


def answers_to_csv(answers, model_id):
    """Write answers as the CSV table of ``brain-tumor-clf predict --csv``.

    Parameters
    ----------
    answers : pandas.DataFrame
        From :func:`predict_files`.
    model_id : str or None
        Identifier of the model.

    Returns
    -------
    str
        Columns ``path``, ``label``, ``probability``, ``p_<class>``, ``error``,
        ``model_id`` and ``state``. What is missing stays empty.
    """
    table = answers.rename(columns={"file": "path"}).drop(columns=["state", "reason"])
    unreadable = answers["state"] == UNREADABLE
    table["error"] = answers["reason"].where(unreadable)
    table["model_id"] = model_id
    table["state"] = answers["state"]
    return table.to_csv(index=False, lineterminator="\n")


def _check_threshold(model, threshold):
    if isinstance(threshold, str) and threshold == "auto":
        threshold = model.threshold_
    if threshold is None:
        return None
    is_number = isinstance(threshold, Real) and not isinstance(threshold, bool)
    if not is_number or not 0 <= threshold <= 1:
        raise ValueError(
            f"threshold must be 'auto', None or from 0 to 1, got {threshold!r}."
        )
    if not hasattr(model, "predict_proba"):
        raise ValueError(
            "The model gives no probabilities (predict_proba), which a threshold needs."
        )
    return float(threshold)


def _probability_columns(model):
    return [f"p_{label}" for label in model.classes_.tolist()]


def _guards(model):
    """Return the detectors of a model, each with the state and reason of its finds."""
    guards = [
        (model.guard_, NOT_A_SCAN, "does not look like a brain scan"),
        (model.familiarity_, UNFAMILIAR, "is unlike the scans that the model learned"),
    ]
    return [each for each in guards if each[0] is not None]


def _predict_chunk(model, guards, threshold, names, sources):
    """One row (a dict) per file."""
    rows = [{"file": name, "label": None, "reason": None} for name in names]
    failures, blank = look_at(model, sources)
    for i, reason in failures.items():
        rows[i].update(state=UNREADABLE, reason=reason)
    for i in blank:
        rows[i].update(state=UNCERTAIN, reason=_BLANK)
    positions = np.delete(np.arange(len(sources)), [*failures, *blank])
    for guard, state, reason in guards:
        positions, verdicts = _call(guard.predict, sources, positions, rows)
        outside = np.asarray(verdicts) == -1
        for i in positions[outside]:
            rows[i].update(state=state, reason=reason)
        positions = positions[~outside]
    has_probabilities = hasattr(model, "predict_proba")
    function = model.predict_with_rejection if has_probabilities else model.predict
    positions, results = _call(function, sources, positions, rows)
    for i, result in zip(positions, np.asarray(results).tolist(), strict=True):
        if has_probabilities:
            rows[i].update(_answer(model, result, threshold))
        else:
            rows[i].update(state=CLASSIFIED, label=result)
    return rows


def _call(function, sources, positions, rows):
    """Call a function on the files that can be read; return positions and results.

    The rows of the others say why they cannot.
    """
    while len(positions):
        try:
            return positions, function(sources[positions])
        except ImageReadError as error:
            for k, failure in error.failures.items():
                rows[positions[k]].update(state=UNREADABLE, reason=failure.reason)
            positions = np.delete(positions, list(error.failures))
    return positions, []


def _answer(model, probabilities, threshold):
    """State, label, probabilities and reason of one image."""
    *probabilities, rejected = probabilities
    if not np.isfinite(probabilities).all():
        return {"state": UNCERTAIN, "reason": "the probabilities are not finite"}
    row = dict(zip(_probability_columns(model), probabilities, strict=True))
    best = int(np.argmax(probabilities))
    row["probability"] = highest = probabilities[best]
    if rejected > highest - rejected / len(probabilities):
        reason = f"most probable: {model.reject}, none of the classes ({rejected:.3f})"
        return {**row, "state": NONE_OF_THESE, "reason": reason}
    if threshold is not None and highest < threshold:
        reason = f"probability {highest:.3f} is below the threshold {threshold:.3f}"
        return {**row, "state": UNCERTAIN, "reason": reason}
    return {**row, "state": CLASSIFIED, "label": model.classes_.tolist()[best]}
