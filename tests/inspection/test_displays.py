"""Displays compute in from_…, draw in plot, and say what they leave out."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from brain_tumor_clf import NearDuplicateGrouper, SimpleCNNClassifier, make_brain_mri
from brain_tumor_clf.inspection import (
    DuplicatePairsDisplay,
    MisclassifiedDisplay,
    ReliabilityDisplay,
    TrainingHistoryDisplay,
)


@pytest.fixture(autouse=True)
def _closed_figures():
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def scans():
    return make_brain_mri(n_samples=40, image_size=(32, 32), random_state=0)


@pytest.fixture(scope="module")
def model(scans):
    flatten = FunctionTransformer(lambda X: np.asarray(X).reshape(len(X), -1) / 255)
    # Few images, so that it errs on the others.
    return make_pipeline(flatten, LogisticRegression()).fit(
        scans.data[:8], scans.target[:8]
    )


def test_history_of_a_fit(scans):
    clf = SimpleCNNClassifier(filters=(4,), dense_units=4, epochs=3, random_state=0)
    clf.fit(scans.data, scans.target, X_val=scans.data, y_val=scans.target)
    display = TrainingHistoryDisplay.from_estimator(clf)
    assert [ax.get_title() for ax in display.axes_] == [
        "Loss",
        "Accuracy",
        "Learning rate",
    ]
    drawn = [line.get_ydata().tolist() for line in display.axes_[0].lines]
    assert drawn == [clf.history_["loss"], clf.history_["val_loss"]]
    own = Figure().subplots(1, 3)
    assert display.plot(ax=own).figure_ is own[0].figure
    with pytest.raises(ValueError, match="3 axes"):
        display.plot(ax=own[:2])


def test_a_history_that_is_not_finite_says_so():
    display = TrainingHistoryDisplay({"loss": [1.4, np.nan, np.nan]}).plot()
    (text,) = display.axes_[0].get_legend().get_texts()
    assert text.get_text() == "training (not finite in epoch 2)"


def test_probabilities_that_are_not_finite_are_refused(scans):
    labels = ["a"] * 3, ["b"] * 3
    with pytest.raises(ValueError, match="probability contains NaN"):
        MisclassifiedDisplay.from_predictions(
            scans.data[:3], *labels, probability=[0.9, np.nan, 0.8]
        )
    with pytest.raises(ValueError, match="got nan in row 1"):
        ReliabilityDisplay.from_predictions(
            ["a", "b"], [[0.5, 0.5], [np.nan, 0.5]], classes=["a", "b"]
        )


def test_history_needs_one(model):
    with pytest.raises(TypeError, match="LogisticRegression has no history_"):
        TrainingHistoryDisplay.from_estimator(model)


def test_reliability_counts_every_image(scans, model):
    display = ReliabilityDisplay.from_estimator(model, scans.data, scans.target)
    assert display.curve["count"].sum() == 40
    assert "LogisticRegression" in display.ax_.get_legend_handles_labels()[1][0]
    drawn = display.ax_.lines[1].get_xydata()
    np.testing.assert_allclose(drawn, display.curve[["confidence", "accuracy"]])
    ax = Figure().subplots()
    assert display.plot(ax=ax).ax_ is ax


def test_misclassified_shows_the_surest_errors_first(scans, model):
    display = MisclassifiedDisplay.from_estimator(
        model, scans.data, scans.target, max_images=3
    )
    wrong = model.predict(scans.data) != scans.target
    sure = model.predict_proba(scans.data).max(axis=1)
    assert display.n_errors == wrong.sum() > 3
    np.testing.assert_allclose(
        display.errors["probability"], np.sort(sure[wrong])[::-1][:3]
    )
    assert len(display.axes_) == 3
    title = display.figure_.get_suptitle()
    assert title == f"{wrong.sum()} of 40 images are misclassified; 3 shown"


@pytest.fixture(params=["one Axes", "an Axes an image"])
def own_axes(request):
    """A function that makes axes of one's own for `n` images, and their figure."""

    def make(n):
        figure = Figure()
        if request.param == "one Axes":
            return figure.subplots(1, 2)[0], figure
        return figure.subplots(1, n), figure

    return make


def test_galleries_are_drawn_into_axes_given(scans, model, own_axes):
    ax, figure = own_axes(3)
    display = MisclassifiedDisplay.from_estimator(
        model, scans.data, scans.target, max_images=3, n_columns=2, ax=ax
    )
    ax, other = own_axes(4)
    X = [*scans.data[:6], *scans.data[:6, :, ::-1]]
    pairs = DuplicatePairsDisplay.from_estimator(
        NearDuplicateGrouper().fit(X), X, max_pairs=2, ax=ax
    )
    for shown, n, its in ((display, 3, figure), (pairs, 4, other)):
        assert shown.figure_ is its
        assert len(shown.axes_) == n
        assert all(len(axes.images) == 1 for axes in shown.axes_)
        assert its._suptitle is None
    assert plt.get_fignums() == []


def test_axes_that_do_not_fit_a_gallery(scans, model):
    show = MisclassifiedDisplay.from_predictions
    wrong = ["notumor"] * 40
    with pytest.raises(ValueError, match="must hold 3 axes"):
        show(scans.data, scans.target, wrong, max_images=3, ax=Figure().subplots(1, 2))
    loose = Figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match="grid of subplots"):
        show(scans.data, scans.target, wrong, ax=loose)


def test_images_of_all_kinds_are_shown(scans):
    grey = scans.data[:4]
    X = [grey[0], grey[1].astype(np.uint16) * 257, np.repeat(grey[2, :, :, None], 3, 2)]
    display = MisclassifiedDisplay.from_predictions(X, ["a"] * 3, ["b"] * 3)
    for drawn, image in zip(display.images, grey, strict=False):
        assert drawn.shape == (32, 32, 3)
        assert np.corrcoef(drawn[..., 0].ravel(), image.ravel())[0, 1] > 0.99


def test_nothing_misclassified_is_an_empty_gallery(scans):
    display = MisclassifiedDisplay.from_predictions(
        scans.data, scans.target, scans.target
    )
    assert len(display.axes_) == 0
    assert display.figure_.get_suptitle() == "0 of 40 images are misclassified"


def test_pairs_are_shown_side_by_side(scans):
    X = [*scans.data[:6], *scans.data[:6, :, ::-1]]
    grouper = NearDuplicateGrouper().fit(X)
    display = DuplicatePairsDisplay.from_estimator(grouper, X, max_pairs=2)
    assert display.n_pairs == len(grouper.pairs_) >= 6
    assert len(display.axes_) == 4
    assert "mirror" in display.axes_[1].get_title()
    lowest = DuplicatePairsDisplay.from_estimator(grouper, X, max_pairs=1, lowest=True)
    assert lowest.pairs["similarity"].iloc[0] == grouper.pairs_["similarity"].min()
    with pytest.raises(ValueError, match="fitted on 12 images, got 5"):
        DuplicatePairsDisplay.from_estimator(grouper, X[:5])
