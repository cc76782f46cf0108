"""Intervals: coverage by simulation, published values, whole groups."""

import numpy as np
import pytest

from brain_tumor_clf.metrics import bootstrap_interval, wilson_interval


def test_wilson_against_published_values():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)


def test_wilson_holds_the_rate_and_knows_nothing_of_nothing():
    assert wilson_interval(0, 0) == (0, 1)
    for n in (1, 7, 1000):
        for hits in (0, n // 2, n):
            low, high = wilson_interval(hits, n)
            assert 0 <= low <= hits / n <= high <= 1
    with pytest.raises(ValueError, match="n_hits"):
        wilson_interval(3, 2)
    with pytest.raises(ValueError, match="confidence"):
        wilson_interval(1, 2, confidence=95)


def test_bootstrap_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        hits = rng.random(100) < 0.7
        low, high = bootstrap_interval(
            lambda at, hits=hits: hits[at].mean(), 100, n_resamples=200
        )
        covered += low <= 0.7 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_groups_that_agree_within_widen_the_interval():
    right = np.repeat(np.random.default_rng(0).random(40) < 0.8, 10)

    def width(groups):
        low, high = bootstrap_interval(lambda at: right[at].mean(), 400, groups=groups)
        return high - low

    assert width(np.repeat(np.arange(40), 10)) > 2 * width(None)


def test_groups_are_drawn_whole():
    groups = np.array(["x", "y", "x", "z", "y", "x"])

    def check(at):
        counts = {g: np.bincount(at[groups[at] == g], minlength=6) for g in "xyz"}
        for g, count in counts.items():
            assert len(set(count[groups == g])) == 1
        return 0.0

    low, high = bootstrap_interval(check, 6, groups=groups, n_resamples=50)
    assert (low, high) == wilson_interval(0, 3)


def test_undefined_draws_are_left_out():
    values = np.array([1.0, 2.0, 3.0])

    def statistic(at):
        return values[at].mean() if 0 in at else np.nan

    low, high = bootstrap_interval(statistic, 3, n_resamples=200)
    assert 1 <= low <= high <= 3
    assert np.isnan(bootstrap_interval(lambda at: np.nan, 3, n_resamples=5)).all()


def test_a_rate_without_spread_has_an_interval_over_the_groups_of_its_images():
    groups = np.repeat(np.arange(40), 5)
    is_tumor, missed = groups >= 10, np.zeros(200, dtype=bool)

    def rates(at):
        tumors = is_tumor[at]
        return np.array(
            [missed[at][tumors].mean(), (~missed[at]).mean(), groups[at].mean()]
        )

    parts = [is_tumor, np.ones(200, dtype=bool), np.ones(200, dtype=bool)]
    low, high = bootstrap_interval(
        rates, 200, groups=groups, parts=parts, n_resamples=50
    )
    assert (low[0], high[0]) == wilson_interval(0, 30)
    assert (low[1], high[1]) == wilson_interval(40, 40)
    assert low[2] < groups.mean() < high[2]
    single = bootstrap_interval(lambda at: 1.0, 50, n_resamples=5)
    assert single == wilson_interval(50, 50)
    # Without spread, but no rate of 0 or 1.
    assert bootstrap_interval(lambda at: 0.5, 50, n_resamples=5) == (0.5, 0.5)


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"inconsistent.*\[3, 2\]"):
        bootstrap_interval(lambda at: 0, 3, groups=[1, 2])


def test_several_statistics_at_once():
    values = np.arange(50.0)

    def statistics(at):
        return np.array([values[at].mean(), values[at].max(), np.nan])

    low, high = bootstrap_interval(statistics, 50, n_resamples=100)
    single = bootstrap_interval(lambda at: values[at].mean(), 50, n_resamples=100)
    assert (low[0], high[0]) == single
    assert 40 < low[1] <= high[1] == 49
    assert np.isnan([low[2], high[2]]).all()
