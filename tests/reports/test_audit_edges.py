"""An audit of what is broken, tiny or odd says so, and computes the rest."""

import io
import json
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from brain_tumor_clf import audit_dataset
from brain_tumor_clf.reports._scan import scan_features
from tests.reports.audits import check_views, save, titles


def test_unreadable_images_are_reported_and_the_rest_is_computed(scans, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    X = [str(bad), *scans.data[:8], "missing.png"]
    y = ["glioma", *scans.target[:8], "notumor"]
    audit = audit_dataset(X, y)
    unreadable = audit.to_frame("unreadable")
    assert unreadable["index"].tolist() == [0, 9]
    assert "no such file" in unreadable["failure"].iloc[1]
    assert audit.counts.loc["all images", "train images"] == 10
    assert audit.counts.loc["all images", "train unreadable"] == 2
    assert audit.appearance["images"].sum() == 8
    assert set(audit.controls["n"]) == {8}
    assert "2 of 10 images cannot be read." in titles(audit, "warning")
    assert "in no figure but the counts" in audit.to_markdown()
    np.testing.assert_array_equal(audit.representatives(), np.arange(1, 9))
    assert len(set(audit.groups)) == 10


def test_all_unreadable_is_a_report_too():
    audit = audit_dataset(["a.png", "b.png"], ["glioma", "notumor"])
    assert audit.findings[0] == (
        "severe",
        "2 of 2 images cannot be read.",
        "Nothing could be computed beside the counts of labels.",
        'audit.to_frame("unreadable")  # repair or remove these files',
    )
    assert len(audit.controls) == 0
    assert len(audit.representatives()) == 0
    check_views(audit)


def test_unreadable_test_images_are_not_counted_as_unseen(scans):
    X, y = scans.data[:8], scans.target[:8]
    audit = audit_dataset(X, y, ["missing.png", X[0]], ["notumor", y[0]])
    assert audit.leakage.loc["all images", "images"] == 1
    assert audit.leakage.loc["all images", "share"] == 1
    assert audit.unseen().tolist() == []
    all_bad = audit_dataset(X, y, ["missing.png"], ["notumor"])
    assert np.isnan(all_bad.leakage.loc["all images", "share"])
    assert len(all_bad.controls) == 0
    check_views(all_bad)


def test_controls_can_be_left_out(scans):
    audit = audit_dataset(scans.data[:4], scans.target[:4], controls=False)
    notes = {f.title: f.detail for f in audit.findings}
    assert notes["Controls were not run."] == "controls=False was given."
    check_views(audit)


def test_one_image(scans):
    audit = audit_dataset(scans.data[:1], ["notumor"])
    assert audit.representatives().tolist() == [0]
    assert len(audit.pairs) == len(audit.controls) == 0
    assert "Controls were not run." in titles(audit)
    check_views(audit)


def test_identical_images(scans):
    X = [scans.data[0]] * 6
    y = ["glioma", "notumor"] * 3
    audit = audit_dataset(X, y)
    assert audit.copies.loc["train", "distinct"] == 1
    assert audit.representatives().tolist() == [0]
    # One group cannot be split; image by image, copies are on both sides.
    assert audit.controls["protocol"].unique().tolist() == ["ungrouped 3-fold"]
    assert "There are 1 groups, fewer than 5 folds." in titles(audit, "warning")
    check_views(audit)


def test_fewer_groups_than_folds(scans):
    y = np.repeat(["glioma", "notumor"], 4)
    audit = audit_dataset(scans.data[:8], y, groups=[0, 0, 1, 1, 2, 2, 2, 2])
    assert {"grouped 3-fold"} <= set(audit.controls["protocol"])
    assert any("3 groups, fewer than 5 folds" in title for title in titles(audit))
    assert "Class notumor is one group of 4 images." in titles(audit, "warning")


def test_a_class_of_one_group_is_scored_though_never_learned(scans):
    y = np.array(["glioma"] * 14 + ["notumor"] * 2)
    groups = [*range(14), 14, 14]
    audit = audit_dataset(scans.data[:16], y, groups=groups, n_splits=2)
    grouped = audit.controls[audit.controls["protocol"] == "grouped 2-fold"]
    assert set(grouped["n"]) == {16}
    assert (grouped["accuracy"] <= 14 / 16).all()


def test_a_class_that_training_lacks(scans):
    X, y = scans.data, scans.target
    known = y[:16] != "pituitary"
    audit = audit_dataset(X[:16][known], y[:16][known], X[16:24], y[16:24])
    assert "No training image is of class pituitary, which test images have." in titles(
        audit, "severe"
    )
    right = audit.controls.query("task == 'all classes'")["accuracy"]
    assert (right <= (y[16:24] != "pituitary").mean()).all()
    assert audit.counts.loc["pituitary", "train images"] == 0


def test_modes_and_bits_are_as_stored(scans, tmp_path):
    image = scans.data[0]
    X = [
        image,
        image.astype(np.uint16) * 200,
        np.repeat(image[:, :, None], 3, axis=2),
        save(image.astype(np.uint16) * 200, tmp_path / "wide.png"),
        save(np.repeat(image[:, :, None], 3, axis=2), tmp_path / "rgb.png"),
        save(image > 40, tmp_path / "bilevel.png"),
        Image.fromarray(image).convert("P"),
        image / 255.0,
    ]
    frame = scan_features(X).frame
    assert frame["mode"].tolist() == [
        "gray", "gray", "RGB", "gray", "RGB", "gray", "palette", "gray",
    ]  # fmt: skip
    assert frame["bits"].tolist() == [8, 16, 8, 16, 8, 1, 8, 64]
    # The same picture, gray or stored as three equal channels.
    assert frame["digest"][0] == frame["digest"][2] == frame["digest"][4]


def test_nothing_is_found_in_noise():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (40, 48, 48), dtype=np.uint8)
    y = np.tile(["glioma", "notumor"], 20)
    audit = audit_dataset(X, y, groups=np.arange(40), n_splits=3)
    assert titles(audit, "severe") == titles(audit, "warning") == []


def test_the_healthy_class_is_named_or_left_out(scans):
    y = np.where(scans.target == "notumor", "no_tumor", scans.target)
    with pytest.raises(ValueError, match="Did you mean healthy='no_tumor'"):
        audit_dataset(scans.data, y)
    audit = audit_dataset(scans.data[:8], y[:8], healthy=None, n_splits=2)
    assert set(audit.controls["task"]) == {"all classes"}
    assert '"Tumor or not" was left out.' in titles(audit, "note")
    all_healthy = audit_dataset(scans.data[:8], ["notumor"] * 8, n_splits=2)
    assert '"Tumor or not" was left out.' in titles(all_healthy, "note")


def test_labels_may_be_numbers(scans):
    y = pd.Series(np.arange(8) % 2)
    audit = audit_dataset(scans.data[:8], y, healthy=0, n_splits=2)
    assert set(audit.controls["task"]) == {"all classes", "tumor or not"}
    assert json.loads(json.dumps(audit.to_dict()))["healthy"] == 0


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_labels_are_an_error_with_positions(scans, missing):
    y = np.array(scans.target[:4], dtype=object)
    y[[1, 3]] = missing
    with pytest.raises(ValueError, match=r"y has no label for 2 of 4.*1, 3"):
        audit_dataset(scans.data[:4], y)
    with pytest.raises(ValueError, match="y_test has no label"):
        audit_dataset(scans.data, scans.target, scans.data[:4], y)


def test_what_does_not_fit_together_is_an_error(scans):
    X, y = scans.data[:4], scans.target[:4]
    with pytest.raises(ValueError, match=r"inconsistent .*\[4, 3\]"):
        audit_dataset(X, y[:3])
    with pytest.raises(ValueError, match="got only X_test"):
        audit_dataset(X, y, X)
    with pytest.raises(ValueError, match=r"inconsistent .*\[4, 4, 2\]"):
        audit_dataset(X, y, groups=[1, 2])
    with pytest.raises(ValueError, match="groups_test was given without X_test"):
        audit_dataset(X, y, groups_test=[1])
    with pytest.raises(ValueError, match="no test images"):
        audit_dataset(X, y).unseen()


def test_multi_frame_files_are_a_note_not_a_warning(scans, tmp_path):
    frames = [Image.fromarray(image) for image in scans.data[:2]]
    path = tmp_path / "two.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    audit = audit_dataset(
        [str(path), *scans.data[2:6]], ["glioma", *scans.target[2:6]], controls=False
    )
    assert any("only the first frame" in title for title in titles(audit, "note"))


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_are_not_utf8_stop_no_format(scans, tmp_path):
    folder = os.fsencode(tmp_path)
    good, bad = (os.fsdecode(folder + name) for name in (b"/a\xff.png", b"/b\xff.png"))
    save(scans.data[0], good)
    with open(bad, "wb"):
        pass
    X, y = [good, bad, *scans.data[:4]], ["glioma", "glioma", *scans.target[:4]]
    audit = audit_dataset(X, y, controls=False)
    (tmp_path / "audit.html").write_text("old")
    audit.to_html(tmp_path / "audit.html")
    assert "Audit" in (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert os.listdir(folder).count(b"audit.html") == 1
    json.dumps(audit.to_dict(), allow_nan=False)
    shown = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    audit.print(Console(file=shown))
    shown.flush()
    assert b"/b\xff.png: the file is empty" in shown.buffer.getvalue()
