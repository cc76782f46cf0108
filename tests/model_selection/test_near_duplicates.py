"""Copies are found however they were made; others are not."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import StratifiedGroupKFold

from brain_tumor_clf import NearDuplicateGrouper, make_brain_mri
from brain_tumor_clf.exceptions import BlankImageWarning, ImageReadError
from brain_tumor_clf.model_selection._near_duplicates import find_nearest
from brain_tumor_clf.model_selection._thumbnails import (
    change_vectors,
    similar_pairs,
    to_vectors,
    transforms,
)

COPIES = {
    "quality": lambda image: image,
    "smaller": lambda image: image.resize(
        (round(image.width * 0.9), round(image.height * 0.9))
    ),
    "gamma": lambda image: image.point(lambda v: 255 * (v / 255) ** 0.8),
    "brighter": lambda image: image.point(lambda v: min(255, 1.2 * v)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "letterboxed": lambda image: letterbox(image),
}


def letterbox(image):
    canvas = Image.new("L", (image.width * 14 // 10, image.height), 0)
    canvas.paste(image, (image.width // 5, 0))
    return canvas


def save_copy(image, how, path):
    copy = COPIES[how](image.convert("L"))
    copy.save(path, quality=50 if how == "quality" else 90)
    return str(path)


@pytest.fixture(scope="module")
def phantoms():
    return make_brain_mri(n_samples=40, image_size=(96, 96), random_state=0).data


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_found_with_its_original(phantoms, tmp_path, how):
    paths = [
        save_copy(Image.fromarray(image), how, tmp_path / f"{i}.jpg")
        for i, image in enumerate(phantoms[:10])
    ]
    labels = NearDuplicateGrouper().fit_predict([*phantoms[:10], *paths])
    np.testing.assert_array_equal(labels[:10], labels[10:])


def test_without_mirror_a_mirrored_copy_is_not_looked_for(phantoms):
    X = [phantoms[0], phantoms[0][:, ::-1]]
    assert NearDuplicateGrouper().fit(X).n_groups_ == 1
    assert NearDuplicateGrouper(mirror=False).fit(X).n_groups_ == 2


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_rotations_are_found_if_asked_for(phantoms, turns):
    X = [phantoms[0], np.rot90(phantoms[0], turns)]
    assert NearDuplicateGrouper().fit(X).n_groups_ == 2
    pairs = NearDuplicateGrouper(rotations=True).fit(X).pairs_
    # The pair tells how to turn the second back.
    assert pairs["transform"].tolist() == [f"rotation{90 * (4 - turns)}"]
    mirrored = [X[0], X[1][:, ::-1]]
    assert NearDuplicateGrouper(rotations=True).fit(mirrored).n_groups_ == 1


def test_pairs_say_what_and_how(phantoms):
    X = [*phantoms[:3], phantoms[1], phantoms[2][:, ::-1]]
    pairs = NearDuplicateGrouper(threshold=0.999).fit(X).pairs_
    assert pairs[["i", "j", "transform"]].to_numpy().tolist() == [
        [1, 3, "identity"],
        [2, 4, "mirror"],
    ]
    np.testing.assert_allclose(pairs["similarity"], 1, atol=1e-3)


@pytest.mark.parametrize("side", [32, 40, 48, 100])
def test_a_mirror_image_has_the_mirrored_thumbnail(side):
    X = make_brain_mri(n_samples=12, image_size=(side, side), random_state=1).data
    grouper = NearDuplicateGrouper().fit(X)
    found = grouper.query(X[:, :, ::-1])
    assert found["index"].tolist() == list(range(12))
    assert (found["similarity"] > 0.9999).all()


def test_labels_are_numbered_by_first_image(phantoms):
    X = [phantoms[4], phantoms[9], phantoms[4], phantoms[14]]
    assert NearDuplicateGrouper().fit_predict(X).tolist() == [0, 1, 0, 2]


def test_many_equal_images_make_few_pairs(phantoms):
    X = np.repeat(phantoms[:2], 200, axis=0)
    grouper = NearDuplicateGrouper(threshold=1.0).fit(X)
    assert grouper.n_groups_ == 2
    assert len(grouper.pairs_) == 398


def test_images_of_one_grey_are_copies_of_each_other_alone(phantoms):
    X = [np.zeros((50, 40), "uint8"), phantoms[0], np.full((60, 60), 200, "uint8")]
    with pytest.warns(BlankImageWarning):
        assert NearDuplicateGrouper().fit_predict(X).tolist() == [0, 1, 0]


def test_identical_images_are_one_group(phantoms):
    grouper = NearDuplicateGrouper().fit([phantoms[0]] * 7)
    assert grouper.labels_.tolist() == [0] * 7
    assert grouper.pairs_["i"].tolist() == [0] * 6


def test_bits_and_channels_do_not_hide_a_copy(phantoms):
    grey = phantoms[[0, 7, 14]]
    deep = [np.uint16(257) * image for image in grey]
    colored = [np.repeat(image[:, :, None], 3, axis=2) for image in grey]
    labels = NearDuplicateGrouper().fit_predict([*grey, *deep, *colored])
    assert labels.tolist() == [0, 1, 2] * 3


def test_no_image_is_an_error():
    with pytest.raises(ValueError, match="at least 1 image"):
        NearDuplicateGrouper().fit([])


def test_one_image_is_one_group(phantoms):
    grouper = NearDuplicateGrouper().fit(phantoms[:1])
    assert grouper.labels_.tolist() == [0]
    assert grouper.pairs_.empty


def test_links_join_what_does_not_look_alike(phantoms):
    X = phantoms[[0, 4, 9, 14, 19]]
    links = ["P1", None, "P1", np.nan, "P2"]
    assert NearDuplicateGrouper().fit_predict(X, links=links).tolist() == [
        0, 1, 0, 2, 3,
    ]  # fmt: skip
    copies = [*X, X[1]]
    labels = NearDuplicateGrouper().fit_predict(copies, links=[*links[:-1], "P1", "P1"])
    assert labels[1] == labels[0]
    with pytest.raises(ValueError, match="inconsistent numbers"):
        NearDuplicateGrouper().fit(X, links=["P1"])


def test_query_finds_the_nearest(phantoms):
    grouper = NearDuplicateGrouper().fit(phantoms)
    new = [phantoms[7][:, ::-1], phantoms[21], 255 - phantoms[3]]
    found = grouper.query(new)
    assert found["index"].tolist()[:2] == [7, 21]
    assert found["transform"].tolist()[:2] == ["mirror", "identity"]
    assert (found["similarity"][:2] > 0.999).all()
    assert found["similarity"][2] < 0.97


def change_back(how, pictures):
    return transforms(True, True)[how.replace("90", "270")](pictures)


@pytest.mark.parametrize("how", ["identity", "mirror", "rotation90"])
def test_blocks_find_what_one_product_finds(how):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(700, 16, 16)).cumsum(axis=1).cumsum(axis=2)
    near = base + rng.normal(size=base.shape) * base.std() * rng.random((700, 1, 1))
    again = change_back(how, np.concatenate([base, near]))
    pictures = 100 * np.concatenate([base, near, again])
    vectors = to_vectors(pictures)
    change = transforms(True, True)[how]
    changed = to_vectors(change(pictures))
    np.testing.assert_allclose(change_vectors(vectors, change), changed, atol=1e-6)
    i, j, similarity = similar_pairs(vectors, 0.9, change)
    whole = vectors @ changed.T
    expected = np.argwhere(np.triu(whole >= 0.9, k=1))
    assert len(vectors) > 2048
    assert len(expected) > 1500
    order = np.lexsort([j, i])
    np.testing.assert_array_equal(np.column_stack([i, j])[order], expected)
    np.testing.assert_allclose(similarity, whole[i, j], atol=1e-5)


def test_memory_is_far_below_that_of_all_similarities():
    n = 12_000
    rng = np.random.default_rng(0)
    thumbnails = rng.random((n, 2, 8, 8), dtype=np.float32) * 255
    grouper = NearDuplicateGrouper(size=8)
    tracemalloc.start()
    try:
        grouper.fit_thumbnails(thumbnails)
        found = find_nearest(thumbnails, thumbnails, transforms(True, False))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found["index"].tolist() == list(range(n))
    assert peak < 0.2 * 4 * n**2


def test_scikit_learn_habits(phantoms):
    grouper = clone(NearDuplicateGrouper(threshold=0.9, mirror=False))
    assert grouper.get_params()["threshold"] == 0.9
    fitted = pickle.loads(pickle.dumps(grouper.fit(phantoms)))
    np.testing.assert_array_equal(fitted.labels_, grouper.labels_)
    y = np.arange(40) % 2
    for train, test in StratifiedGroupKFold(2).split(phantoms, y, fitted.labels_):
        assert not set(fitted.labels_[train]) & set(fitted.labels_[test])


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1.5}, "threshold"),
        ({"size": 2}, "size"),
        ({"mirror": "yes"}, "mirror"),
    ],
)
def test_bad_parameters(phantoms, params, name):
    with pytest.raises(ValueError, match=name):
        NearDuplicateGrouper(**params).fit(phantoms)


def test_unreadable_files_are_all_named(tmp_path, phantoms):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"")
    X = [str(tmp_path / "a.jpg"), phantoms[0], str(tmp_path / "b.jpg")]
    with pytest.raises(ImageReadError) as caught:
        NearDuplicateGrouper().fit(X)
    assert len(caught.value.failures) == 2


@pytest.fixture(scope="module")
def real(real_mri_dir):
    folder = real_mri_dir / "brain-tumor-mri"
    table = pd.read_csv(folder / "groups.csv")
    table["path"] = [str(folder / file) for file in table["file"]]
    return table


@pytest.mark.slow
def test_real_duplicate_groups_are_found(real):
    grouper = NearDuplicateGrouper(n_jobs=2).fit(real["path"])
    assert adjusted_rand_score(real["duplicate_group"], grouper.labels_) >= 0.99
    known = real.assign(label=grouper.labels_).dropna(subset="patient")
    merged = known.groupby("label")["patient"].nunique() > 1
    assert merged.sum() / grouper.n_groups_ < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("how", COPIES)
def test_copies_of_real_scans_are_found(real, tmp_path, how):
    paths = real["path"].sample(250, random_state=0)
    copies = [
        save_copy(Image.open(path), how, tmp_path / f"{i}.jpg")
        for i, path in enumerate(paths)
    ]
    labels = NearDuplicateGrouper(n_jobs=2).fit_predict([*paths, *copies])
    assert np.mean(labels[:250] == labels[250:]) >= 0.99
