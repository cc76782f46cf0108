"""An audit finds what was put into a data set, and drops nothing."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

from brain_tumor_clf import (
    NearDuplicateGrouper,
    SimpleCNNClassifier,
    audit_dataset,
    evaluate,
    make_mri_pipeline,
)
from brain_tumor_clf.reports._scan import scan_features
from tests.reports.audits import save, titles


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


def test_what_findings_tell_to_do_can_be_done(leaky, scans):
    copies = audit_dataset(
        [*scans.data, *scans.data[:8, :, ::-1]], [*scans.target, *scans.target[:8]]
    )
    for audit in (leaky, copies):
        parts = dict(list(audit.images.groupby("split")))
        names = {
            "audit": audit,
            "SimpleCNNClassifier": SimpleCNNClassifier,
            "StratifiedGroupKFold": StratifiedGroupKFold,
            "cross_val_score": cross_val_score,
            "audit_dataset": audit_dataset,
            "evaluate": evaluate,
            "make_mri_pipeline": make_mri_pipeline,
            "pipe": DummyClassifier(),
            "patients": None,
        }
        for split, suffix in (("train", ""), ("test", "_test")):
            if split in parts:
                names["X" + suffix] = audit._sources[split]
                names["y" + suffix] = parts[split]["label"].to_numpy()
        names["clf"] = DummyClassifier().fit(names["X"], names["y"])
        for finding in audit.findings:
            exec(finding.fix, dict(names))


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


def test_without_shared_groups_controls_are_not_told_twice(scans):
    X, y = scans.data, scans.target
    audit = audit_dataset(X[:8], y[:8], X[8:12], y[8:12])
    assert audit.leakage.loc["all images", "same group"] == 0
    assert set(audit.controls["protocol"]) == {"train to test"}


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
    from brain_tumor_clf.preprocessing import _reader

    decoded, original = [], _reader.decode
    monkeypatch.setattr(
        _reader, "decode", lambda *a, **k: decoded.append(1) or original(*a, **k)
    )
    audit_dataset(paths, scans.target, n_splits=2)
    assert len(decoded) == len(paths)


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
    assert modes["glioma"].startswith("gray")
