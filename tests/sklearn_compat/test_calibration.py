"""The recipe of docs/calibration.md: a frozen pipeline of paths, split by group."""

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.fixes import parse_version

HAS_TEMPERATURE = parse_version(sklearn.__version__) >= parse_version("1.8")


@pytest.fixture(scope="module")
def thirds(scans):
    """Positions to train, calibrate and test on, whole groups in each."""
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    return [part for _, part in folds.split(scans.data, scans.target, scans.groups)]


@pytest.fixture(scope="module")
def pipe(scans, make_pipe, thirds):
    return make_pipe(epochs=8).fit(scans.data[thirds[0]], scans.target[thirds[0]])


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(
            "temperature",
            marks=pytest.mark.skipif(
                not HAS_TEMPERATURE, reason="temperature scaling needs scikit-learn 1.8"
            ),
        ),
        "sigmoid",
    ],
)
def test_a_frozen_pipeline_is_calibrated_on_other_groups(scans, pipe, thirds, method):
    _, calibrate, test = thirds
    X, y = scans.data, scans.target
    before = pipe.predict_proba(X[test])
    calibrated = CalibratedClassifierCV(FrozenEstimator(pipe), method=method, cv=2)
    calibrated.fit(X[calibrate], y[calibrate])
    proba = calibrated.predict_proba(X[test])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(calibrated.classes_, pipe.classes_)
    np.testing.assert_array_equal(pipe.predict_proba(X[test]), before)
    if method == "temperature":
        np.testing.assert_array_equal(proba.argmax(axis=1), before.argmax(axis=1))
        truth = np.searchsorted(pipe.classes_, y[calibrate])
        losses = [
            -np.log(model.predict_proba(X[calibrate])[np.arange(16), truth]).mean()
            for model in (pipe, calibrated)
        ]
        # The temperature is the one that makes this loss least.
        assert losses[1] < losses[0]


@pytest.mark.parametrize("level", [0.6, 0.8, 0.9])
def test_prediction_sets_of_a_frozen_pipeline(scans, pipe, thirds, level):
    mapie = pytest.importorskip("mapie.classification", reason="MAPIE makes the sets")
    _, calibrate, test = thirds
    X, y = scans.data, scans.target
    conformal = mapie.SplitConformalClassifier(
        FrozenEstimator(pipe), confidence_level=level
    )
    conformal.conformalize(X[calibrate], y[calibrate])
    predicted, sets = conformal.predict_set(X[test])
    np.testing.assert_array_equal(predicted, pipe.predict(X[test]))
    # All classes that are at least as likely as the truth mostly was.
    truth = np.searchsorted(pipe.classes_, y[calibrate])
    of_truth = pipe.predict_proba(X[calibrate])[np.arange(len(truth)), truth]
    n = len(truth)
    rank = int(np.ceil((n + 1) * level))
    least = 1 - np.sort(1 - of_truth)[rank - 1]
    expected = pipe.predict_proba(X[test]) >= least - 1e-7
    np.testing.assert_array_equal(sets[:, :, 0], expected)
