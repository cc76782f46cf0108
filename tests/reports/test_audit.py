"""An audit finds what was put into a data set, and drops nothing."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brain_tumor_clf import NearDuplicateGrouper, audit_dataset, make_brain_mri
from brain_tumor_clf.reports._scan import scan_features


@pytest.fixture(scope="module")
def scans():
    return make_brain_mri(
        n_samples=32, image_size=(64, 64), slices_per_patient=1, random_state=0
    )


def titles(audit, severity=None):
    return [f.title for f in audit.findings if severity in (None, f.severity)]


def save(image, path, **options):
    Image.fromarray(image).save(path, **options)
    return str(path)


@pytest.fixture(scope="module")
def leaky(scans, tmp_path_factory):
    """Sixteen training images, and eight test images of which four are copies."""
    folder = tmp_path_factory.mktemp("leaky")
    X = scans.data
    X_test = [
        X[0],  # exact
        save(X[1], folder / "near.jpg", quality=40),
        X[2][:, ::-1],  # mirrored
        np.repeat(X[3][:, :, None], 3, axis=2),  # exact, though it is RGB
        *X[16:20],
    ]
    y_test = [*scans.target[:4], *scans.target[16:20]]
    return audit_dataset(X[:16], scans.target[:16], X_test, y_test)


def test_copies_across_the_split_are_found_by_kind(leaky):
    kinds = leaky.images.loc[leaky.images["split"] == "test", "copy_in_training"]
    assert kinds.tolist()[:4] == ["exact", "near", "mirrored", "exact"]
    assert kinds[4:].isna().all()
    row = leaky.leakage.loc["all images"]
    assert row[["exact", "near", "mirrored", "with a copy"]].tolist() == [2, 1, 1, 4]
    assert row["share"] == 0.5
    per_class = leaky.leakage.drop(index="all images")
    assert per_class["images"].sum() == 8
    assert per_class["with a copy"].sum() == 4


def test_leakage_is_the_worst_finding_and_tells_what_to_do(leaky):
    finding = leaky.findings[0]
    assert finding.severity == "severe"
    assert finding.title.startswith("4 of 8 test images (50%)")
    assert "audit.unseen()" in finding.fix
    order = [finding.severity for finding in leaky.findings]
    assert order == sorted(order, key=["severe", "warning", "note", "good"].index)
    assert leaky.unseen().tolist() == [4, 5, 6, 7]


def test_controls_are_scored_on_all_test_images_and_on_the_unseen_ones(leaky):
    controls = leaky.controls.set_index(["control", "task", "protocol"])
    assert controls["n"].groupby("protocol").first().to_dict() == {
        "train to test": 8,
        "train to test, unseen": 4,
    }
    assert len(controls) == 3 * 2 * 2
    neighbor = "one nearest neighbor on thumbnails", "all classes", "train to test"
    # Three of the copies are not mirrored: their nearest neighbor is their original.
    assert controls.loc[neighbor, "accuracy"] >= 3 / 8


def test_a_copy_of_a_copy_shares_its_group(scans):
    X, y = scans.data[:8], scans.target[:8]
    audit = audit_dataset(X, y, [X[0], X[0]], [y[0], y[0]], controls=False)
    images = audit.images[audit.images["split"] == "test"]
    assert images["copy"].tolist() == ["exact", "exact"]
    assert images["copy_in_training"].tolist() == ["exact", "exact"]
    assert audit.test_groups.tolist() == [audit.groups[0]] * 2
    assert audit.copies.loc["test", "distinct"] == 1


def test_patients_across_the_split_are_told_apart_from_copies(scans):
    X, y = scans.data, scans.target
    audit = audit_dataset(
        X[:8], y[:8], X[8:12], y[8:12],
        groups=list("aabbccdd"), groups_test=["a", "e", None, np.nan],
        controls=False,
    )  # fmt: skip
    row = audit.leakage.loc["all images"]
    assert row["with a copy"] == 0
    assert row["same group"] == 1
    assert any("1 of 4 test images (25%) share a group" in t for t in titles(audit))
    assert audit.unseen().tolist() == [1, 2, 3]
    # Two unknown patients are not one patient.
    assert len(set(audit.test_groups)) == 4


def test_groups_given_are_joined_with_copies(scans):
    X = [*scans.data[:6], scans.data[0][:, ::-1]]
    y = [*scans.target[:6], scans.target[0]]
    patients = ["a", "a", "b", "c", None, None, "c"]
    groups = audit_dataset(X, y, groups=patients, controls=False).groups
    assert groups.tolist() == [0, 0, 1, 0, 2, 3, 0]


def test_copies_of_different_labels_are_severe_if_equal(scans):
    X = [*scans.data[:8], scans.data[0]]
    y = [*scans.target[:8], "pituitary"]
    assert scans.target[0] != "pituitary"
    audit = audit_dataset(X, y, controls=False)
    pairs = audit.to_frame("pairs")
    differ = pairs[pairs["labels_differ"]]
    assert differ[["i", "j", "kind"]].to_numpy().tolist() == [[0, 8, "exact"]]
    assert "1 pairs of copies carry different labels." in titles(audit, "severe")
    assert audit.to_dict()["n_pairs_of_different_labels"] == 1


def test_representatives_are_the_largest_of_each_group(scans):
    small, large = scans.data[0], np.kron(scans.data[0], np.ones((2, 2), np.uint8))
    X = [small, scans.data[1], large, scans.data[1][:, ::-1]]
    audit = audit_dataset(X, ["glioma", "notumor", "glioma", "notumor"], controls=False)
    np.testing.assert_array_equal(audit.representatives(), [1, 2])


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
        'audit.to_frame("unreadable")  # mend or remove these files',
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
        "grey", "grey", "RGB", "grey", "RGB", "grey", "palette", "grey",
    ]  # fmt: skip
    assert frame["bits"].tolist() == [8, 16, 8, 16, 8, 1, 8, 64]
    # The same picture, grey or stored as three equal channels.
    assert frame["digest"][0] == frame["digest"][2] == frame["digest"][4]


def test_statistics_know_no_place(scans):
    image = scans.data[0]
    shuffled = np.random.default_rng(0).permutation(image.ravel()).reshape(image.shape)
    statistics = scan_features([image, shuffled]).statistics
    np.testing.assert_array_equal(statistics[0], statistics[1])
    assert statistics[0, 0] == pytest.approx(image.mean())
    assert statistics[0, 1] == pytest.approx(image.std())


def test_sizes_that_give_the_class_away_are_found():
    rng = np.random.default_rng(0)
    y = np.repeat(["glioma", "notumor"], 20)
    sizes = np.where(y == "glioma", 40, 48)
    X = [rng.integers(0, 255, (size, size), dtype=np.uint8) for size in sizes]
    audit = audit_dataset(X, y, n_splits=2)
    found = "Image size and color mode alone tell tumor or not in 100.0% of images."
    assert found in titles(audit, "severe")


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
    with pytest.raises(ValueError, match="4 images and 3 labels"):
        audit_dataset(X, y[:3])
    with pytest.raises(ValueError, match="got only X_test"):
        audit_dataset(X, y, X)
    with pytest.raises(ValueError, match=r"groups must hold .* each of 4 images"):
        audit_dataset(X, y, groups=[1, 2])
    with pytest.raises(ValueError, match="groups_test was given without X_test"):
        audit_dataset(X, y, groups_test=[1])
    with pytest.raises(ValueError, match="no test images"):
        audit_dataset(X, y).unseen()


def test_groups_are_those_of_the_grouper(scans):
    X = [*scans.data[:8], scans.data[0][:, ::-1], scans.data[3]]
    y = [*scans.target[:8], scans.target[0], scans.target[3]]
    labels = NearDuplicateGrouper().fit_predict(X)
    np.testing.assert_array_equal(audit_dataset(X, y, controls=False).groups, labels)
    unmirrored = NearDuplicateGrouper(mirror=False)
    audit = audit_dataset(X, y, grouper=unmirrored, controls=False)
    np.testing.assert_array_equal(audit.groups, unmirrored.fit_predict(X))


def test_two_audits_are_equal_and_change_nothing(scans):
    X, y = scans.data[:12].copy(), scans.target[:12].copy()
    first = audit_dataset(X, y, n_splits=2, n_jobs=2).to_dict()
    second = audit_dataset(X, y, n_splits=2, n_jobs=2).to_dict()
    assert first == second
    np.testing.assert_array_equal(y, scans.target[:12])
    np.testing.assert_array_equal(X, scans.data[:12])


def test_each_image_is_decoded_once(scans, tmp_path, monkeypatch):
    paths = [save(image, tmp_path / f"{i}.png") for i, image in enumerate(scans.data)]
    from brain_tumor_clf.preprocessing import _read

    decoded, original = [], _read.decode
    monkeypatch.setattr(
        _read, "decode", lambda *a, **k: decoded.append(1) or original(*a, **k)
    )
    audit_dataset(paths, scans.target, n_splits=2)
    assert len(decoded) == len(paths)


def test_the_protocol_says_what_it_was_computed_on(leaky):
    protocol = leaky.to_dict()["protocol"]
    assert protocol["data"] == "16 training images, 8 test images"
    assert protocol["n"] == 24
    assert protocol["n_groups"] == leaky.images["group"].nunique()
    assert protocol["seed"] == 0
    assert {"brain-tumor-clf", "numpy", "scikit-learn"} <= set(protocol["versions"])
    assert "NearDuplicateGrouper" in " ".join(protocol["notes"])


def test_views(leaky):
    check_views(leaky)
    assert "| notumor | " in leaky.to_markdown()
    assert leaky.to_html().count("<img ") == 2 * len(leaky.pairs)
    assert leaky.to_frame("findings")["severity"].iloc[0] == "severe"
    assert len(leaky.to_frame()) == 24
    with pytest.raises(ValueError, match="Did you mean 'controls'"):
        leaky.to_frame("control")


def test_a_picture_that_is_gone_is_said_to_be(scans, tmp_path):
    path = save(scans.data[0], tmp_path / "scan.png")
    X, y = [*scans.data[:4], path], [*scans.target[:4], scans.target[0]]
    audit = audit_dataset(X, y, controls=False)
    assert "can no longer be read" not in audit.to_html()
    (tmp_path / "scan.png").unlink()
    assert "can no longer be read" in audit.to_html()


def test_page_is_written(leaky, tmp_path):
    text = leaky.to_html(tmp_path / "audit.html", n_pairs=1)
    assert (tmp_path / "audit.html").read_text(encoding="utf-8") == text
    assert text.count("<img ") == 2


def test_plot(leaky, scans):
    plt = pytest.importorskip("matplotlib.pyplot")
    for audit in (leaky, audit_dataset(scans.data[:1], ["notumor"])):
        figure = audit.plot()
        figure.canvas.draw()
        assert len(figure.axes) == 4
        plt.close(figure)


def test_multi_frame_files_are_a_note_not_a_warning(scans, tmp_path):
    frames = [Image.fromarray(image) for image in scans.data[:2]]
    path = tmp_path / "two.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    audit = audit_dataset(
        [str(path), *scans.data[2:6]], ["glioma", *scans.target[2:6]], controls=False
    )
    assert any("only the first frame" in title for title in titles(audit, "note"))


@pytest.mark.slow
def test_real_scans(real_mri_dir):
    from brain_tumor_clf import load_mri_folder

    scans = load_mri_folder(real_mri_dir / "brain-tumor-mri" / "Training")
    at = np.random.default_rng(0).permutation(len(scans.data))[:600]
    X, y, groups = scans.data[at], scans.target[at], scans.groups[at]
    audit = audit_dataset(X, y, groups=groups)
    assert audit.findings[0].title.startswith("A plain split flatters")
    modes = audit.appearance.set_index("class")["modes"]
    assert modes["notumor"].startswith("RGB 9")
    assert modes["glioma"].startswith("grey")


def check_views(audit):
    """All views can be made, name the purpose, and load nothing."""
    json.dumps(audit.to_dict(), allow_nan=False)
    page = audit.to_html()
    for text in (page, audit.to_markdown(), audit._repr_html_()):
        assert "Research only, not a medical device." in text
        assert audit.findings[0].title in text
    assert "http" not in page.replace("data:image/png", "")
    assert "<script" not in page
