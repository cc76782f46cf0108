"""The scores of a report against scikit-learn's own."""

import numpy as np
import pytest
from sklearn import metrics as sk

from brain_tumor_clf import metrics
from brain_tumor_clf.reports._scores import (
    Predictions,
    class_table,
    score_table,
)

CLASSES = np.array(["glioma", "meningioma", "notumor", "pituitary"])
OPTIONS = {"n_resamples": 100, "confidence": 0.95, "random_state": 0}


def make_predictions(n=300, seed=0, with_proba=True):
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 4, n)
    logits = rng.normal(size=(n, 4)) + 1.5 * np.eye(4)[true]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(
        CLASSES, true, proba.argmax(axis=1), proba if with_proba else None, healthy=2
    )


@pytest.mark.parametrize("seed", range(3))
def test_values_are_scikit_learns(seed):
    p = make_predictions(seed=seed)
    got = score_table(p, groups=None, **OPTIONS)["value"].to_dict()
    y, y_pred = CLASSES[p.true], CLASSES[p.predicted]
    expected = {
        "accuracy": sk.accuracy_score(y, y_pred),
        "balanced_accuracy": sk.balanced_accuracy_score(y, y_pred),
        "macro_f1": sk.f1_score(y, y_pred, average="macro"),
        "roc_auc": sk.roc_auc_score(y, p.proba, multi_class="ovr"),
        "tumor_miss_rate": metrics.tumor_miss_rate(y, y_pred),
        "false_alarm_rate": metrics.false_alarm_rate(y, y_pred),
        "brier_score": np.mean(((p.proba - np.eye(4)[p.true]) ** 2).sum(axis=1)),
        "expected_calibration_error": metrics.expected_calibration_error(
            y, p.proba, classes=CLASSES
        ),
    }
    assert got == pytest.approx(expected)


def test_without_probabilities_and_without_a_healthy_class():
    p = make_predictions(with_proba=False)
    table = score_table(p, groups=None, **OPTIONS)
    assert "roc_auc" not in table.index
    assert "accuracy" in table.index
    no_healthy = Predictions(CLASSES, p.true, p.predicted, None, healthy=None)
    names = set(score_table(no_healthy, groups=None, **OPTIONS).index)
    assert names == {"accuracy", "balanced_accuracy", "macro_f1"}


def test_rates_of_single_images_have_wilsons_interval():
    p = make_predictions()
    table = score_table(p, groups=None, **OPTIONS)
    n_right = int((p.true == p.predicted).sum())
    low, high = metrics.wilson_interval(n_right, len(p))
    assert table.loc["accuracy", ["low", "high", "interval"]].tolist() == [
        low, high, "Wilson",
    ]  # fmt: skip
    assert table.loc["macro_f1", "interval"] == "bootstrap over images"


def test_groups_make_all_intervals_those_of_the_bootstrap():
    p = make_predictions()
    table = score_table(p, groups=np.arange(300) // 5, **OPTIONS)
    assert set(table["interval"]) == {"bootstrap over groups"}
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()


def test_scores_without_an_error_have_wilsons_interval_over_groups():
    true = np.repeat(np.arange(4), 50)
    p = Predictions(CLASSES, true, true, None, healthy=2)
    groups = np.arange(200) // 5
    table = score_table(p, groups=groups, **OPTIONS)
    assert table.loc["tumor_miss_rate"].tolist() == [
        0, *metrics.wilson_interval(0, 30), "Wilson over groups",
    ]  # fmt: skip
    low, high = table.loc["accuracy", ["low", "high"]]
    assert (low, high) == metrics.wilson_interval(40, 40)
    rates = class_table(p, groups=groups, **OPTIONS)
    assert set(rates["sensitivity_low"]) == {metrics.wilson_interval(10, 10)[0]}
    assert rates["interval"].str.contains("Wilson over groups").all()


def test_no_resamples_leaves_out_the_bootstrap():
    options = {**OPTIONS, "n_resamples": 0}
    table = score_table(make_predictions(), groups=None, **options)
    assert np.isfinite(table.loc["accuracy", "low"])
    assert np.isnan(table.loc["macro_f1", "low"])


def test_with_groups_nothing_is_taken_for_independent():
    options = {**OPTIONS, "n_resamples": 0, "groups": np.arange(300) // 5}
    p = make_predictions()
    for table in (score_table(p, **options), class_table(p, **options)):
        assert set(table["interval"]) == {"none"}
        assert table.filter(regex="low$|high$").isna().all(axis=None)


def test_rates_of_each_class_with_intervals():
    p = make_predictions()
    expected = metrics.per_class_rates(
        CLASSES[p.true], CLASSES[p.predicted], labels=CLASSES
    )
    for groups in (None, np.arange(300) // 5):
        table = class_table(p, groups=groups, **OPTIONS)
        for name in ("sensitivity", "specificity", "precision", "support"):
            np.testing.assert_allclose(table[name], expected[name])
        kind = "Wilson" if groups is None else "bootstrap over groups"
        assert set(table["interval"]) == {kind}
        for name in ("sensitivity", "specificity", "precision"):
            assert (table[f"{name}_low"] <= table[name]).all()
            assert (table[f"{name}_high"] >= table[name]).all()


def test_a_class_that_does_not_occur_has_no_sensitivity():
    p = make_predictions()
    p = p.take(p.true != 3)
    table = class_table(p, groups=None, **OPTIONS)
    assert np.isnan(table.loc["pituitary", "sensitivity"])
    assert np.isnan(table.loc["pituitary", "sensitivity_low"])
    assert len(score_table(p, groups=None, **OPTIONS)) == 8
