"""compare(leave_out=sources): each source is scored by models of the others."""

import json

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline

from brain_tumor_clf import compare, source_balanced_weight

ESTIMATORS = {"logistic": LogisticRegression(), "chance": DummyClassifier()}


@pytest.fixture(scope="module")
def data():
    """Pituitary tumors are of "big" alone; "small" has no healthy scan."""
    rng = np.random.default_rng(0)
    sources = np.repeat(["big", "north", "small"], [90, 60, 30])
    classes = ["glioma", "notumor", "pituitary"]
    y = np.array([classes[i // 3 % 3] for i in range(180)])
    y[sources != "big"] = np.array(classes)[np.arange(90) // 3 % 2]
    y[sources == "small"] = "glioma"
    X = rng.normal(size=(180, 3)) + 1.5 * (np.unique(y) == y[:, None])
    groups = np.arange(180) // 3
    groups[88] = groups[90]  # one patient of "big" was also scanned in "north"
    return X, y, groups, sources


@pytest.fixture(scope="module")
def result(data):
    X, y, groups, sources = data
    return compare(ESTIMATORS, X, y, groups=groups, leave_out=sources, seeds=(0, 1))


def test_sample_weights_are_those_of_the_training_images(data):
    X, y, groups, sources = data
    weight = source_balanced_weight(y, sources)
    fit = {"groups": groups, "leave_out": sources, "sample_weight": weight}
    models = {
        "plain": ESTIMATORS["logistic"],
        "scaled": make_pipeline(LogisticRegression()),
    }
    found = compare(models, X, y, **fit)
    for name in ("north", "small"):
        test = sources == name
        train = ~test & ~np.isin(groups, groups[test])
        clf = LogisticRegression(random_state=0).fit(X[train], y[train], weight[train])
        of_fold = found.predictions[
            found.predictions["index"].isin(np.flatnonzero(test))
        ]
        for _, rows in of_fold.groupby("estimator"):
            np.testing.assert_allclose(
                rows["p_glioma"], clf.predict_proba(X[test])[:, 0]
            )
    with pytest.raises(ValueError, match="sample_weight"):
        compare(models, X, y, groups=groups, sample_weight=weight[:-1])


def test_each_source_is_scored_by_a_model_of_the_others(result, data):
    X, y, groups, sources = data
    folds = result.folds.set_index(["estimator", "seed", "held_out"])["score"]
    assert len(folds) == 2 * 2 * 2
    for name in ("north", "small"):
        test = sources == name
        train = ~test & ~np.isin(groups, groups[test])
        clf = LogisticRegression(random_state=0).fit(X[train], y[train])
        recalls = [
            np.mean(clf.predict(X[test & (y == label)]) == label)
            for label in np.unique(y[test])
        ]
        assert folds["logistic", 0, name] == pytest.approx(np.mean(recalls))


def test_the_table_has_every_source_and_model_with_intervals(result):
    assert result.sources["estimator"].unique().tolist() == ["logistic", "chance"]
    assert set(result.sources["source"]) == {"north", "small"}
    table = result.sources.set_index(["estimator", "source", "score"]).sort_index()
    row = table.loc["logistic", "north", "balanced_accuracy"]
    folds = result.folds.query("estimator == 'logistic' and held_out == 'north'")
    assert row["value"] == pytest.approx(folds["score"].iloc[0])
    assert row["low"] < row["value"] < row["high"]
    assert row["groups"] == 20
    assert set(table.loc["logistic", "small"]["classes absent"]) == {
        "notumor, pituitary"
    }
    assert ("logistic", "small", "false_alarm_rate") not in table.index


def test_what_is_never_left_out_is_named_with_the_reason(result):
    notes = result.protocol.notes
    assert "big is never left out: without it, training would lack pituitary" in notes
    assert (
        "images that share a group with north, and are not trained on when it is left "
        "out: 1"
    ) in notes
    assert not any("both sides" in note for note in notes)
    assert "each source left out in turn" in result.protocol.split
    text = result.to_markdown()
    for title in ("Balanced accuracy", "Tumor miss rate", "False alarm rate"):
        assert f"{title} by the source left out" in text
    assert "big is never left out" in text
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert len(data["sources"]) == len(result.sources)


def test_a_report_is_split_by_source_and_by_what_else_is_given(result, data):
    y = data[1]
    report = result.report("logistic", n_resamples=10)
    assert report.protocol.n == 90
    assert set(report.subgroups["subgroup"]) == {"north", "small"}
    assert report.notes[0].startswith("Worst subgroup: source ")
    halves = np.arange(180) % 2
    report = result.report(subgroups={"half": halves}, n_resamples=0)
    found = result.predictions.query("estimator == 'logistic' and seed == 0")
    at = found["index"].to_numpy()
    even = halves[at] == 0
    expected = accuracy_score(y[at][even], found["label"][even])
    scores = report.subgroups.query("subgroup == '0'").set_index("score")["value"]
    assert scores["accuracy"] == pytest.approx(expected)


def test_other_folds_have_no_sources(data):
    X, y, *_ = data
    result = compare({"chance": DummyClassifier()}, X, y, cv=2)
    assert result.sources is None
    assert result.to_dict()["sources"] is None


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["a"], "inconsistent"),
        (["a"] * 179 + [None], r"leave_out has no entry for 1 .* 179\."),
        (["a"] * 180, "two sources"),
    ],
)
def test_sources_that_cannot_be_left_out(data, sources, message):
    X, y, *_ = data
    with pytest.raises(ValueError, match=message):
        compare(ESTIMATORS, X, y, leave_out=sources)
