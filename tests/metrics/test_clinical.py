"""Rates of tumor or not against counting by hand."""

import numpy as np
import pytest
from sklearn.metrics import recall_score, roc_curve

from brain_tumor_clf.metrics import (
    false_alarm_rate,
    per_class_rates,
    sensitivity_at_specificity,
    tumor_miss_rate,
)

CLASSES = np.array(["glioma", "meningioma", "notumor", "pituitary"])


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    y_true = rng.choice(CLASSES, 200)
    y_pred = np.where(rng.random(200) < 0.7, y_true, rng.choice(CLASSES, 200))
    return y_true, y_pred


def test_miss_and_alarm_are_errors_of_tumor_or_not(labels):
    y_true, y_pred = labels
    is_tumor, called_tumor = y_true != "notumor", y_pred != "notumor"
    sensitivity = recall_score(is_tumor, called_tumor)
    specificity = recall_score(is_tumor, called_tumor, pos_label=False)
    assert tumor_miss_rate(y_true, y_pred) == pytest.approx(1 - sensitivity)
    assert false_alarm_rate(y_true, y_pred) == pytest.approx(1 - specificity)


def test_one_tumor_called_another_is_not_missed():
    y = ["glioma", "notumor"]
    assert tumor_miss_rate(y, ["pituitary", "notumor"]) == 0


def test_weights_count():
    y_true, y_pred = ["glioma", "glioma", "notumor"], ["glioma", "notumor", "notumor"]
    assert tumor_miss_rate(y_true, y_pred, sample_weight=[3, 1, 1]) == 0.25


@pytest.mark.parametrize("metric", [tumor_miss_rate, false_alarm_rate])
def test_a_data_set_without_the_healthy_class_is_an_error(metric):
    with pytest.raises(ValueError, match=r"no class 'notumor'.*healthy='no_tumor'"):
        metric(["glioma", "no_tumor"], ["glioma", "glioma"])
    with pytest.raises(ValueError, match="no tumor"):
        metric(["notumor"], ["glioma"])
    assert metric([1, 0], [1, 0], healthy=0) == 0


def test_labels_of_another_type_are_not_the_healthy_class():
    with pytest.raises(ValueError, match="no class 'notumor'"):
        tumor_miss_rate(np.array([0, 1]), np.array([0, 1]))


@pytest.mark.parametrize("specificity", [0.0, 0.5, 0.9, 0.95, 1.0])
def test_sensitivity_is_that_of_the_roc_curve(specificity):
    rng = np.random.default_rng(1)
    y_true = rng.choice(CLASSES, 300)
    logits = rng.normal(size=(300, 4)) + 1.5 * (y_true[:, None] == CLASSES)
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    got = sensitivity_at_specificity(
        y_true, proba, classes=CLASSES, specificity=specificity
    )
    alarms, hits, _ = roc_curve(
        y_true != "notumor", 1 - proba[:, 2], drop_intermediate=False
    )
    assert got == pytest.approx(hits[1 - alarms >= specificity - 1e-9].max())


def test_sensitivity_checks_its_input():
    proba = [[0.5, 0.5], [0.5, 0.5]]
    y = ["glioma", "notumor"]
    with pytest.raises(ValueError, match="specificity"):
        sensitivity_at_specificity(
            y, proba, classes=["glioma", "notumor"], specificity=2
        )
    with pytest.raises(ValueError, match="classes has no class"):
        sensitivity_at_specificity(y, proba, classes=["a", "b"])
    with pytest.raises(ValueError, match="one column for each of 3"):
        sensitivity_at_specificity(y, proba, classes=["glioma", "notumor", "x"])


def test_rates_of_each_class(labels):
    y_true, y_pred = labels
    rates = per_class_rates(y_true, y_pred)
    for name in CLASSES:
        is_it, called = y_true == name, y_pred == name
        row = rates.loc[name]
        assert row["sensitivity"] == pytest.approx(recall_score(is_it, called))
        assert row["specificity"] == pytest.approx(
            recall_score(is_it, called, pos_label=False)
        )
        assert row["support"] == is_it.sum()


def test_a_class_that_does_not_occur_has_no_sensitivity():
    rates = per_class_rates(["a", "b"], ["a", "a"], labels=["a", "b", "c"])
    assert np.isnan(rates.loc["c", "sensitivity"])
    assert np.isnan(rates.loc["b", "precision"])
    assert rates.loc["c", "specificity"] == 1
