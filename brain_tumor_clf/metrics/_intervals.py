"""Confidence intervals of rates and scores."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.stats import binomtest
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval, validate_params

_CONFIDENCE = {"confidence": [Interval(Real, 0, 1, closed="neither")]}
_BOOTSTRAP = _CONFIDENCE | {"n_resamples": [Interval(Integral, 1, None, closed="left")]}


@validate_params(_CONFIDENCE, prefer_skip_nested_validation=True)
def wilson_interval(n_hits, n, *, confidence=0.95):
    """Compute Wilson's score interval of a rate [1]_.

    The images are assumed to be independent. Where patients have several images, the
    interval is too narrow: use `bootstrap_interval` with patients as groups.

    Parameters
    ----------
    n_hits : int
        Number of images that count.
    n : int
        Number of images.
    confidence : float, default=0.95
        Confidence level, in (0, 1).

    Returns
    -------
    low, high : float
        In [0, 1]; ``(0, 1)`` if `n` is 0.

    References
    ----------
    .. [1] Wilson, "Probable inference, the law of succession, and statistical
       inference", J. Am. Stat. Assoc. 22, 1927.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import wilson_interval
    >>> low, high = wilson_interval(0, 20)
    >>> round(low, 3), round(high, 3)
    (0.0, 0.161)
    """
    if not 0 <= n_hits <= n:
        raise ValueError(f"n_hits must be from 0 to n={n}, got {n_hits}.")
    if n == 0:
        return 0.0, 1.0
    low, high = binomtest(n_hits, n).proportion_ci(confidence, method="wilson")
    return float(low), float(high)


@validate_params(_BOOTSTRAP, prefer_skip_nested_validation=True)
def bootstrap_interval(
    statistic,
    n,
    *,
    groups=None,
    parts=None,
    n_resamples=1000,
    confidence=0.95,
    random_state=0,
):
    """Compute a percentile bootstrap interval, resampling whole groups [1]_.

    A rate of 0 or 1 is the same in every resample, which says nothing of its
    uncertainty: Wilson's interval over the groups is returned then.

    Parameters
    ----------
    statistic : callable
        Takes an int array of positions and returns a float or an array of floats; NaN
        where the statistic is undefined.
    n : int
        Number of images.
    groups : array-like of shape (n,), default=None
        Groups that are resampled whole, such as patients; by default single images.
    parts : array-like of bool of shape (..., n), default=None
        The images that each statistic depends on, where it is not all of them: Wilson's
        interval counts their groups.
    n_resamples : int, default=1000
        Number of resamples.
    confidence : float, default=0.95
        Confidence level, in (0, 1).
    random_state : int, RandomState or None, default=0
        Seed of the resampling.

    Returns
    -------
    low, high : float, or ndarray of the statistic's shape
        NaN where the statistic is undefined in every resample.

    References
    ----------
    .. [1] Efron and Tibshirani, "An introduction to the bootstrap", 1993.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.metrics import bootstrap_interval
    >>> right = np.repeat([True, False], [90, 10])
    >>> low, high = bootstrap_interval(lambda at: right[at].mean(), 100)
    >>> bool(0.8 < low < 0.9 < high < 0.97)
    True
    >>> missed, patients = np.zeros(60, dtype=bool), np.arange(60) // 2
    >>> rate = lambda at: missed[at].mean()
    >>> low, high = bootstrap_interval(rate, 60, groups=patients)
    >>> low, round(high, 3)
    (0.0, 0.114)
    """
    members = _group_members(n, groups)
    rng = check_random_state(random_state)
    values = []
    for _ in range(n_resamples):
        drawn = rng.randint(len(members), size=len(members))
        values.append(statistic(np.concatenate([members[i] for i in drawn])))
    tail = 50 * (1 - confidence)
    with warnings.catch_warnings():
        # The result is NaN then, as documented.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        low, high = np.nanpercentile(
            np.asarray(values, dtype=float), [tail, 100 - tail], axis=0
        )
    low, high = np.array(low), np.array(high)
    parts = np.broadcast_to(True if parts is None else parts, (*low.shape, n))
    for at in np.argwhere((low == high) & np.isin(low, (0, 1))):
        n_groups = sum(parts[(*at, each)].any() for each in members)
        n_hits = int(low[*at]) * n_groups
        low[*at], high[*at] = wilson_interval(n_hits, n_groups, confidence=confidence)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def _group_members(n, groups):
    """Return the positions of the images of each group."""
    positions = np.arange(n)
    if groups is None:
        return list(positions[:, None])
    check_consistent_length(positions, groups)
    _, codes = np.unique(groups, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
