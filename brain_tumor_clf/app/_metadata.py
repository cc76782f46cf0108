"""What a model's file says about the model's performance, for the model card.

Metadata come from a file and may hold anything: what is not well formed counts as
absent.
"""

from numbers import Real
from typing import NamedTuple


class Reliability(NamedTuple):
    """How often predictions were right on images not used for training."""

    edges: list  # of k + 1 float: of the bins of probability, rising
    accuracy: list  # of k float: share of right predictions; None for an empty bin
    n: list  # of k int: number of predictions

    def at(self, probability):
        """Return accuracy and number of predictions in the bin, None if it is empty."""
        inside = [k for k in range(len(self.n)) if self.edges[k] <= probability]
        if not inside or probability > self.edges[-1]:
            return None
        k = inside[-1]
        return (self.accuracy[k], self.n[k]) if self.n[k] else None


def read_reliability(metadata):
    """Read the `Reliability` in a model's metadata, or None."""
    columns = _lists_of(metadata.get("reliability"), ("edges", "accuracy", "n"))
    if columns is None:
        return None
    edges, accuracy, n = columns
    well_formed = (
        len(edges) == len(accuracy) + 1 == len(n) + 1
        and all(map(_is_share, edges))
        and edges == sorted(edges)
        and all(map(_is_count, n))
        and all(_is_share(a) for a, k in zip(accuracy, n, strict=True) if k)
    )
    return Reliability(edges, accuracy, n) if well_formed else None


def read_confusion(metadata):
    """Read classes and counts (rows are the true classes) in the metadata, or None."""
    found = _lists_of(metadata.get("confusion_matrix"), ("classes", "counts"))
    if found is None:
        return None
    classes, counts = found
    well_formed = len(counts) == len(classes) and all(
        isinstance(row, list) and len(row) == len(classes) and all(map(_is_count, row))
        for row in counts
    )
    return ([str(name) for name in classes], counts) if well_formed else None


def read_risk_coverage(metadata):
    """Read coverage and selective risk, two lists, in the metadata, or None."""
    found = _lists_of(metadata.get("risk_coverage"), ("coverage", "risk"))
    if found is None or len(found[0]) != len(found[1]):
        return None
    return found if all(map(_is_share, [*found[0], *found[1]])) else None


def read_card(metadata):
    """Read the model card, Markdown, in the metadata, or None."""
    card = metadata.get("model_card")
    return card if isinstance(card, str) and card.strip() else None


def _lists_of(entry, names):
    """Return the lists of these names in a dict; None if one is missing or empty."""
    if not isinstance(entry, dict):
        return None
    found = [entry.get(name) for name in names]
    is_whole = all(isinstance(values, list) and values for values in found)
    return found if is_whole else None


def _is_share(value):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= value <= 1


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
