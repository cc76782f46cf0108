"""Errors among the surest predictions, counted by hand."""

import numpy as np
import pytest

from brain_tumor_clf.metrics import abstention_threshold, risk_coverage_curve

CLASSES = ["a", "b"]


def predictions(*pairs):
    """Labels and probabilities from (confidence in "a", whether it is right)."""
    y = ["a" if right else "b" for _, right in pairs]
    return y, [[sure, 1 - sure] for sure, _ in pairs]


@pytest.fixture
def mixed():
    pairs = [(0.99, True), (0.95, True), (0.9, False), (0.8, True), (0.6, False)]
    return predictions(*pairs)


def test_curve_by_hand(mixed):
    coverage, risk, thresholds = risk_coverage_curve(*mixed, classes=CLASSES)
    np.testing.assert_allclose(coverage, [0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(risk, [0, 0, 1 / 3, 1 / 4, 2 / 5])
    np.testing.assert_allclose(thresholds, [0.99, 0.95, 0.9, 0.8, 0.6])


def test_equal_confidences_are_kept_together():
    y, proba = predictions((0.9, True), (0.9, False), (0.7, True))
    coverage, risk, thresholds = risk_coverage_curve(y, proba, classes=CLASSES)
    np.testing.assert_allclose(coverage, [2 / 3, 1])
    np.testing.assert_allclose(risk, [1 / 2, 1 / 3])
    assert thresholds.tolist() == [0.9, 0.7]


def test_order_does_not_matter(mixed):
    y, proba = np.array(mixed[0]), np.array(mixed[1])
    expected = risk_coverage_curve(y, proba, classes=CLASSES)
    order = np.random.default_rng(0).permutation(len(y))
    found = risk_coverage_curve(y[order], proba[order], classes=CLASSES)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("rate", "threshold"), [(0, 0.95), (0.25, 0.8), (0.3, 0.8), (0.4, 0.0), (0.9, 0.0)]
)
def test_smallest_threshold_that_reaches_the_rate(rate, threshold, mixed):
    found = abstention_threshold(*mixed, error_rate=rate, classes=CLASSES)
    assert found == threshold


def test_what_is_kept_errs_no_more_than_stated():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 2000)
    y = np.where(rng.random(2000) < sure, "a", "b")
    proba = np.column_stack([sure, 1 - sure])
    found = abstention_threshold(y, proba, error_rate=0.1, classes=CLASSES)
    kept = sure >= found
    assert 0.05 < (y[kept] == "b").mean() <= 0.1
    one_more = sure >= sure[sure < found].max()
    assert (y[one_more] == "b").mean() > 0.1


def test_a_rate_out_of_reach_says_the_least_there_is():
    y, proba = predictions((0.9, False), (0.8, True), (0.7, True))
    with pytest.raises(ValueError, match=r"down to 0\.1.*at any threshold is 0\.333"):
        abstention_threshold(y, proba, error_rate=0.1, classes=CLASSES)


@pytest.mark.parametrize("rate", [-0.1, 1, float("nan"), "5 %", None])
def test_rates_out_of_range(rate, mixed):
    with pytest.raises(ValueError, match="error_rate"):
        abstention_threshold(*mixed, error_rate=rate, classes=CLASSES)


def test_no_probabilities():
    with pytest.raises(ValueError, match="probabilities"):
        risk_coverage_curve(["a"], [[2.0, -1.0]], classes=CLASSES)
    with pytest.raises(ValueError, match="one column"):
        risk_coverage_curve(["a"], [[1.0]], classes=CLASSES)
