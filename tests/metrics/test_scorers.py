"""Scorers that a grid search takes by object."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score

from brain_tumor_clf import metrics

SCORERS = [name for name in metrics.__all__ if name.endswith("_scorer")]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = np.repeat(["glioma", "meningioma", "notumor", "pituitary"], 30)
    X = rng.normal(size=(120, 4)) + 2 * (np.unique(y) == y[:, None])
    return X, y


@pytest.mark.parametrize("name", SCORERS)
def test_grid_search_takes_it(data, name):
    scorer = pickle.loads(pickle.dumps(getattr(metrics, name)))
    search = GridSearchCV(LogisticRegression(), {"C": [1e-4, 1.0]}, scoring=scorer)
    search.fit(*data)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert search.best_score_ == scores.max()


def test_losses_are_negated_and_gains_are_not(data):
    X, y = data
    clf = LogisticRegression().fit(X, y)
    miss = metrics.tumor_miss_rate(y, clf.predict(X))
    assert metrics.tumor_miss_rate_scorer(clf, X, y) == -miss
    found = metrics.sensitivity_at_specificity_scorer(clf, X, y)
    assert found > 0.5
    assert metrics.expected_calibration_error_scorer(clf, X, y) <= 0


def test_a_fold_may_lack_a_class(data):
    X, y = data
    clf = LogisticRegression().fit(X, y)
    some = y != "pituitary"
    for name in SCORERS:
        assert np.isfinite(getattr(metrics, name)(clf, X[some], y[some]))


def test_another_healthy_class_is_named(data):
    X, y = data
    y = np.where(y == "notumor", "healthy", y)
    with pytest.raises(ValueError, match="no class 'notumor'"):
        cross_val_score(
            LogisticRegression(),
            X,
            y,
            scoring=metrics.tumor_miss_rate_scorer,
            error_score="raise",
        )
    for scorer in (
        make_scorer(metrics.tumor_miss_rate, healthy="healthy"),
        metrics.ProbabilityScorer(
            metrics.sensitivity_at_specificity, healthy="healthy"
        ),
    ):
        scores = cross_val_score(LogisticRegression(), X, y, scoring=scorer)
        assert np.isfinite(scores).all()
