"""Searches over the parameters of a pipeline of paths."""

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
)

from brain_tumor_clf import HeadCropper


@pytest.mark.backend
def test_grid_search(scans, make_pipe):
    grid = {"classifier__filters": [(2,), (4, 8)]}
    search = GridSearchCV(make_pipe(), grid, cv=2, error_score="raise")
    search.fit(scans.data, scans.target)
    assert search.best_params_["classifier__filters"] in grid["classifier__filters"]
    scores = search.cv_results_["mean_test_score"]
    assert search.best_score_ == scores.max()
    best = search.best_estimator_["classifier"]
    assert best.filters == search.best_params_["classifier__filters"]
    np.testing.assert_array_equal(
        search.predict(scans.data), search.best_estimator_.predict(scans.data)
    )


def test_grid_search_over_whole_steps(scans, make_pipe):
    other = make_pipe()["classifier"].set_params(filters=(2,), optimizer="sgd")
    grid = [
        {"classifier": [other], "classifier__learning_rate": [0.1]},
        {"preprocess__crop": [HeadCropper(margin=0.1)]},
    ]
    search = GridSearchCV(make_pipe(), grid, cv=2, error_score="raise", refit=False)
    search.fit(scans.data, scans.target)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_randomized_search(scans, make_pipe):
    search = RandomizedSearchCV(
        make_pipe(),
        {"classifier__learning_rate": loguniform(1e-4, 1e-2)},
        n_iter=2,
        cv=2,
        random_state=0,
        error_score="raise",
    )
    search.fit(scans.data, scans.target)
    rates = [p["classifier__learning_rate"] for p in search.cv_results_["params"]]
    assert len(set(rates)) == 2
    fitted = search.best_estimator_["classifier"].history_["learning_rate"][0]
    assert fitted == pytest.approx(search.best_params_["classifier__learning_rate"])


def test_halving_spends_epochs(scans, make_pipe):
    search = HalvingGridSearchCV(
        make_pipe(),
        {"classifier__filters": [(2,), (4, 8)]},
        resource="classifier__epochs",
        min_resources=2,
        max_resources=4,
        factor=2,
        cv=2,
        random_state=0,
        error_score="raise",
    )
    search.fit(scans.data, scans.target)
    assert search.n_resources_ == [2, 4]
    assert search.n_candidates_ == [2, 1]
    assert search.best_estimator_["classifier"].n_iter_ == 4


@pytest.mark.slow
def test_two_processes_find_what_one_finds(scans, make_pipe):
    grid = {"classifier__filters": [(2,), (4, 8)]}
    one, two = (
        GridSearchCV(
            make_pipe(dropout=0.2, augmentation="light"),
            grid,
            cv=2,
            n_jobs=n_jobs,
            error_score="raise",
        ).fit(scans.data, scans.target)
        for n_jobs in (1, 2)
    )
    assert one.best_score_ == two.best_score_
    assert one.best_params_ == two.best_params_
    for name in ("split0_test_score", "split1_test_score", "mean_test_score"):
        np.testing.assert_array_equal(one.cv_results_[name], two.cv_results_[name])
    by_one, by_two = (
        cross_val_predict(
            make_pipe(dropout=0.2, augmentation="light"),
            scans.data,
            scans.target,
            cv=2,
            method="predict_proba",
            n_jobs=n_jobs,
        )
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(by_one, by_two)
