"""Weights of images by class within source."""

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_consistent_length, column_or_1d


@validate_params(
    {
        "y": ["array-like"],
        "sources": ["array-like"],
        "home": [str, Real, None],
        "home_share": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def source_balanced_weight(y, sources, *, home=None, home_share=0.5):
    """Weigh images so that where an image is from tells little of its class.

    A class that is frequent in one hospital only is otherwise learned by what its
    scans have in common besides the disease. All classes weigh alike, and within a
    class a source weighs by the square root of its number of images, so that a small
    one counts and no single image counts too much.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    sources : array-like of shape (n,)
        Source of each image: hospital, data set or scanner.
    home : str, int or None, default=None
        A source with images of (almost) all classes. Classes then weigh alike within
        it, and within all others together.
    home_share : float, default=0.5
        Share of the whole weight that `home` has.

    Returns
    -------
    ndarray of shape (n,), float64
        Weights with a mean of 1, for ``fit(sample_weight=...)`` of a classifier or
        ``fit(classifier__sample_weight=...)`` of a pipeline.

    Raises
    ------
    ValueError
        If lengths differ, a source is missing, or `home` is none of the sources.

    See Also
    --------
    sklearn.utils.class_weight.compute_sample_weight : Weights by class alone.

    Examples
    --------
    >>> from brain_tumor_clf import source_balanced_weight
    >>> y = ["glioma"] * 5 + ["notumor"] * 5
    >>> sources = ["a"] * 4 + ["b"] * 6
    >>> source_balanced_weight(y, sources).round(2).tolist()
    [0.83, 0.83, 0.83, 0.83, 1.67, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    check_consistent_length(y, sources)
    table = pd.DataFrame({"label": column_or_1d(y), "source": column_or_1d(sources)})
    if n_missing := table.source.isna().sum():
        raise ValueError(f"sources has {n_missing} missing values; name each.")
    if home is not None and home not in set(table.source):
        known = ", ".join(map(str, sorted(set(table.source))))
        raise ValueError(f"home={home!r} is none of the sources: {known}.")
    is_home = (table.source == home).rename("home")
    sizes = table.groupby(["source", "label"]).label.transform("size")
    weight = 1 / np.sqrt(sizes)
    # Each step keeps the proportions within the parts that the one before made.
    weight /= weight.groupby([is_home, table.label]).transform("sum")
    weight /= weight.groupby(is_home).transform("sum")
    weight *= np.where(is_home, home_share, 1 - home_share)
    return (weight / weight.mean()).to_numpy()
