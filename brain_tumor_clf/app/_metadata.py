"""What a model file says about itself, taken only where it is well formed.

Metadata are a stranger's JSON: whatever is not as expected counts as absent.
"""

from numbers import Real
from typing import NamedTuple


class Abstention(NamedTuple):
    """Below which probability the model does not answer, and what for.

    Attributes
    ----------
    threshold : float
        Least probability of an answer.
    error_rate : float or None
        Share of wrong answers that was allowed when the threshold was chosen.
    coverage : float or None
        Share of the images that were answered then.
    """

    threshold: float
    error_rate: float | None
    coverage: float | None


class Reliability(NamedTuple):
    """How often predictions of images never seen were right, by their probability.

    Attributes
    ----------
    edges : list of k + 1 float
        Edges of the bins of probability, rising.
    accuracy : list of k float or None
        Share of right predictions; None for an empty bin.
    n : list of k int
        Number of predictions.
    """

    edges: list
    accuracy: list
    n: list

    def at(self, probability):
        """Share of right predictions and their number in the bin of a probability.

        Returns
        -------
        (float, int) or None
            None if no prediction was that sure.

        Examples
        --------
        >>> from brain_tumor_clf.app._metadata import Reliability
        >>> reliability = Reliability([0, 0.5, 1], [None, 0.9], [0, 40])
        >>> reliability.at(0.8), reliability.at(0.3)
        ((0.9, 40), None)
        """
        n_bins = len(self.n)
        inside = [k for k in range(n_bins) if self.edges[k] <= probability]
        if not inside or probability > self.edges[-1]:
            return None
        k = inside[-1]
        return (self.accuracy[k], self.n[k]) if self.n[k] else None


def read_abstention(metadata):
    """The `Abstention` of a model's metadata, or None."""
    found = metadata.get("abstention")
    if not isinstance(found, dict) or not _is_share(found.get("threshold")):
        return None
    rates = [found.get(name) for name in ("error_rate", "coverage")]
    return Abstention(
        float(found["threshold"]), *(r if _is_share(r) else None for r in rates)
    )


def read_reliability(metadata):
    """The `Reliability` of a model's metadata, or None."""
    columns = _lists_of(metadata.get("reliability"), ("edges", "accuracy", "n"))
    if columns is None:
        return None
    edges, accuracy, n = columns
    well_formed = (
        len(edges) == len(accuracy) + 1 == len(n) + 1
        and all(map(_is_share, edges))
        and edges == sorted(edges)
        and all(map(_is_count, n))
        and all(_is_share(a) or not m for a, m in zip(accuracy, n, strict=True))
    )
    return Reliability(edges, accuracy, n) if well_formed else None


def read_confusion(metadata):
    """Classes and counts (rows are the true classes) of a model's metadata, or None."""
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
    """Coverage and risk, two lists of shares, of a model's metadata, or None."""
    found = _lists_of(metadata.get("risk_coverage"), ("coverage", "risk"))
    if found is None or len(found[0]) != len(found[1]):
        return None
    return found if all(map(_is_share, [*found[0], *found[1]])) else None


def read_card(metadata):
    """The model card, Markdown, or None."""
    card = metadata.get("model_card")
    return card if isinstance(card, str) and card.strip() else None


def _lists_of(entry, names):
    """The lists of these names in a dict, or None if any is none or empty."""
    if not isinstance(entry, dict):
        return None
    found = [entry.get(name) for name in names]
    is_whole = all(isinstance(values, list) and values for values in found)
    return found if is_whole else None


def _is_share(value):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= value <= 1


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
