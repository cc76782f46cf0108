"""Suspect labels in a report: those that were swapped, with their pictures."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from brain_tumor_clf import compare, evaluate, find_label_issues, make_brain_mri
from brain_tumor_clf.reports import EvaluationReport
from tests.reports.audits import save

pytest.importorskip("cleanlab")
CLASSES = np.array(["glioma", "notumor"])
SWAPPED = [3, 7, 60]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Files of black and white squares in noise, three of them labeled wrong."""
    rng = np.random.default_rng(0)
    y = np.tile(CLASSES, 40)
    images = rng.integers(0, 60, (80, 16, 16), dtype=np.uint8)
    images[y == "glioma", 4:12, 4:12] += 150
    folder = tmp_path_factory.mktemp("squares")
    files = [save(image, folder / f"{i}.png") for i, image in enumerate(images)]
    proba = np.where(y == "glioma", 0.9, 0.1)
    proba = np.column_stack([proba, 1 - proba])
    proba[7] = proba[7].round()  # the surest of all
    y[SWAPPED] = np.where(y[SWAPPED] == "glioma", "notumor", "glioma")
    return files, images, y, proba


def make_report(y, proba, **options):
    options = {"classes": CLASSES, "n_resamples": 0, "label_issues": True, **options}
    return EvaluationReport.from_predictions(
        y, CLASSES[proba.argmax(axis=1)], proba, **options
    )


def test_swapped_labels_are_found_the_surest_first(data):
    files, _, y, proba = data
    report = make_report(y, proba, X=files, groups=np.arange(80))
    table = report.label_issues
    assert sorted(table["position"]) == SWAPPED
    assert table["position"].iloc[0] == 7
    assert table["image"].tolist() == [files[i] for i in table["position"]]
    assert table["probability"].tolist() == pytest.approx([1.0, 0.9, 0.9])
    expected = find_label_issues(y, proba, CLASSES, np.arange(80))
    assert set(expected.columns) <= set(table.columns)
    assert "3 of 80 labels are suspect." in report.notes


def test_every_format_has_them(data, capsys):
    files, _, y, proba = data
    report = make_report(y, proba, X=files)
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert sorted(row["position"] for row in data["label_issues"]) == SWAPPED
    page = report.to_html()
    assert page.count("labeled ") == 2 * 3
    assert page.count("data:image/png") == 1 + 3  # the figure, then the sheet
    report.print()
    for text in (page, report.to_markdown(), capsys.readouterr().out):
        assert "Suspect labels, the first 3 of 3" in text


def test_arrays_have_pictures_and_features_have_none(data):
    _, images, y, proba = data
    page = make_report(y, proba, X=images).to_html()
    assert "position 60" in page
    for X in (None, proba):
        report = make_report(y, proba, X=X)
        assert "image" not in report.label_issues
        assert "Pictures of suspect labels" not in report.to_html()


def test_without_suspects_nothing_is_shown(data):
    y, proba = CLASSES[data[3].argmax(axis=1)], data[3]
    report = make_report(y, proba)
    assert report.label_issues.empty
    assert "0 of 80 labels are suspect" in report.to_markdown()
    assert "Suspect labels" not in report.to_markdown()
    assert make_report(y, proba, label_issues=False).label_issues is None
    with pytest.raises(ValueError, match="needs probabilities"):
        EvaluationReport.from_predictions(y, y, label_issues=True)


def test_of_a_fitted_model_and_of_a_comparison():
    scans = make_brain_mri(n_samples=60, image_size=(16, 16), random_state=0)
    pipe = make_pipeline(FunctionTransformer(flatten), LogisticRegression())
    y = scans.target
    model = pipe.fit(scans.data[:30], y[:30])
    report = evaluate(model, scans.data[30:], y[30:], label_issues=True, n_resamples=0)
    assert set(report.label_issues["position"]) <= set(range(30))
    folds = [(np.arange(30), np.arange(30, 60))]
    result = compare({"a": pipe}, scans.data, y, cv=folds)
    again = result.report(X=scans.data, label_issues=True, n_resamples=0)
    assert again.label_issues["position"].tolist() == [
        30 + i for i in report.label_issues["position"]
    ]


def flatten(X):
    return np.reshape(X, (len(X), -1)) / 255
