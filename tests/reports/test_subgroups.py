"""Scores by subgroup: those of its images alone, the worst first, none dropped."""

import html
import json

import numpy as np
import pandas as pd
import pytest

from brain_tumor_clf.metrics import wilson_interval
from brain_tumor_clf.reports import EvaluationReport

CLASSES = np.array(["glioma", "meningioma", "notumor"])
OPTIONS = {"n_resamples": 50, "classes": CLASSES}


@pytest.fixture(scope="module")
def data():
    """Source "B" is hard, "C" has gliomas alone, "D" is two patients."""
    rng = np.random.default_rng(0)
    source = np.repeat(["A", "B", "C", "D"], [120, 90, 45, 6])
    groups = np.array([f"{s}{i // 3}" for i, s in enumerate(source)])
    true = np.where(source == "C", 0, np.arange(len(source)) // 3 % 3)
    logits = rng.normal(size=(len(source), 3))
    logits += np.where(source == "B", 0.5, 2.0)[:, None] * np.eye(3)[true]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sequence = np.where(rng.random(len(source)) < 0.5, "T1", "T2").astype(object)
    sequence[:60:2] = None
    frame = pd.DataFrame({"source": source, "sequence": sequence})
    frame.index += 1000  # positions count, not the index
    return CLASSES[true], proba, groups, frame


def make_report(data, at=slice(None), **options):
    y, proba, groups, _ = data
    y_pred = CLASSES[proba[at].argmax(axis=1)]
    options = {"groups": groups[at], **OPTIONS, **options}
    return EvaluationReport.from_predictions(y[at], y_pred, proba[at], **options)


@pytest.fixture(scope="module")
def report(data):
    return make_report(data, subgroups=data[-1])


def of_part(report, column, name):
    rows = report.subgroups.query("column == @column and subgroup == @name")
    return rows.set_index("score")


def test_the_scores_of_a_subgroup_are_those_of_its_images_alone(report, data):
    at = (data[-1]["source"] == "B").to_numpy()
    alone = make_report(data, at)
    found = of_part(report, "source", "B")
    columns = ["value", "low", "high", "interval"]
    pd.testing.assert_frame_equal(
        found.loc[alone.scores.index, columns], alone.scores[columns]
    )
    for label in CLASSES:
        value = found.loc[f"sensitivity, {label}", "value"]
        assert value == alone.per_class.loc[label, "sensitivity"]
    assert found["images"].unique().tolist() == [90]
    assert found["groups"].unique().tolist() == [30]


def test_the_worst_comes_first_in_every_format(report, capsys):
    first, second = report.notes[:2]
    assert first.startswith("Worst subgroup: source B, balanced accuracy 0.")
    assert second.startswith("Worst combination: source x sequence B x T")
    report.print()
    assert "Worst subgroup: source B" in capsys.readouterr().out.split("\n")[2]
    page, text = html.unescape(report.to_html()), report.to_markdown()
    for shown in (page, text):
        assert first in shown
        for title in ("Scores by source", "Scores by sequence", "source x sequence"):
            assert title in shown
    assert "balanced accuracy of source B, the worst (" in page
    rows = json.loads(json.dumps(report.to_dict(), allow_nan=False))["subgroups"]
    assert len(rows) == len(report.subgroups)


def test_small_subgroups_are_named_and_have_no_interval(report):
    small = of_part(report, "source", "D")
    assert small[["low", "high"]].isna().all(axis=None)
    assert set(small["interval"]) == {"none"}
    assert small["value"].notna().all()
    (note,) = [note for note in report.notes if note.startswith("Too small")]
    assert "source D (6 images of 2 groups)" in note
    assert "fewer than 5 groups" in report.to_markdown()


def test_absent_classes_are_named_and_left_out_of_means(report):
    alone = of_part(report, "source", "C")
    assert set(alone["classes absent"]) == {"meningioma, notumor"}
    sensitivity = alone.loc["sensitivity, glioma", "value"]
    assert alone.loc["balanced_accuracy", "value"] == sensitivity
    lacking = {"roc_auc", "false_alarm_rate", "sensitivity, notumor"}
    assert not lacking & set(alone.index)
    assert "classes absent" in report.to_markdown()


def test_a_class_of_one_group_is_named(data):
    y, _, groups, frame = data
    groups = np.where(y == "notumor", "healthy", groups)
    report = make_report(data, groups=groups, subgroups=frame[["source"]])
    table = of_part(report, "source", "A")
    assert set(table["classes of one group"]) == {"notumor"}
    assert table.loc["false_alarm_rate", "interval"] == "none"


def test_missing_categories_and_all_combinations_are_there(report):
    frame = report.subgroups.drop_duplicates(["column", "subgroup"])
    for name in ("source", "sequence", "source x sequence"):
        assert frame.loc[frame["column"] == name, "images"].sum() == 261
    sequences = frame.loc[frame["column"] == "sequence", "subgroup"]
    assert sequences.tolist() == ["T1", "T2", "not known"]


def test_no_error_in_a_subgroup_has_wilsons_interval_over_its_groups():
    y = np.repeat(CLASSES, 40)
    groups, site = np.arange(120) // 2, np.tile(["A", "B"], 60)[np.arange(120) // 2]
    options = {"groups": groups, "subgroups": {"site": site}, "n_resamples": 50}
    report = EvaluationReport.from_predictions(y, y, **options)
    row = of_part(report, "site", "A").loc["tumor_miss_rate"]
    assert row[["value", "low", "high"]].tolist() == [0, *wilson_interval(0, 20)]
    assert row["interval"] == "Wilson over groups"
    assert "tumor miss rate (0.0 to 8.8 %)" in report.to_html()


def test_without_groups_images_are_counted(data):
    report = make_report(data, groups=None, subgroups=data[-1][["source"]])
    assert report.subgroups["groups"].isna().all()
    assert "fewer than 5 images" in report.to_markdown()
    assert not any(note.startswith("Too small") for note in report.notes)


def test_columns_of_any_name_with_many_values(data):
    cases = {"groups": data[2], "is_odd": pd.Categorical(np.arange(261) % 2 == 1)}
    report = make_report(data, subgroups=cases, n_resamples=5)
    (note,) = [note for note in report.notes if note.startswith("Too small")]
    assert "groups A0 (3 images of 1 group)" in note
    assert "75 more, 174 combinations." in note
    assert "Scores by groups" in report.to_markdown()
    assert of_part(report, "is_odd", "True")["images"].unique().tolist() == [130]


@pytest.mark.parametrize(
    ("subgroups", "message"),
    [
        ({"age": np.linspace(20, 80, 261)}, r"'age' .* 261 different .* pandas.cut"),
        ({"source": ["A", "B"]}, "inconsistent"),
        ({}, "at least one column"),
    ],
)
def test_bad_subgroups(data, subgroups, message):
    with pytest.raises(ValueError, match=message):
        make_report(data, subgroups=subgroups)


def test_a_series_is_one_column_and_a_list_is_an_error(data):
    report = make_report(data, subgroups=data[-1]["source"], n_resamples=5)
    assert report.subgroups["column"].unique().tolist() == ["source"]
    with pytest.raises(TypeError, match="a DataFrame or a dict of columns"):
        make_report(data, subgroups=data[-1]["source"].tolist())
