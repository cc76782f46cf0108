"""What came of an image that was to be classified: in words, and as a CSV table.

The command line and the web app say and write the same. Standard library alone, so that
``--help`` answers at once.
"""

import csv
import io

CLASSIFIED = "classified"
NOT_SURE = "not sure: ask a radiologist"
NOT_A_SCAN = "not a brain scan"
UNREADABLE = "could not be read"


def state_of(probability, is_scan, threshold):
    """The state of an image that was read.

    Parameters
    ----------
    probability : float or None
        Of the predicted class; None if the model gives none.
    is_scan : bool
        What the guard says.
    threshold : float or None
        Least probability that gets a class.

    Returns
    -------
    str

    Examples
    --------
    >>> from brain_tumor_clf._answers import state_of
    >>> state_of(0.6, True, 0.7)
    'not sure: ask a radiologist'
    """
    if not is_scan:
        return NOT_A_SCAN
    if threshold is not None and probability is not None and probability < threshold:
        return NOT_SURE
    return CLASSIFIED


def to_csv(class_names, model_id, rows):
    """A table of answers, one line an image.

    Parameters
    ----------
    class_names : list of str
        In the order of the probabilities.
    model_id : str
    rows : iterable of dict
        With "path", "label", "probability", "probabilities" (dict by class, or None),
        "error" and "state"; what is None stays empty.

    Returns
    -------
    str
    """
    by_class = [f"p_{name}" for name in class_names]
    head = ["path", "label", "probability", *by_class, "error", "model_id", "state"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        of_class = row["probabilities"] or {}
        values = [row["probability"], *(of_class.get(name) for name in class_names)]
        end = [row["error"], model_id, row["state"]]
        writer.writerow([row["path"], row["label"], *values, *end])
    return buffer.getvalue()
