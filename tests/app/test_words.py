"""What is said beside a result, and how strangers' text is made harmless."""

import pytest

from brain_tumor_clf.app import _fragments, _metadata
from brain_tumor_clf.app._metadata import Abstention, Reliability
from brain_tumor_clf.app._plain import escaped, plain
from brain_tumor_clf.app._remarks import doubt, track_record, warning_of
from brain_tumor_clf.app._results import (
    CLASSIFIED,
    NOT_A_SCAN,
    NOT_SURE,
    UNREADABLE,
    Answer,
    Result,
)
from tests.app.conftest import METADATA, DarkCornerGuard


def answer(label="glioma", probability=0.9, other=0.1):
    return Answer(label, probability, {label: probability, "pituitary": other})


def result(state=CLASSIFIED, **changes):
    fields = {"name": "a.png", "answer": answer(), "size": (200, 200)}
    return Result(state=state, **{**fields, **changes})


@pytest.fixture
def guarded(make_model):
    return make_model(guard=DarkCornerGuard())


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (result(), None),
        (result(NOT_A_SCAN), "The guard takes this for something else"),
        (result(notes=("only the first frame was read; ImageReader(…)",)), "Only the"),
        (result(size=(200, 32)), "Only 32x200 pixels"),
        (result(NOT_SURE), "Its likeliest class has 90.0 %"),
        (result(answer=answer(probability=0.6, other=0.4)), "pituitary is nearly as"),
        (result(answer=answer("notumor")), "One slice without a tumor"),
        (result(UNREADABLE, answer=None), None),
    ],
)
def test_the_warning_that_matters(guarded, of, said):
    found = warning_of(of, guarded)
    assert found is None if said is None else found.startswith(said)
    assert "ImageReader" not in (found or "")


def test_warnings_of_a_model_without_guard_and_of_phantoms(make_model, guarded):
    assert "no guard" in warning_of(result(), make_model())
    refused = warning_of(result(NOT_A_SCAN), guarded, is_phantom=True)
    assert "refuses it: as it should" in refused
    passed = warning_of(result(), guarded, is_phantom=True)
    assert "The guard let it pass." in passed
    assert "nothing about patients" in passed


def test_track_record(make_model):
    model = make_model()
    assert "right in 90 % of 60 cases" in track_record(answer(), model)
    assert "right in 40 % of 20" in track_record(answer(probability=0.5 - 1e-9), model)
    assert "never this sure" in track_record(answer(probability=0.1), model)
    assert track_record(answer(), make_model(reliability=None)) is None


def test_doubt_names_the_threshold_and_what_it_is_for():
    text = doubt(answer(probability=0.52), Abstention(0.7, 0.03, None))
    assert "52.0 %" in text
    assert "from 70.0 % on" in text
    assert "at most 3.0 % of answers err" in text


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("abstention", {"threshold": "high"}),
        ("abstention", {"threshold": 3}),
        ("abstention", {"threshold": float("nan")}),
        ("abstention", [0.5]),
        ("reliability", {"edges": [0, 1], "accuracy": [0.5], "n": []}),
        ("reliability", {"edges": [1, 0], "accuracy": [0.5], "n": [3]}),
        ("reliability", {"edges": [0, 1], "accuracy": [None], "n": [3]}),
        ("confusion_matrix", {"classes": ["a"], "counts": [[1, 2]]}),
        ("confusion_matrix", {"classes": ["a"], "counts": [["<b>"]]}),
        ("risk_coverage", {"coverage": [0.1], "risk": []}),
        ("risk_coverage", None),
        ("model_card", ["text"]),
        ("model_card", "  "),
    ],
)
def test_malformed_metadata_count_as_absent(name, entry):
    read = {
        "abstention": _metadata.read_abstention,
        "reliability": _metadata.read_reliability,
        "confusion_matrix": _metadata.read_confusion,
        "risk_coverage": _metadata.read_risk_coverage,
        "model_card": _metadata.read_card,
    }[name]
    assert read(METADATA) is not None
    assert read({name: entry}) is None
    assert read({}) is None


def test_reliability_at_its_edges():
    reliability = Reliability([0.25, 0.5, 1], [0.4, 0.9], [1, 2])
    assert reliability.at(1) == (0.9, 2)
    assert reliability.at(0.5) == (0.9, 2)
    assert reliability.at(0.1) is None


HOSTILE = "<img src=x onerror=alert(1)>\u202e\n\x1b[31m\u0000[a](http://b) $x$.png"


def test_names_are_escaped_wherever_they_are_html():
    shown = escaped(HOSTILE)
    assert "<" not in shown
    assert not set("\u202e\n\x1b\x00") & set(shown)
    assert "<img" not in _fragments.file_line(HOSTILE, (3, 4))
    assert "<img" not in _fragments.line(HOSTILE)
    assert "<img" not in _fragments.warning(HOSTILE)
    bad = answer(HOSTILE)
    assert "<img" not in _fragments.bars(bad)
    assert "<img" not in _fragments.headline(result(answer=bad))


def test_a_long_name_keeps_its_ends():
    assert plain("begin" + "x" * 500 + "end.png").startswith("begin")
    assert plain("begin" + "x" * 500 + "end.png").endswith("end.png")
    assert len(plain("x" * 500)) <= 81
    assert plain(" \u200b ") == "unnamed"


@pytest.mark.parametrize(
    ("of", "anyway", "said"),
    [
        (result(), False, "glioma"),
        (result(NOT_SURE), False, "Not sure: ask a radiologist"),
        (result(NOT_A_SCAN), False, "Not a brain scan"),
        (result(NOT_A_SCAN), True, "glioma"),
        (result(UNREADABLE), False, "Could not be read"),
    ],
)
def test_headline(of, anyway, said):
    shown = _fragments.headline(of, anyway=anyway)
    assert f'<div class="what">{said}' in shown
    assert ("glioma" in shown) == (said == "glioma")
    assert ("Not a brain scan" in shown) == (of.state == NOT_A_SCAN)
