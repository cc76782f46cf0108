"""Scorers by name, reports and displays of a pipeline of paths."""

import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    classification_report,
    confusion_matrix,
    get_scorer,
    log_loss,
    roc_auc_score,
)
from sklearn.model_selection import cross_val_score


def test_scorers_of_four_classes(scans, four):
    X, y = scans.data, scans.target
    proba = four.predict_proba(X)
    expected = {
        "accuracy": four.score(X, y),
        "balanced_accuracy": balanced_accuracy_score(y, four.predict(X)),
        "neg_log_loss": -log_loss(y, proba),
        "roc_auc_ovr": roc_auc_score(y, proba, multi_class="ovr"),
        "roc_auc_ovo": roc_auc_score(y, proba, multi_class="ovo"),
    }
    for name, value in expected.items():
        assert get_scorer(name)(four, X, y) == pytest.approx(value), name


def test_scorers_of_two_classes(scans, two):
    y = scans.target != "notumor"
    expected = roc_auc_score(y, two.decision_function(scans.data))
    assert 0 < expected < 1 or expected in (0, 1)
    assert get_scorer("roc_auc")(two, scans.data, y) == pytest.approx(expected)
    by_proba = roc_auc_score(y, two.predict_proba(scans.data)[:, 1])
    assert by_proba == pytest.approx(expected)


def test_names_of_scorers_cross_validate(scans, make_pipe):
    y = scans.target != "notumor"
    scores = cross_val_score(
        make_pipe(), scans.data, y, cv=2, scoring="roc_auc", error_score="raise"
    )
    assert ((scores >= 0) & (scores <= 1)).all()


def test_classification_report_names_the_classes(scans, four):
    report = classification_report(
        scans.target, four.predict(scans.data), output_dict=True, zero_division=0.0
    )
    assert set(scans.target_names) <= set(report)
    assert report["accuracy"] == pytest.approx(four.score(scans.data, scans.target))
    assert all(report[name]["support"] == 12 for name in scans.target_names)


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def test_confusion_matrix_display(scans, four, pyplot):
    from sklearn.metrics import ConfusionMatrixDisplay

    display = ConfusionMatrixDisplay.from_estimator(four, scans.data, scans.target)
    expected = confusion_matrix(scans.target, four.predict(scans.data))
    np.testing.assert_array_equal(display.confusion_matrix, expected)
    shown = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert shown == list(np.unique(scans.target))


def test_roc_curve_display(scans, two, pyplot):
    from sklearn.metrics import RocCurveDisplay

    y = scans.target != "notumor"
    display = RocCurveDisplay.from_estimator(two, scans.data, y)
    expected = roc_auc_score(y, two.decision_function(scans.data))
    assert np.mean(display.roc_auc) == pytest.approx(expected)
