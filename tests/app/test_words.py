"""What is said beside a result, and how foreign text is made harmless."""

import pytest

from brain_tumor_clf.app import _metadata
from brain_tumor_clf.app._metadata import Reliability
from brain_tumor_clf.app._results import Result
from brain_tumor_clf.app._words import (
    bars,
    headline,
    plain,
    render,
    track_record,
    warning_of,
)
from brain_tumor_clf.selective import CLASSIFIED, NOT_A_SCAN, UNCERTAIN, UNREADABLE
from tests.app.conftest import METADATA, DarkCornerGuard


def result(state=CLASSIFIED, label="glioma", probability=0.9, other=0.1, **changes):
    fields = {
        "label": label if state == CLASSIFIED else None,
        "probabilities": {label: probability, "pituitary": other},
        "size": (200, 200),
    }
    return Result("a.png", state, **{**fields, **changes})


@pytest.fixture
def guarded(make_model):
    abstention = {"threshold": 0.95, "error_rate": 0.03}
    return make_model(guard=DarkCornerGuard(), abstention=abstention)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (result(), None),
        (result(NOT_A_SCAN), "The guard, an out-of-distribution detector, rejected"),
        (result(notes=("only the first frame was read; ImageReader(…)",)), "Only the"),
        (result(size=(200, 32)), "The image has only 32x200 pixels"),
        (
            result(UNCERTAIN),
            "The most likely class, glioma, has a probability of 90.0%",
        ),
        (result(UNCERTAIN, probability=1, reason="why; how"), "Why."),
        (result(UNCERTAIN, probabilities={}, reason="not finite"), "Not finite."),
        (
            result(probability=0.6, other=0.4),
            "A second class is also likely: pituitary",
        ),
        (result(label="notumor"), "A slice without a tumor"),
        (result("none of these", reason="another disease"), "Another disease."),
        (result(UNREADABLE, probabilities={}), None),
    ],
)
def test_the_warning_that_matters(guarded, of, said):
    found = warning_of(of, guarded)
    assert found is None if said is None else found.startswith(said)
    assert "ImageReader" not in (found or "")


def test_warnings_of_a_model_without_guard_and_of_phantoms(make_model, guarded):
    assert "no guard" in warning_of(result(), make_model())
    rejected = warning_of(result(NOT_A_SCAN), guarded, is_phantom=True)
    assert "rejected it, as it should" in rejected
    passed = warning_of(result(), guarded, is_phantom=True)
    assert "The guard accepted it." in passed
    assert "nothing about patients" in passed


def test_track_record(make_model):
    model = make_model()
    assert "right in 90% of 60 cases" in track_record(result(), model)
    assert "right in 40% of 20" in track_record(result(probability=0.5 - 1e-9), model)
    assert "no prediction had" in track_record(result(probability=0.1), model)
    assert track_record(result(), make_model(reliability=None)) is None


def test_an_uncertain_result_names_the_threshold_and_its_aim(guarded):
    text = warning_of(result(UNCERTAIN, probability=0.52), guarded)
    assert "52.0%" in text
    assert "below the abstention threshold of 95.0%" in text
    assert "wrong answers to at most 3.0%" in text
    assert "Ask a radiologist" in text


@pytest.mark.parametrize(
    ("name", "entry"),
    [
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
    shown = render("file", name=HOSTILE, size=(3, 4))
    assert "<img" not in shown
    assert not set("\u202e\x1b\x00") & set(shown)
    for name in ("text", "soft", "warning", "subtitle", "footer"):
        assert "<img" not in render(name, text=HOSTILE)
    assert "<img" not in render("facts", rows=[(HOSTILE, HOSTILE)])
    hostile = result(label=HOSTILE)
    assert "<img" not in bars(hostile, 0.5)
    assert "<img" not in headline(hostile)


def test_a_long_name_keeps_its_ends():
    assert plain("begin" + "x" * 500 + "end.png").startswith("begin")
    assert plain("begin" + "x" * 500 + "end.png").endswith("end.png")
    assert len(plain("x" * 500)) <= 81
    assert plain(" \u200b ") == "unnamed"


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (result(), "glioma"),
        (result(UNCERTAIN), "Uncertain"),
        (result(NOT_A_SCAN, probabilities={}), "Not a scan"),
        (result(UNREADABLE, probabilities={}), "Unreadable"),
        (result("unfamiliar scan", probabilities={}), "Unfamiliar scan"),
    ],
)
def test_headline(of, said):
    shown = headline(of)
    assert f'<div class="what">{said}' in shown
    assert ("glioma" in shown) == (said == "glioma")
    assert ("Not a scan" in shown) == (of.state == NOT_A_SCAN)


def test_headline_of_a_prediction_for_a_rejected_image():
    shown = headline(result(UNCERTAIN), rejected=True)
    assert '<div class="what">glioma' in shown
    assert "Not a scan" in shown
