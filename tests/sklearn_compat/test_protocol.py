"""A pipeline of paths is an estimator like any other."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import (
    LeaveOneOut,
    StratifiedKFold,
    check_cv,
    cross_val_predict,
    cross_validate,
    learning_curve,
)


def test_clone_keeps_parameters_and_forgets_the_fit(four):
    copy = clone(four)
    assert repr(copy) == repr(four)
    assert copy["classifier"].get_params() == four["classifier"].get_params()
    assert not hasattr(copy["classifier"], "model_")


def test_parameters_are_reachable_by_their_path(make_pipe):
    pipe = make_pipe()
    pipe.set_params(classifier__filters=(2,), preprocess__crop__margin=0.2)
    assert pipe["classifier"].filters == (2,)
    params = pipe.get_params()
    assert params["classifier__filters"] == (2,)
    assert params["preprocess__crop__margin"] == 0.2
    assert params["preprocess"].get_params()["crop__margin"] == 0.2
    with pytest.raises(ValueError, match="filtres"):
        pipe.set_params(classifier__filtres=(2,))


def test_is_classifier(make_pipe):
    assert is_classifier(make_pipe())


def test_integer_cv_is_stratified_on_sorted_folders(scans, make_pipe):
    pipe = make_pipe()
    cv = check_cv(2, scans.target, classifier=is_classifier(pipe))
    assert isinstance(cv, StratifiedKFold)
    result = cross_validate(pipe, scans.data, scans.target, cv=2, return_indices=True)
    for train in result["indices"]["train"]:
        assert set(scans.target[train]) == set(scans.target_names)
    assert np.isfinite(result["test_score"]).all()


def test_cross_val_predict_gives_labels_and_probabilities(scans, make_pipe):
    y = scans.target
    pipe = make_pipe()
    labels = cross_val_predict(pipe, scans.data, y, cv=2)
    proba = cross_val_predict(pipe, scans.data, y, cv=2, method="predict_proba")
    assert proba.shape == (48, 4)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(labels, np.unique(y)[proba.argmax(axis=1)])


def test_leave_one_out_predicts_single_images(scans, make_pipe):
    chosen = [0, 1, 46, 47]
    X, y = scans.data[chosen], scans.target[chosen]
    proba = cross_val_predict(
        make_pipe(), X, y, cv=LeaveOneOut(), method="predict_proba"
    )
    assert proba.shape == (4, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1)


def test_learning_curve_on_folder_order(scans, make_pipe):
    sizes, train, test = learning_curve(
        make_pipe(),
        scans.data,
        scans.target,
        train_sizes=[0.5, 1.0],
        cv=2,
        shuffle=True,
        random_state=0,
        error_score="raise",
    )
    np.testing.assert_array_equal(sizes, [12, 24])
    assert train.shape == test.shape == (2, 2)
    assert np.isfinite([train, test]).all()


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: np.searchsorted(np.unique(y), y),
        lambda y: pd.Series(y == "notumor", index=np.arange(48)[::-1]),
        list,
    ],
    ids=["integers", "Series of booleans", "list"],
)
def test_labels_of_every_type(scans, make_pipe, convert):
    y = convert(scans.target)
    labels = cross_val_predict(make_pipe(), scans.data, y, cv=2)
    known = np.unique(np.asarray(y))
    assert set(labels) <= set(known)
    assert len(labels) == 48
    assert labels.dtype.kind == known.dtype.kind or known.dtype.kind in "OUT"


@pytest.mark.parametrize(
    "convert",
    [
        list,
        lambda paths: paths[:, None],
        lambda paths: pd.Series(paths, index=np.arange(48)[::-1]),
        lambda paths: pd.DataFrame({"path": paths}, index=np.arange(48)[::-1]),
    ],
    ids=["list", "(n, 1) array", "Series", "DataFrame"],
)
def test_paths_in_every_container(scans, four, convert):
    X = convert(scans.data)
    np.testing.assert_array_equal(four.predict_proba(X), four.predict_proba(scans.data))


def test_a_frame_of_paths_is_cross_validated_as_an_array(scans, make_pipe):
    frame = pd.DataFrame({"path": scans.data}, index=np.arange(48)[::-1])
    labels, expected = (
        cross_val_predict(make_pipe(), X, scans.target, cv=2)
        for X in (frame, scans.data)
    )
    np.testing.assert_array_equal(labels, expected)


def test_decision_function_has_one_column_less_than_two(scans, two, four):
    assert two.decision_function(scans.data).shape == (48,)
    assert four.decision_function(scans.data).shape == (48, 4)
    np.testing.assert_array_equal(
        two.predict(scans.data), two.decision_function(scans.data) > 0
    )
    assert two.predict_proba(scans.data).shape == (48, 2)
