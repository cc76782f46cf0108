"""SelectiveClassifier: a scikit-learn meta-estimator that answers for every image."""

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from brain_tumor_clf import ScanGuard, SelectiveClassifier, grad_cam, load, save
from brain_tumor_clf.inspection import SaliencyDisplay
from brain_tumor_clf.reports import evaluate
from brain_tumor_clf.selective import as_selective, predict_files, read_abstention

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)
X, Y = np.arange(12.0).reshape(-1, 1), np.repeat(["glioma", "notumor"], 6)


def test_predictions_are_those_of_the_classifier_for_every_image(model, scans):
    paths = list(scans.data)
    proba = model.predict_proba(paths)
    np.testing.assert_array_equal(proba, model.estimator_.predict_proba(paths))
    assert (proba.max(axis=1) < model.threshold_).any()
    assert (model.predict(paths) == model.classes_[proba.argmax(axis=1)]).all()
    assert is_classifier(model)


def test_fitting_fits_clones(model):
    assert model.estimator_ is not model.estimator
    assert not hasattr(model.estimator[-1], "classes_")
    assert isinstance(model.estimator_, Pipeline)
    assert isinstance(model.guard_, ScanGuard)
    # The guard uses the classifier that was fitted here.
    assert model.guard_.estimator_[-1] is model.estimator_[-1]
    assert (model.metadata_, model.model_id_) == ({}, None)


def test_indexing_and_steps_are_those_of_the_pipeline(model):
    assert model["classifier"] is model.estimator_["classifier"]
    assert model[-1] is model.named_steps["classifier"]
    assert [name for name, _ in model[:1].steps] == ["preprocess"]
    unfitted = clone(model)
    assert unfitted["classifier"] is unfitted.estimator["classifier"]


def test_parameters():
    model = SelectiveClassifier(LogisticRegression(C=2.0), threshold=0.7)
    assert model.get_params()["estimator__C"] == 2.0
    assert clone(model).set_params(estimator__C=3.0).estimator.C == 3.0
    with pytest.raises(ValueError, match="threshold"):
        clone(model).set_params(threshold=1.5).fit(X, Y)
    with pytest.raises(ValueError, match="estimator"):
        SelectiveClassifier("no classifier").fit(X, Y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_only_methods_of_the_classifier_are_there():
    model = SelectiveClassifier(LinearSVC())
    assert not hasattr(model, "predict_proba")
    assert model.fit(X, Y).decision_function(X).shape == (12,)
    both = SelectiveClassifier(LogisticRegression()).fit(X, Y)
    np.testing.assert_allclose(np.exp(both.predict_log_proba(X)), both.predict_proba(X))


def test_a_frozen_classifier_and_guard_stay_as_they_are(model, scans):
    frozen = SelectiveClassifier(
        FrozenEstimator(model.estimator_), FrozenEstimator(model.guard_), 0.5
    )
    frozen = clone(frozen).fit(list(scans.data), scans.target)
    assert frozen.estimator_ is model.estimator_
    assert frozen.guard_ is model.guard_
    assert frozen.threshold_ == 0.5


def test_fit_parameters_reach_the_classifier():
    weights = np.where(Y == "glioma", 10.0, 1.0)
    plain = LogisticRegression().fit(X, Y, sample_weight=weights)
    model = SelectiveClassifier(LogisticRegression()).fit(X, Y, sample_weight=weights)
    np.testing.assert_array_equal(model.estimator_.coef_, plain.coef_)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        routed = SelectiveClassifier(inner)
        # scikit-learn 1.7 asks what scoring does with it, too.
        routed.set_score_request(sample_weight=False)
        routed.fit(X, Y, sample_weight=weights)
        np.testing.assert_array_equal(routed.estimator_.coef_, plain.coef_)
        cross_val_score(
            routed,
            *(X, Y),
            cv=GroupKFold(2),
            params={"sample_weight": weights, "groups": np.tile([0, 1], 6)},
        )


def test_search_and_cross_validation(model, scans):
    paths = np.array(list(scans.data))
    frozen = as_selective(model.estimator_)
    scores = cross_val_score(frozen, paths, scans.target, cv=3)
    assert scores.mean() == pytest.approx(model.score(paths, scans.target))
    search = GridSearchCV(
        SelectiveClassifier(LogisticRegression()), {"estimator__C": [0.1, 1.0]}, cv=2
    ).fit(X, Y)
    assert as_selective(search) is search.best_estimator_


@pytest.mark.parametrize("way", ["save", "joblib"])
def test_it_travels_with_guard_and_threshold(way, model, files, tmp_path):
    expected = predict_files(model, files)
    path = tmp_path / "model"
    if way == "save":
        save(model, path, metadata={"note": "kept"})
        loaded = load(path)
        assert loaded.metadata_ == {"note": "kept"}
        assert loaded.model_id_
    else:
        joblib.dump(model, path)
        loaded = joblib.load(path)
    assert loaded.threshold_ == model.threshold_
    found = predict_files(loaded, files)
    assert found.drop(columns="reason").equals(expected.drop(columns="reason"))


def test_reports_displays_and_heat_maps_take_it(model, scans):
    paths = list(scans.data)
    report = evaluate(model, paths, scans.target, healthy="notumor")
    accuracy = report.scores.loc["accuracy", "value"]
    assert accuracy == pytest.approx(model.score(paths, scans.target))
    shown = ConfusionMatrixDisplay.from_estimator(model, paths, scans.target)
    assert shown.confusion_matrix.sum() == 24
    maps = grad_cam(model, paths[:2], target="glioma")
    expected = grad_cam(model.estimator_, paths[:2], target="glioma")
    for one, other in zip(maps, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    SaliencyDisplay.from_estimator(model, paths[:2])


# --- other models as selective ones ------------------------------------------------


def test_a_model_with_its_guard_and_metadata_as_attributes():
    plain = make_pipeline(FunctionTransformer(), LogisticRegression()).fit(X, Y)
    plain.guard_ = LogisticRegression().fit(X, np.where(Y == "glioma", 1, -1))
    plain.metadata_ = {"abstention": {"threshold": 0.8, "coverage": "much"}}
    plain.model_id_ = "abc"
    model = as_selective(plain)
    assert model.estimator_ is plain
    assert model.guard_ is plain.guard_
    assert (model.threshold_, model.model_id_) == (0.8, "abc")
    assert model.metadata_ is plain.metadata_
    assert as_selective(model) is model


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"abstention": None},
        {"abstention": {"threshold": "high"}},
        {"abstention": {"threshold": float("nan")}},
        {"abstention": {"threshold": True}},
    ],
)
def test_metadata_that_are_not_well_formed_count_as_absent(metadata):
    assert read_abstention(metadata) is None


def test_a_reject_class_is_no_answer_and_its_probability_is_spread():
    y = np.array(["a", "b", "other"] * 8)
    values = np.linspace(-1, 1, 24).reshape(-1, 1) + (y == "b")[:, None]
    inner = LogisticRegression().fit(values, y)
    model = SelectiveClassifier(LogisticRegression(), reject="other").fit(values, y)
    assert model.classes_.tolist() == ["a", "b"]
    of_all = inner.predict_proba(values)
    proba = model.predict_proba(values)
    np.testing.assert_allclose(proba, of_all[:, :2] + of_all[:, 2:] / 2)
    np.testing.assert_allclose(model.predict_log_proba(values), np.log(proba))
    np.testing.assert_array_equal(
        model.predict_with_rejection(values)[:, -1], of_all[:, 2]
    )
    assert (model.predict(values) == model.classes_[of_all[:, :2].argmax(axis=1)]).all()
    assert model.decision_function(values).shape == (24, 2)
    assert cross_val_score(model, values, y).max() < 1  # "other" is never right


def test_a_reject_class_must_be_a_class_of_the_estimator():
    with pytest.raises(ValueError, match="'lesion' is not a class of the estimator"):
        SelectiveClassifier(LogisticRegression(), reject="lesion").fit(X, Y)
    with pytest.raises(ValueError, match="numbered the labels"):
        SelectiveClassifier(LogisticRegression(), reject="lesion").fit(
            X, np.unique(Y, return_inverse=True)[1]
        )
