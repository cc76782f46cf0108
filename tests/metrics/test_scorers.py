"""Scorers that a grid search takes by object."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score

from brain_tumor_clf import (
    SimpleCNNClassifier,
    make_brain_mri,
    make_mri_pipeline,
    metrics,
)

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


@pytest.mark.parametrize("routing", [False, True])
def test_a_search_over_images_takes_all_of_them_at_once(routing):
    scans = make_brain_mri(n_samples=32, image_size=(24, 24), random_state=0)
    clf = SimpleCNNClassifier((4,), dense_units=4, epochs=1, random_state=0)
    scorers = {name: getattr(metrics, name) for name in SCORERS}
    with sklearn.config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            make_mri_pipeline(clf, image_size=16),
            {"classifier__dense_units": [2, 4]},
            scoring=scorers,
            refit="tumor_miss_rate_scorer",
            cv=2,
            error_score="raise",
        )
        search.fit(list(scans.data), scans.target)
    for name in SCORERS:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()


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
