"""scikit-learn's estimators of estimators around a pipeline of paths."""

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.utils.fixes import parse_version

HAS_TEMPERATURE = parse_version(sklearn.__version__) >= parse_version("1.8")


def assert_probabilities(clf, X, classes):
    proba = clf.predict_proba(X)
    assert proba.shape == (len(X), len(classes))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(clf.classes_, classes)
    np.testing.assert_array_equal(clf.predict(X), classes[proba.argmax(axis=1)])


def test_voting_averages_probabilities(scans, make_pipe):
    pipes = [("small", make_pipe(filters=(2,))), ("large", make_pipe())]
    voting = VotingClassifier(pipes, voting="soft").fit(scans.data, scans.target)
    assert_probabilities(voting, scans.data, np.unique(scans.target))
    each = [pipe.predict_proba(scans.data) for pipe in voting.estimators_]
    np.testing.assert_allclose(voting.predict_proba(scans.data), np.mean(each, axis=0))


def test_stacking(scans, make_pipe):
    stacking = StackingClassifier(
        [("pipe", make_pipe())], final_estimator=LogisticRegression(), cv=2
    )
    stacking.fit(scans.data, scans.target)
    assert_probabilities(stacking, scans.data, np.unique(scans.target))
    assert stacking.transform(scans.data).shape == (48, 4)


def test_calibration_by_cross_validation(scans, make_pipe):
    calibrated = CalibratedClassifierCV(make_pipe(), cv=2)
    calibrated.fit(scans.data, scans.target)
    assert len(calibrated.calibrated_classifiers_) == 2
    assert_probabilities(calibrated, scans.data, np.unique(scans.target))


@pytest.mark.skipif(not HAS_TEMPERATURE, reason="scikit-learn 1.8 brought it")
def test_temperature_scaling_of_a_frozen_pipeline(scans, four):
    calibrated = CalibratedClassifierCV(FrozenEstimator(four), method="temperature")
    calibrated.fit(scans.data, scans.target)
    assert_probabilities(calibrated, scans.data, np.unique(scans.target))
    # One temperature for all logits never changes which class is likeliest.
    np.testing.assert_array_equal(
        calibrated.predict(scans.data), four.predict(scans.data)
    )
    assert not np.allclose(
        calibrated.predict_proba(scans.data), four.predict_proba(scans.data)
    )


def test_sigmoid_calibration_of_a_frozen_pipeline(scans, two):
    y = scans.target != "notumor"
    calibrated = CalibratedClassifierCV(FrozenEstimator(two)).fit(scans.data, y)
    assert_probabilities(calibrated, scans.data, np.array([False, True]))


def test_bagging_takes_a_column_of_paths(scans, make_pipe):
    X = scans.data[:, None]
    bagging = BaggingClassifier(make_pipe(), n_estimators=2, random_state=0)
    bagging.fit(X, scans.target)
    assert_probabilities(bagging, X, np.unique(scans.target))
    first, second = (pipe.predict_proba(X) for pipe in bagging.estimators_)
    assert not np.array_equal(first, second)


def test_permutation_importance_takes_a_column_of_paths(scans, four):
    X = scans.data[:, None]
    y = four.predict(X)
    assert len(set(y)) > 1
    result = permutation_importance(four, X, y, n_repeats=2, random_state=0)
    assert result.importances.shape == (1, 2)
    # With other images in their places its own answers no longer fit.
    assert (result.importances > 0).all()
