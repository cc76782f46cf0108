"""evaluate on real fits: right numbers, plain words, every format."""

import json

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from brain_tumor_clf import evaluate, make_brain_mri, make_mri_pipeline
from brain_tumor_clf.preprocessing import ImageReader, ImageResizer
from brain_tumor_clf.reports import EvaluationReport


@pytest.fixture(autouse=True)
def _closed_figures():
    mpl.use("Agg")
    yield
    mpl.pyplot.close("all")


class Flatten(ImageResizer):
    """Images as rows of pixels, for classifiers of features."""

    def transform(self, X):
        return super().transform(X).reshape(len(X), -1) / 255.0


def make_model(classifier):
    return make_pipeline(ImageReader(), Flatten(16), classifier)


@pytest.fixture(scope="module")
def scans():
    return make_brain_mri(n_samples=120, image_size=(48, 48), random_state=0)


@pytest.fixture(scope="module")
def model(scans):
    return make_model(RandomForestClassifier(30, random_state=0)).fit(
        scans.data[:60], scans.target[:60]
    )


def test_the_numbers_are_those_of_scikit_learn(scans, model):
    X, y, groups = scans.data[60:], scans.target[60:], scans.groups[60:]
    report = evaluate(model, X, y, groups=groups, n_resamples=50)
    predicted = model.predict(X)
    assert report.scores.loc["accuracy", "value"] == accuracy_score(y, predicted)
    assert report.classification_report == classification_report(y, predicted)
    assert report.confusion.to_numpy().sum() == 60
    assert set(report.scores["interval"]) == {"bootstrap over groups"}
    assert report.protocol.n == 60
    assert report.protocol.n_groups == len(np.unique(groups))
    assert report.reliability["count"].sum() == 60
    assert not report.notes


def test_copies_in_training_stand_apart(scans, model):
    X = [*scans.data[60:], *scans.data[:20, :, ::-1]]
    y = [*scans.target[60:], *scans.target[:20]]
    report = evaluate(
        model,
        X,
        y,
        X_train=scans.data[:60],
        y_train=scans.target[:60],
        n_resamples=0,
    )
    seen = [note for note in report.notes if "copy or mirror in training" in note]
    assert seen
    assert int(seen[0].split()[0]) >= 20
    assert report.unseen_scores.loc["accuracy", "value"] <= 1
    neighbor = report.controls.query("control.str.contains('neighbor')")
    assert len(neighbor) >= 2
    assert {"train to test", "train to test, no copies"} <= set(
        report.controls["protocol"]
    )


def test_one_vote_a_group(scans, model):
    X, y, groups = scans.data[60:], scans.target[60:], scans.groups[60:]
    report = evaluate(model, X, y, groups=groups, per_group=True, n_resamples=20)
    proba = model.predict_proba(X)
    right = [
        model.classes_[proba[groups == g].mean(axis=0).argmax()] == y[groups == g][0]
        for g in np.unique(groups)
    ]
    assert report.group_scores.loc["accuracy", "value"] == pytest.approx(np.mean(right))
    with pytest.raises(ValueError, match="per_group=True needs groups"):
        evaluate(model, X, y, per_group=True)


def test_groups_of_several_classes_have_no_vote():
    report = EvaluationReport.from_predictions(
        ["glioma", "notumor", "glioma", "glioma"],
        ["glioma", "notumor", "glioma", "notumor"],
        groups=[1, 1, 2, 3],
        per_group=True,
        n_resamples=10,
    )
    assert "1 groups hold images of several classes and have no vote." in report.notes
    assert report.group_scores.loc["accuracy", "value"] == 0.5


def test_without_probabilities(scans):
    model = make_model(SVC()).fit(scans.data[:60], scans.target[:60])
    report = evaluate(model, scans.data[60:], scans.target[60:], n_resamples=10)
    assert "roc_auc" not in report.scores.index
    assert report.reliability is None
    assert any("No probabilities" in note for note in report.notes)
    assert len(report.plot().axes) == 2


def test_a_class_that_the_model_does_not_know(scans):
    some = scans.target[:60] != "pituitary"
    model = make_model(LogisticRegression(max_iter=2000))
    model.fit(scans.data[:60][some], scans.target[:60][some])
    report = evaluate(model, scans.data[60:], scans.target[60:], n_resamples=10)
    assert report.per_class.loc["pituitary", "sensitivity"] == 0
    assert any("does not know the classes ['pituitary']" in n for n in report.notes)


def test_a_class_without_images(scans, model):
    some = scans.target != "pituitary"
    report = evaluate(model, scans.data[some], scans.target[some], n_resamples=10)
    assert any("No image is of the classes ['pituitary']" in n for n in report.notes)


def test_one_image(scans, model):
    report = evaluate(model, scans.data[:1], scans.target[:1], healthy=None)
    assert report.scores.loc["accuracy", "value"] in (0, 1)
    assert "accuracy" in report.to_markdown()


def test_out_of_fold_predictions(scans):
    model = make_model(LogisticRegression(max_iter=2000))
    proba = cross_val_predict(
        model, scans.data, scans.target, method="predict_proba", cv=3
    )
    classes = np.unique(scans.target)
    report = EvaluationReport.from_predictions(
        scans.target,
        classes[proba.argmax(axis=1)],
        proba,
        classes=classes,
        groups=scans.groups,
        n_resamples=10,
        protocol="3-fold, out of fold",
    )
    assert report.protocol.split == "3-fold, out of fold"


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (["glioma", None], {}, "1 missing labels"),
        (["glioma", "pituitary"], {}, "no class 'notumor'"),
        ([], {}, "y is empty"),
        (["glioma", "notumor"], {"groups": [1]}, "inconsistent"),
        (["glioma", "notumor"], {"healthy": "no_tumor"}, "Did you mean"),
    ],
)
def test_bad_input(y, options, message):
    predicted = ["glioma"] * len(y)
    with pytest.raises(ValueError, match=message):
        EvaluationReport.from_predictions(y, predicted, **options)


def test_training_images_come_with_labels(scans, model):
    with pytest.raises(ValueError, match="must be given together"):
        evaluate(model, scans.data, scans.target, X_train=scans.data)


def test_every_format(scans, model, tmp_path):
    X, y, groups = scans.data[60:], scans.target[60:], scans.groups[60:]
    report = evaluate(
        model,
        X,
        y,
        groups=groups,
        per_group=True,
        X_train=scans.data[:60],
        y_train=scans.target[:60],
        n_resamples=10,
    )
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["scores"][0]["score"] == "accuracy"
    assert np.sum(data["confusion_matrix"]["counts"]) == 60
    text = report.to_markdown()
    for word in ("tumor_miss_rate", "one vote a group", "Controls", "Research only"):
        assert word in text
    page = report.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    assert "data:image/png" in page
    assert "http" not in page.replace("http-equiv", "")
    assert len(report.plot().axes) == 3


def test_a_pipeline_of_files_is_evaluated(scans):
    from brain_tumor_clf import SimpleCNNClassifier

    clf = SimpleCNNClassifier(filters=(4,), dense_units=4, epochs=1, random_state=0)
    pipe = make_mri_pipeline(clf, image_size=16).fit(scans.data[:40], scans.target[:40])
    report = evaluate(pipe, scans.data[40:60], scans.target[40:60], n_resamples=5)
    assert 0 <= report.scores.loc["roc_auc", "value"] <= 1
