"""evaluate on real fits: right numbers, plain words, every format."""

import html
import json

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from brain_tumor_clf import evaluate, make_brain_mri, make_mri_pipeline
from brain_tumor_clf.preprocessing import ImageReader, ImageResizer
from brain_tumor_clf.reports import EvaluationReport


@pytest.fixture(autouse=True)
def _closed_figures():
    mpl.use("Agg")
    yield
    plt.close("all")


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
    controls = report.controls.set_index(["control", "protocol", "task"]).sort_index()
    assert len(controls) == 4 * 2 * 2
    unseen = controls.loc["this model", "train to test, no copies"]
    assert unseen.loc["all classes", "accuracy"] == pytest.approx(
        report.unseen_scores.loc["accuracy", "value"]
    )
    whole = controls.loc["this model", "train to test"]
    assert whole.loc["all classes", "n"] == 80
    errors = {name: report.scores.loc[name, "value"] for name in report.scores.index}
    assert whole.loc["tumor or not", "balanced_accuracy"] == pytest.approx(
        1 - (errors["tumor_miss_rate"] + errors["false_alarm_rate"]) / 2
    )


def test_without_copies_nothing_is_told_twice(scans, model):
    X, y = scans.data[60:70], scans.target[60:70]
    negatives = {"X_train": 255 - scans.data[:60], "y_train": scans.target[:60]}
    report = evaluate(model, X, y, n_resamples=5, **negatives)
    assert "No image has a copy or mirror in training." in report.notes
    assert report.unseen_scores.equals(report.scores)
    assert set(report.controls["protocol"]) == {"train to test"}
    assert "without a copy" not in report.to_markdown()


def test_one_vote_a_group(scans, model):
    X, y, groups = scans.data[60:], scans.target[60:], scans.groups[60:]
    report = evaluate(model, X, y, groups=groups, per_group=True, n_resamples=20)
    proba = model.predict_proba(X)
    right = [
        model.classes_[proba[groups == g].mean(axis=0).argmax()] == y[groups == g][0]
        for g in np.unique(groups)
    ]
    assert report.group_scores.loc["accuracy", "value"] == pytest.approx(np.mean(right))
    assert set(report.group_scores["interval"]) == {"Wilson", "bootstrap over groups"}
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
    assert len(report.plot().axes_) == 2


def test_a_class_that_the_model_does_not_know(scans):
    some = scans.target[:60] != "pituitary"
    model = make_model(LogisticRegression(max_iter=2000))
    model.fit(scans.data[:60][some], scans.target[:60][some])
    X, y = scans.data[60:], scans.target[60:]
    with pytest.raises(ValueError, match=r"\['pituitary'\], which the model does not"):
        evaluate(model, X, y, n_resamples=10)
    # Whoever says so may count them as errors, as another tumor.
    known = {"X_train": X[:20], "y_train": y[:20], "n_resamples": 0}
    mapped = evaluate(model, X, y, label_map={"pituitary": "glioma"}, **known)
    renamed = np.where(y == "pituitary", "glioma", y)
    expected = evaluate(model, X, renamed, **known | {"y_train": renamed[:20]})
    assert mapped.to_dict()["controls"] == expected.to_dict()["controls"]
    assert mapped.scores.equals(expected.scores)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_probabilities_that_are_not_finite_are_refused(bad):
    y, classes = ["glioma", "notumor"], ["glioma", "notumor"]
    proba = [[0.5, 0.5], [bad, 0.5]]
    with pytest.raises(ValueError, match=r"for 1 of 2 .* position 1: the model diverg"):
        EvaluationReport.from_predictions(y, y, proba, classes=classes)


def test_a_class_without_images(scans, model):
    some = scans.target != "pituitary"
    report = evaluate(model, scans.data[some], scans.target[some], n_resamples=10)
    assert any("No image is of the classes pituitary:" in n for n in report.notes)


def test_one_image(scans, model):
    report = evaluate(model, scans.data[:1], scans.target[:1], healthy=None)
    assert report.scores.loc["accuracy", "value"] in (0, 1)
    check_views(report)


def test_identical_images_that_training_has(scans, model):
    X, y = [scans.data[0]] * 6, ["glioma", "notumor"] * 3
    known = {"X_train": scans.data[:60], "y_train": scans.target[:60]}
    report = evaluate(model, X, y, groups=[0] * 6, n_resamples=20, **known)
    assert any(note.startswith("6 of 6 images (100%)") for note in report.notes)
    assert report.unseen_scores is None
    # One group drawn again and again would have intervals of no width.
    assert report.scores[["low", "high"]].isna().all(axis=None)
    check_views(report)


def test_a_class_of_one_group_has_no_interval(scans, model):
    X, y = scans.data[60:], scans.target[60:]
    groups = np.where(y == "notumor", "healthy", scans.groups[60:].astype(str))
    report = evaluate(model, X, y, groups=groups, n_resamples=100)
    assert report.scores.loc["false_alarm_rate", "interval"] == "none"
    assert np.isnan(report.scores.loc["false_alarm_rate", "low"])
    low = report.per_class["sensitivity_low"]
    assert low.isna().to_dict() == {name: name == "notumor" for name in low.index}
    assert any("classes notumor are of one group each" in note for note in report.notes)
    check_views(report)


def test_images_of_16_bits_and_of_three_channels(scans, model):
    grey = scans.data[60:68]
    X = [*(grey[:4].astype(np.uint16) * 257), *np.repeat(grey[4:, :, :, None], 3, 3)]
    y = scans.target[60:68]
    known = {"X_train": [*grey, *scans.data[:8]], "y_train": [*y, *scans.target[:8]]}
    report = evaluate(model, X, y, n_resamples=0, **known)
    assert any(note.startswith("8 of 8 images (100%)") for note in report.notes)
    neighbor = report.controls.query("control.str.contains('neighbor')")
    assert neighbor["accuracy"].tolist() == [1.0] * 2


def test_scoring_training_images_is_said(scans, model):
    X, y = scans.data[:60], scans.target[:60]
    report = evaluate(model, X, y, X_train=X, y_train=y, n_resamples=0)
    assert any(note.startswith("60 of 60 images (100%)") for note in report.notes)
    assert "trained on are given" in report.protocol.split
    unknown = evaluate(model, X, y, n_resamples=0)
    assert "trained on are not known here" in unknown.protocol.split


def test_training_images_that_cannot_be_read_are_said(scans, model):
    X, y = scans.data[60:80], scans.target[60:80]
    X_train = [*scans.data[:20], "missing.png"]
    y_train = [*scans.target[:20], "glioma"]
    report = evaluate(model, X, y, X_train=X_train, y_train=y_train, n_resamples=0)
    assert any(n.startswith("1 training images cannot be read") for n in report.notes)
    with pytest.raises(ValueError, match=r"y_train has no label .* 20\."):
        evaluate(model, X, y, X_train=X_train, y_train=[*y_train[:20], None])


def test_votes_without_probabilities_are_counted():
    true = ["glioma"] * 3 + ["notumor"] * 3
    called = ["glioma", "notumor", "glioma", "glioma", "glioma", "notumor"]
    report = EvaluationReport.from_predictions(
        true, called, groups=[1, 1, 1, 2, 2, 2], per_group=True, n_resamples=0
    )
    scores = report.group_scores["value"]
    assert scores["tumor_miss_rate"] == 0
    assert scores["false_alarm_rate"] == 1


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
        (["glioma", None], {}, "no label for 1 of 2"),
        (["glioma", "pituitary"], {}, "no class 'notumor'"),
        ([], {}, "y is empty"),
        (["glioma", "notumor"], {"groups": [1]}, "inconsistent"),
        (["glioma", "notumor"], {"groups": ["P1", None]}, r"no entry .* positions 1\."),
        (["glioma", "notumor"], {"groups": [1.0, np.nan]}, "links=groups"),
        (["glioma", "notumor"], {"healthy": "no_tumor"}, "Did you mean"),
        ([1, 0], {"healthy": 0}, "y holds 1, the model predicts 'glioma'"),
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
    protocol = data["protocol"]
    assert (protocol["n"], protocol["seed"]) == (60, 0)
    assert protocol["n_groups"] == len(np.unique(groups))
    assert "scikit-learn" in protocol["versions"]
    assert np.sum(data["confusion_matrix"]["counts"]) == 60
    text = report.to_markdown()
    for word in ("tumor_miss_rate", "one vote a group", "controls", "Research only"):
        assert word in text
    predicted = model.predict(X)
    expected = classification_report(y, predicted, output_dict=True)
    assert data["classification_report"] == json.loads(json.dumps(expected))
    page = report.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    assert "data:image/png" in page
    check_views(report)
    assert len(report.plot().figure_.axes) == 3


def check_views(report):
    """All views can be made, say what they are of, and load nothing."""
    json.dumps(report.to_dict(), allow_nan=False)
    page = report.to_html()
    for text in (page, report.to_markdown(), report._repr_html_()):
        assert "Research only; not a medical device." in text
        assert "scikit-learn" in text
        for note in report.notes:
            assert note in html.unescape(text)
    assert "http" not in page.replace("data:image/png", "")


def test_a_search_is_evaluated_like_its_best(scans):
    search = GridSearchCV(
        make_model(DecisionTreeClassifier(random_state=0)),
        {"decisiontreeclassifier__max_depth": [1, 3]},
        cv=2,
    ).fit(scans.data[:60], scans.target[:60])
    X, y = scans.data[60:], scans.target[60:]
    report = evaluate(search, X, y, n_resamples=0)
    assert report.scores.loc["accuracy", "value"] == search.score(X, y)


def test_a_pipeline_of_files_is_evaluated(scans):
    from brain_tumor_clf import SimpleCNNClassifier

    clf = SimpleCNNClassifier(filters=(4,), dense_units=4, epochs=1, random_state=0)
    pipe = make_mri_pipeline(clf, image_size=16).fit(scans.data[:40], scans.target[:40])
    report = evaluate(pipe, scans.data[40:60], scans.target[40:60], n_resamples=5)
    assert 0 <= report.scores.loc["roc_auc", "value"] <= 1
