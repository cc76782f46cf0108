"""The results as a file."""

from brain_tumor_clf import _answers


def to_csv(model, results):
    """The results as ``predict --csv`` writes them, with the state of each.

    Parameters
    ----------
    model : ServedModel
    results : list of Result

    Returns
    -------
    str
    """
    rows = [
        {
            "path": _as_text_cell(result.name),
            "label": result.label,
            "probability": result.shown_answer and result.shown_answer.probability,
            "probabilities": result.shown_answer and result.shown_answer.probabilities,
            "error": result.error,
            "state": result.state,
        }
        for result in results
    ]
    return _answers.to_csv(model.labels, model.model_id, rows)


def _as_text_cell(name):
    """A file's name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
