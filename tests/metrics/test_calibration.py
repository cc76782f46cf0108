"""Calibration against cases that can be worked out."""

import numpy as np
import pytest

from brain_tumor_clf.metrics import expected_calibration_error, reliability_curve

CLASSES = ["a", "b", "c"]


def test_sampled_from_its_own_probabilities_it_is_calibrated():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([1, 1, 1], 20_000)
    codes = (rng.random(20_000)[:, None] > proba.cumsum(axis=1)).sum(axis=1)
    y = np.array(CLASSES)[codes]
    assert expected_calibration_error(y, proba, classes=CLASSES) < 0.015
    sharper = proba**3 / (proba**3).sum(axis=1, keepdims=True)
    assert expected_calibration_error(y, sharper, classes=CLASSES) > 0.15


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_always_sure_and_half_right_is_off_by_half(strategy):
    proba = np.tile([1.0, 0.0, 0.0], (10, 1))
    y = ["a"] * 5 + ["b"] * 5
    error = expected_calibration_error(y, proba, classes=CLASSES, strategy=strategy)
    assert error == pytest.approx(0.5)


def test_every_image_is_in_one_bin():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([1, 1, 1], 500)
    y = rng.choice(CLASSES, 500)
    for strategy in ("uniform", "quantile"):
        curve = reliability_curve(y, proba, classes=CLASSES, strategy=strategy)
        assert curve["count"].sum() == 500
        assert curve["confidence"].is_monotonic_increasing
    assert curve["count"].max() - curve["count"].min() <= 2


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_bins": 0}, "n_bins"), ({"strategy": "quantiles"}, "Did you mean 'quantile'")],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        reliability_curve(["a"], [[1.0, 0, 0]], classes=CLASSES, **options)


def test_what_are_no_probabilities_is_refused():
    for proba in ([2.0, -1, 0], [np.nan, 0.5, 0.5]):
        with pytest.raises(ValueError, match=r"probabilities in \[0, 1\]"):
            reliability_curve(["a"], [proba], classes=CLASSES)


def test_rounding_of_probabilities_is_forgiven():
    curve = reliability_curve(["a"], [[1 + 1e-7, -1e-7, 0]], classes=CLASSES)
    assert curve["confidence"].tolist() == [1]
