"""Intervals around rates and scores."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.stats import norm
from sklearn.utils import check_random_state


def wilson_interval(n_hits, n, *, confidence=0.95):
    """Wilson's score interval of a rate [1]_.

    It takes the images for independent; where patients have several, it is too
    narrow, and `bootstrap_interval` over patients is the one to report.

    Parameters
    ----------
    n_hits : int
        Number of images that count.
    n : int
        Number of images.
    confidence : float, default=0.95
        Nominal coverage, in (0, 1).

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
    _check_confidence(confidence)
    if not 0 <= n_hits <= n:
        raise ValueError(f"n_hits must be from 0 to n={n}, got {n_hits}.")
    if n == 0:
        return 0.0, 1.0
    z = norm.ppf(0.5 + confidence / 2)
    rate = n_hits / n
    center = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    # Rounding must not leave a bound beyond the rate itself.
    return float(max(min(center - half, rate), 0)), float(
        min(max(center + half, rate), 1)
    )


def bootstrap_interval(
    statistic, n, *, groups=None, n_resamples=1000, confidence=0.95, random_state=0
):
    """Percentile interval of a statistic over images drawn again by group [1]_.

    Parameters
    ----------
    statistic : callable
        Takes positions, an int array, and returns a float or an array of them; NaN
        where those images do not define it.
    n : int
        Number of images.
    groups : array-like of shape (n,), default=None
        Whole groups (patients, sets of copies) are drawn; single images without it.
    n_resamples : int, default=1000
        Number of draws.
    confidence : float, default=0.95
        Nominal coverage, in (0, 1).
    random_state : int, RandomState or None, default=0
        Seed of the draws.

    Returns
    -------
    low, high : float, or ndarray of the statistic's shape
        NaN where no draw defines the statistic.

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
    """
    _check_confidence(confidence)
    if not isinstance(n_resamples, Integral) or n_resamples < 1:
        raise ValueError(f"n_resamples must be at least 1, got {n_resamples!r}.")
    members = _group_members(n, groups)
    rng = check_random_state(random_state)
    values = []
    for _ in range(n_resamples):
        drawn = rng.randint(len(members), size=len(members))
        values.append(statistic(np.concatenate([members[i] for i in drawn])))
    tail = 50 * (1 - confidence)
    with warnings.catch_warnings():
        # That no draw defines a statistic is told by its NaN.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        low, high = np.nanpercentile(
            np.asarray(values, dtype=float), [tail, 100 - tail], axis=0
        )
    return (float(low), float(high)) if np.ndim(low) == 0 else (low, high)


def _group_members(n, groups):
    """Positions of the images of each group."""
    if groups is None:
        return list(np.arange(n)[:, None])
    groups = np.asarray(groups)
    if groups.shape != (n,):
        raise ValueError(f"groups must have shape ({n},), got {groups.shape}.")
    _, codes = np.unique(groups, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _check_confidence(confidence):
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence!r}.")
