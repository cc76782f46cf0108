"""The corrected test of paired differences."""

import numpy as np
from scipy.stats import t as student


def corrected_t_test(difference, test_share, confidence=0.95):
    """Nadeau and Bengio's corrected resampled t-test of paired differences.

    Parameters
    ----------
    difference : ndarray of shape (k,)
        Difference of the scores of each fit.
    test_share : float
        Images tested on by images trained on.
    confidence : float, default=0.95
        Nominal coverage of the interval.

    Returns
    -------
    dict of str to float
        "difference" (mean), "low", "high" and "p_value" (two-sided); the last three
        are NaN of fewer than two fits.
    """
    k = len(difference)
    mean = float(np.mean(difference))
    if k < 2:
        nan = float("nan")
        return {"difference": mean, "low": nan, "high": nan, "p_value": nan}
    error = np.sqrt((1 / k + test_share) * np.var(difference, ddof=1))
    reach = error * student.ppf(0.5 + confidence / 2, k - 1)
    if error == 0:
        p_value = 1.0 if mean == 0 else 0.0
    else:
        p_value = float(2 * student.sf(abs(mean) / error, k - 1))
    return {
        "difference": mean,
        "low": float(mean - reach),
        "high": float(mean + reach),
        "p_value": p_value,
    }
