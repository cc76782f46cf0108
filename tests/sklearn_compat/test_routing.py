"""sample_weight, groups and validation images reach the classifier of a pipeline."""

import numpy as np
import pytest
import sklearn
from sklearn.model_selection import (
    GroupKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)

from brain_tumor_clf.exceptions import GroupsIgnoredWarning


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_groups_without_routing_as_documented(scans, make_pipe):
    # Warnings are errors here: fit must have been given the groups.
    scores = cross_val_score(
        make_pipe(early_stopping=True, validation_fraction=0.3),
        scans.data,
        scans.target,
        groups=scans.groups,
        cv=StratifiedGroupKFold(2, shuffle=True, random_state=0),
        params={"classifier__groups": scans.groups},
        error_score="raise",
    )
    assert np.isfinite(scores).all()


def test_early_stopping_without_groups_warns(scans, make_pipe):
    pipe = make_pipe(early_stopping=True)
    with pytest.warns(GroupsIgnoredWarning):
        pipe.fit(scans.data, scans.target)


@pytest.mark.usefixtures("routing")
def test_groups_reach_the_splitter_and_the_classifier(scans, make_pipe):
    pipe = make_pipe(early_stopping=True, validation_fraction=0.3)
    pipe["classifier"].set_fit_request(groups=True)
    result = cross_validate(
        pipe,
        scans.data,
        scans.target,
        cv=GroupKFold(2),
        params={"groups": scans.groups},
        return_indices=True,
        error_score="raise",
    )
    indices = result["indices"]
    for train, test in zip(indices["train"], indices["test"], strict=True):
        assert not set(scans.groups[train]) & set(scans.groups[test])


@pytest.mark.usefixtures("routing")
def test_weights_reach_the_classifier(scans, make_pipe):
    # Labels of weight zero may be anything: only then are both predictions equal.
    weight = np.arange(48) % 3 > 0
    changed = np.where(weight, scans.target, "glioma")
    assert (changed != scans.target).any()
    folds = list(StratifiedKFold(2).split(scans.data, scans.target))

    def predict(y, request):
        pipe = make_pipe(epochs=2)
        pipe["classifier"].set_fit_request(sample_weight=request)
        return cross_val_predict(
            pipe,
            scans.data,
            y,
            cv=folds,
            method="decision_function",
            params={"sample_weight": weight} if request else None,
        )

    weighted = predict(scans.target, True)
    np.testing.assert_array_equal(weighted, predict(changed, True))
    assert not np.array_equal(weighted, predict(scans.target, False))


@pytest.mark.usefixtures("routing")
def test_weights_that_nobody_asked_for_are_an_error(scans, make_pipe):
    with pytest.raises(ValueError, match="sample_weight"):
        make_pipe().fit(scans.data, scans.target, sample_weight=np.ones(48))


@pytest.mark.usefixtures("routing")
def test_validation_paths_are_preprocessed_by_transform_input(scans, make_pipe):
    pipe = make_pipe()
    pipe.set_params(transform_input=["X_val"])
    pipe["classifier"].set_fit_request(X_val=True, y_val=True)
    X_val, y_val = scans.data[::2], scans.target[::2]
    pipe.fit(scans.data, scans.target, X_val=X_val, y_val=y_val)
    history = pipe["classifier"].history_
    assert history["val_accuracy"][-1] == pytest.approx(pipe.score(X_val, y_val))


def test_validation_paths_without_it_are_an_error(scans, make_pipe):
    with pytest.raises(TypeError, match=r"transform_input=\['X_val'\]"):
        make_pipe().fit(
            scans.data,
            scans.target,
            classifier__X_val=scans.data,
            classifier__y_val=scans.target,
        )
