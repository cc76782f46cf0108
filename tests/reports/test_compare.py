"""compare: the same folds, honest differences."""

import json

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    LeaveOneGroupOut,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from brain_tumor_clf import (
    ImageReader,
    ImageResizer,
    SimpleCNNClassifier,
    compare,
    make_brain_mri,
)
from brain_tumor_clf.reports._comparison import corrected_t_test


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


def test_one_source_is_left_out_at_a_time_and_named(data):
    X, y, _ = data
    # One source has no healthy scans, another no pituitary tumors.
    lacking = {"figshare": "notumor", "SARTAJ": "pituitary"}
    rng = np.random.default_rng(0)
    sources = rng.choice(["Br35H", "SARTAJ", "figshare"], len(y))
    keep = np.array(
        [lacking.get(s) != label for s, label in zip(sources, y, strict=True)]
    )
    X, y, sources = X[keep], y[keep], sources[keep]
    result = compare(
        ESTIMATORS, X, y, groups=sources, cv=LeaveOneGroupOut(), seeds=(0, 1)
    )
    held_out = result.folds.pivot_table(
        index="held_out", columns="estimator", values="score"
    )
    assert held_out.index.tolist() == sorted(set(sources))
    at = sources == "figshare"
    clf = LogisticRegression().fit(X[~at], y[~at])
    recalls = [
        np.mean(clf.predict(X[at])[y[at] == name] == name) for name in np.unique(y[at])
    ]
    assert held_out.loc["figshare", "logistic"] == pytest.approx(np.mean(recalls))
    notes = result.protocol.notes
    assert any("in 4 of 6 splits no test image is of some class" in n for n in notes)
    assert "Score by the group held out" in result.to_markdown()


def test_a_class_of_one_source_is_never_learned(data):
    X, y, _ = data
    sources = np.where(np.arange(len(y)) % 2, "SARTAJ", "figshare")
    sources[y == "notumor"] = "Br35H"
    result = compare(
        {"a": LogisticRegression()}, X, y, groups=sources, cv=LeaveOneGroupOut()
    )
    assert result.folds.set_index("held_out").loc["Br35H", "score"] == 0
    notes = " ".join(result.protocol.notes)
    assert "in 1 of 3 splits training lacks a class of the test images" in notes


def test_sources_split_while_patients_stay_groups(data):
    X, y, patients = data
    sources = patients % 2
    result = compare(
        {"a": DummyClassifier()},
        X,
        y,
        groups=patients,
        cv=LeaveOneGroupOut().split(X, y, sources),
        seeds=(0, 1),
    )
    assert len(result.folds) == 4
    assert result.protocol.n_groups == 40
    assert "pairs of positions as given" in result.protocol.split
    assert not any("both sides" in note for note in result.protocol.notes)


def test_groups_that_a_split_tears_apart_are_said(data):
    X, y, groups = data
    cv = StratifiedKFold(3, shuffle=True, random_state=0).split(X, y)
    result = compare({"a": DummyClassifier()}, X, y, groups=groups, cv=cv)
    assert "in 3 of 3 splits a group lies on both sides" in " ".join(
        result.protocol.notes
    )


def test_the_spread_of_one_model_over_seeds(data):
    X, y, groups = data
    seeds = (0, 1, 2)
    forest = RandomForestClassifier(5)
    table = compare(
        {"forest": forest}, X, y, groups=groups, cv=3, seeds=seeds, scoring="accuracy"
    )
    means = [
        cross_val_score(
            RandomForestClassifier(5, random_state=seed),
            X,
            y,
            groups=groups,
            cv=StratifiedGroupKFold(3, shuffle=True, random_state=seed),
            scoring="accuracy",
        ).mean()
        for seed in seeds
    ]
    row = table.to_frame().loc["forest"]
    assert row["mean"] == pytest.approx(np.mean(means))
    assert row["seed_std"] == pytest.approx(np.std(means, ddof=1))
    assert row["seed_std"] > 0


def test_images_of_one_size_in_a_list():
    scans = make_brain_mri(n_samples=24, image_size=(16, 16), random_state=0)
    pipe = make_pipeline(ImageReader(), ImageResizer(8), FunctionTransformer(flatten))
    pipe.steps.append(("svm", LinearSVC()))  # without predict_proba
    result = compare({"a": pipe}, list(scans.data), list(scans.target), cv=2)
    assert result.folds["score"].between(0, 1).all()


def flatten(X):
    return np.reshape(X, (len(X), -1)) / 255


def test_members_of_a_vote_get_different_seeds(data):
    X, y, _ = data
    drawn = []

    def scoring(model, X, y):
        members = [member.random_state for member in model.estimators_]
        drawn.append(members)
        return model.score(X, y)

    members = [(str(i), RandomForestClassifier(2, max_depth=2)) for i in range(3)]
    vote = VotingClassifier(members, voting="soft")
    compare({"vote": vote}, X, y, cv=2, seeds=(3, 4), scoring=scoring)
    assert [members[0] for members in drawn] == [3, 3, 4, 4]
    assert drawn[0] == drawn[1]
    assert len({*drawn[0], *drawn[2]}) == 6


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
    scans = make_brain_mri(n_samples=128, image_size=(16, 16), random_state=0)
    clf = SimpleCNNClassifier(
        filters=(4,), dense_units=4, epochs=1, early_stopping=True
    )
    # A GroupsIgnoredWarning would be an error here.
    result = compare(
        {"cnn": clf}, scans.data, scans.target, groups=scans.groups, cv=2, n_jobs=1
    )
    assert result.folds["score"].between(0, 1).all()


def test_every_format(data, tmp_path):
    X, y, groups = data
    mpl.use("Agg")
    result = compare(ESTIMATORS, X, y, groups=groups, cv=3)
    loaded = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert len(loaded["folds"]) == 9
    protocol = loaded["protocol"]
    assert (protocol["n"], protocol["n_groups"], protocol["seed"]) == (120, 40, [0])
    assert protocol["split"] == "3 folds, the same for all (cv=3)"
    assert "scikit-learn" in protocol["versions"]
    text = result.to_markdown()
    assert "| logistic |" in text
    assert "Research only" in text
    page = result.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert "http" not in page.replace("data:image/png", "")
    for shown in (page, result._repr_html_()):
        assert "logistic" in shown
        assert "scikit-learn" in shown
    assert result.plot() is result
    (ax,) = result.axes_
    assert [label.get_text() for label in ax.get_yticklabels()] == list(ESTIMATORS)
    plt.close("all")


def test_predictions_are_those_of_scikit_learn(data):
    X, y, groups = data
    result = compare(ESTIMATORS, X, y, groups=groups, cv=4, seeds=(3, 1))
    assert len(result.predictions) == 3 * 2 * len(y)
    cv = StratifiedGroupKFold(4, shuffle=True, random_state=1)
    proba = cross_val_predict(
        LogisticRegression(), X, y, groups=groups, cv=cv, method="predict_proba"
    )
    found = result.predictions.query("estimator == 'logistic' and seed == 1")
    found = found.sort_values("index")
    np.testing.assert_allclose(found.filter(like="p_"), proba)
    np.testing.assert_array_equal(found["label"], np.unique(y)[proba.argmax(axis=1)])
    report = result.report("logistic", seed=1, n_resamples=0)
    right = np.mean(found["label"].to_numpy() == y)
    assert report.scores.loc["accuracy", "value"] == pytest.approx(right)
    assert report.protocol.n_groups == 40
    assert "out of fold" in report.protocol.split
    with pytest.raises(ValueError, match="Did you mean 'forest'"):
        result.report("forst")
    with pytest.raises(ValueError, match="Unknown seed 0"):
        result.report("forest", seed=0)


def test_classifiers_without_probabilities_are_reported_too(data):
    X, y, _ = data
    result = compare({"svm": LinearSVC()}, X, y, cv=3)
    assert result.predictions.filter(like="p_").isna().all(axis=None)
    report = result.report(n_resamples=0, healthy=None)
    assert report.reliability is None
    accuracy = (result.predictions.sort_values("index")["label"] == y).mean()
    assert report.scores.loc["accuracy", "value"] == pytest.approx(accuracy)


def test_an_image_tested_twice_has_no_prediction(data):
    X, y, _ = data
    cv = ShuffleSplit(3, test_size=0.5, random_state=0)
    result = compare({"a": DummyClassifier()}, X, y, cv=cv)
    with pytest.raises(ValueError, match="more than once"):
        result.report("a")


def test_scores_do_not_take_part_in_predictions_twice(data):
    X, y, _ = data
    CountingTree.n_calls = 0
    compare({"a": CountingTree()}, X, y, cv=2)
    assert CountingTree.n_calls == 2


class CountingTree(DecisionTreeClassifier):
    n_calls = 0

    def predict(self, X):
        type(self).n_calls += 1
        return super().predict(X)


def test_a_diverged_model_is_no_model_without_probabilities(data):
    X, y, _ = data
    with pytest.raises(ValueError, match="of 'diverged', seed 0, fold 0, holds NaN"):
        compare({"diverged": Diverged()}, X, y, cv=2)


class Diverged(DummyClassifier):
    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), np.nan)


def test_jobs_change_nothing_and_progress_is_in_order(data):
    X, y, groups = data
    done = []
    one = compare(ESTIMATORS, X, y, groups=groups, cv=2, progress=done.append)
    assert [row["estimator"] for row in done] == [*one.folds["estimator"]]
    two = compare(ESTIMATORS, X, y, groups=groups, cv=2, n_jobs=2)
    times = ["fit_time", "predict_time"]
    assert one.folds.drop(columns=times).equals(two.folds.drop(columns=times))
    assert one.predictions.equals(two.predictions)


@pytest.mark.parametrize(
    ("estimators", "options", "message"),
    [
        ({}, {}, "at least one estimator"),
        ([LogisticRegression()], {}, "dict"),
        (ESTIMATORS, {"seeds": ()}, "at least one seed"),
        (ESTIMATORS, {"cv": 50}, "50 folds need as many groups, got 40"),
    ],
)
def test_bad_arguments(data, estimators, options, message):
    X, y, groups = data
    with pytest.raises(ValueError, match=message):
        compare(estimators, X, y, groups=groups, **options)


def test_missing_labels_and_groups(data):
    X, y, groups = data
    y, groups = y.astype(object), groups.astype(float)
    y[4], groups[7] = np.nan, np.nan
    with pytest.raises(ValueError, match=r"y has no label for 1 of 120 .* 4\."):
        compare(ESTIMATORS, X, y)
    with pytest.raises(ValueError, match=r"groups has no entry for 1 .* 7\."):
        compare(ESTIMATORS, X, data[1], groups=groups)
