"""The part that early stopping watches: every class, whole groups."""

import numpy as np
import pytest

from brain_tumor_clf.classifiers._inputs import validation_split


def test_sorted_classes_are_all_on_both_sides():
    y = np.repeat([0, 1, 2, 3], 50)
    train, held_out = validation_split(y, 0.1, seed=0)
    assert len(held_out) == 20
    np.testing.assert_array_equal(np.bincount(y[held_out]), [5, 5, 5, 5])
    assert sorted([*train, *held_out]) == list(range(200))


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_whole_and_shares_hold(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, 120)
    groups = np.repeat(np.arange(120), sizes)
    y = np.repeat(rng.integers(0, 4, 120), sizes)
    train, held_out = validation_split(y, 0.2, groups=groups, seed=seed)
    assert not set(groups[train]) & set(groups[held_out])
    assert sorted([*train, *held_out]) == list(range(len(y)))
    shares = np.bincount(y[held_out], minlength=4) / np.bincount(y)
    np.testing.assert_allclose(shares, 0.2, atol=0.12)


def test_a_seed_repeats_and_another_differs():
    y = np.repeat([0, 1], 50)
    first, again, other = (validation_split(y, 0.2, seed=s)[1] for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_class_with_one_image_is_an_error():
    with pytest.raises(ValueError, match="smallest class has 1"):
        validation_split(np.array([0, 0, 0, 1]), 0.25, seed=0)


def test_a_class_in_one_group_stays_in_training():
    y = np.array([0] * 6 + [1] * 6)
    groups = np.array([0] * 6 + [1, 1, 2, 2, 3, 3])
    train, held_out = validation_split(y, 0.3, groups=groups, seed=0)
    assert set(y[train]) == {0, 1}
    assert len(held_out) == 2


def test_classes_smaller_than_the_number_of_folds():
    y = np.repeat([0, 1, 2, 3], 3)
    groups = np.array([0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7])
    train, held_out = validation_split(y, 0.1, groups=groups, seed=0)
    assert set(y[train]) == {0, 1, 2, 3}
    assert not set(groups[train]) & set(groups[held_out])


def test_no_possible_split_is_an_error():
    with pytest.raises(ValueError, match="some class lies in a single group"):
        validation_split(np.array([0, 0, 1, 1]), 0.5, groups=[0, 0, 1, 1], seed=0)
