"""RiskCoverageDisplay draws what risk_coverage_curve computes."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression

from brain_tumor_clf.inspection import RiskCoverageDisplay
from brain_tumor_clf.metrics import risk_coverage_curve

PROBA = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]]
Y, CLASSES = ["a", "b", "a", "a"], ["a", "b"]


@pytest.fixture(autouse=True)
def _closed_figures():
    mpl.use("Agg")
    yield
    plt.close("all")


def test_draws_the_curve_and_marks_the_threshold():
    display = RiskCoverageDisplay.from_predictions(
        Y, PROBA, classes=CLASSES, threshold=0.75, name="model"
    )
    coverage, risk, _ = risk_coverage_curve(Y, PROBA, classes=CLASSES)
    curve, dot = display.ax_.lines
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack([coverage, risk]))
    assert dot.get_xydata().tolist() == [[0.5, 0.0]]
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["model", "threshold 0.75: 50.0% accepted, 0.0% wrong"]


def test_without_a_threshold_and_on_given_axes():
    ax = Figure().subplots()
    display = RiskCoverageDisplay.from_predictions(Y, PROBA, classes=CLASSES, ax=ax)
    assert display.ax_ is ax
    assert len(ax.lines) == 1
    assert ax.get_legend() is None


def test_a_threshold_that_keeps_nothing_is_not_marked():
    display = RiskCoverageDisplay.from_predictions(
        Y, PROBA, classes=CLASSES, threshold=0.99
    )
    assert len(display.ax_.lines) == 1


def test_from_estimator():
    X, y = [[0.0], [1.0], [0.4], [0.6]], ["a", "b", "a", "b"]
    model = LogisticRegression().fit(X, y)
    display = RiskCoverageDisplay.from_estimator(model, X, y)
    expected = risk_coverage_curve(y, model.predict_proba(X), classes=["a", "b"])
    np.testing.assert_array_equal(display.risk, expected[1])
    assert display.name == "LogisticRegression"
