"""compare: the same folds, honest differences."""

import json

import matplotlib as mpl
import numpy as np
import pytest
from scipy import stats
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

from brain_tumor_clf import SimpleCNNClassifier, compare, make_brain_mri
from brain_tumor_clf.reports._compare import corrected_t_test


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 3)
    y = np.repeat(np.tile(["glioma", "meningioma", "notumor", "pituitary"], 10), 3)
    X = rng.normal(size=(120, 4)) + 1.2 * (np.unique(y) == y[:, None])
    return X, y, groups


ESTIMATORS = {
    "logistic": LogisticRegression(),
    "forest": RandomForestClassifier(10),
    "chance": DummyClassifier(strategy="uniform"),
}


def test_folds_are_the_same_and_groups_whole(data):
    X, y, groups = data
    result = compare(ESTIMATORS, X, y, groups=groups, cv=4, seeds=(0, 1))
    assert len(result.folds) == 3 * 4 * 2
    sizes = result.folds.pivot(
        index=["seed", "fold"], columns="estimator", values="n_test"
    )
    assert (sizes.nunique(axis=1) == 1).all()
    table = result.to_frame()
    assert list(table.index) == list(ESTIMATORS)
    assert table.loc["logistic", "mean"] > table.loc["chance", "mean"] + 0.2
    assert table.loc["chance", "p_value"] < 0.05
    assert table.loc["chance", "high"] < 0
    assert np.isnan(table.loc["logistic", "difference"])
    assert (table["seed_std"] > 0).any()


def test_scores_are_those_of_scikit_learn(data):
    X, y, groups = data
    cv = LeaveOneGroupOut()
    sources = groups % 3
    result = compare({"a": LogisticRegression()}, X, y, groups=sources, cv=cv)
    expected = cross_val_score(
        LogisticRegression(), X, y, groups=sources, cv=cv, scoring="balanced_accuracy"
    )
    np.testing.assert_allclose(result.folds["score"], expected)


def test_a_seed_repeats_and_seeds_differ(data):
    X, y, _ = data
    forest = {"forest": RandomForestClassifier(5)}
    first, again = (compare(forest, X, y, cv=3, seeds=[7]).folds for _ in range(2))
    np.testing.assert_array_equal(first["score"], again["score"])
    other = compare(forest, X, y, cv=3, seeds=[8]).folds
    assert not np.array_equal(first["score"], other["score"])


def test_the_corrected_test_is_wider_than_the_plain_one():
    difference = np.array([0.02, 0.05, 0.01, 0.04, 0.03])
    plain = stats.ttest_1samp(difference, 0)
    uncorrected = corrected_t_test(difference, 0.0)
    assert uncorrected["p_value"] == pytest.approx(plain.pvalue)
    assert uncorrected["low"] == pytest.approx(plain.confidence_interval().low)
    corrected = corrected_t_test(difference, 0.25)
    # The variance is that of the plain test times (1/5 + 1/4) / (1/5).
    width = uncorrected["high"] - uncorrected["low"]
    assert corrected["high"] - corrected["low"] == pytest.approx(1.5 * width)
    assert corrected["p_value"] > uncorrected["p_value"]


def test_equal_scores_have_no_difference(data):
    X, y, _ = data
    same = {"a": LogisticRegression(), "b": LogisticRegression()}
    table = compare(same, X, y, cv=3).to_frame()
    assert table.loc["b", ["difference", "low", "high", "p_value"]].tolist() == [
        0, 0, 0, 1,
    ]  # fmt: skip


def test_early_stopping_is_told_the_groups():
    scans = make_brain_mri(n_samples=64, image_size=(16, 16), random_state=0)
    clf = SimpleCNNClassifier(
        filters=(4,), dense_units=4, epochs=1, early_stopping=True
    )
    # A GroupsIgnoredWarning would be an error here.
    result = compare(
        {"cnn": clf}, scans.data, scans.target, groups=scans.groups, cv=2, n_jobs=1
    )
    assert result.folds["score"].between(0, 1).all()


def test_every_format(data):
    X, y, groups = data
    mpl.use("Agg")
    result = compare(ESTIMATORS, X, y, groups=groups, cv=3)
    loaded = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert len(loaded["folds"]) == 9
    text = result.to_markdown()
    assert "| logistic |" in text
    assert "Research only" in text
    ax = result.plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == list(ESTIMATORS)
    mpl.pyplot.close("all")


@pytest.mark.parametrize(
    ("estimators", "options", "message"),
    [
        ({}, {}, "at least one estimator"),
        ([LogisticRegression()], {}, "dict"),
        (ESTIMATORS, {"seeds": ()}, "at least one seed"),
        (ESTIMATORS, {"cv": 50}, "50 folds need as many groups, got 40"),
    ],
)
def test_bad_input(data, estimators, options, message):
    X, y, groups = data
    with pytest.raises(ValueError, match=message):
        compare(estimators, X, y, groups=groups, **options)
