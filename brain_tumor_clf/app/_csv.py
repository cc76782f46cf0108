"""The results as a file."""

import csv
import io


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
    head = ["path", "label", "probability", *(f"p_{name}" for name in model.labels)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*head, "error", "model_id", "state"])
    for result in results:
        answer = result.shown_answer
        values = [None] * (1 + len(model.labels))
        if answer is not None:
            values = [answer.probability, *answer.probabilities.values()]
        writer.writerow(
            [_as_text_cell(result.name), result.label, *values, result.error,
             model.model_id, result.state]
        )  # fmt: skip
    return buffer.getvalue()


def _as_text_cell(name):
    """A file's name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
