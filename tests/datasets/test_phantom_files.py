"""write_brain_mri: a folder as mixed as real ones, that load_mri_folder reads back."""

import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brain_tumor_clf import load_mri_folder, make_brain_mri, write_brain_mri
from brain_tumor_clf.exceptions import DatasetError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("phantoms") / "new" / "set"


@pytest.fixture(scope="module")
def written(folder):
    return write_brain_mri(folder, 96, 48, write_masks=True, random_state=0)


def open_all(paths):
    images = []
    for path in paths:
        with Image.open(path) as image:
            image.load()
            images.append(image)
    return images


class TestFolder:
    def test_load_mri_folder_reads_it_back(self, folder, written):
        scans = load_mri_folder(folder)
        np.testing.assert_array_equal(scans.data, written.data)
        np.testing.assert_array_equal(scans.target, written.target)
        np.testing.assert_array_equal(scans.groups, written.groups)
        assert scans.target_names == written.target_names
        assert scans.ignored == []

    def test_groups_table(self, folder, written):
        table = pd.read_csv(folder / "groups.csv")
        assert list(table.columns) == ["file", "label", "group", "plane"]
        assert [str(folder / name) for name in table["file"]] == written.data.tolist()
        assert table["group"].value_counts().eq(2).all()

    def test_sizes_formats_and_modes_are_mixed(self, written):
        images = open_all(written.data)
        assert {image.format for image in images} == {"JPEG", "PNG"}
        assert {image.mode for image in images} == {"L", "RGB"}
        sizes = np.array([image.size for image in images])
        assert len(np.unique(sizes, axis=0)) > 50
        assert sizes.min() >= 36
        assert sizes.max() <= 60

    def test_some_are_dark_and_some_bright(self, written):
        tops = [
            np.percentile(image.convert("L"), 99) for image in open_all(written.data)
        ]
        assert min(tops) < 90
        assert max(tops) > 200

    def test_none_of_that_depends_on_the_class(self, written):
        images = open_all(written.data)
        for label in written.target_names:
            of_class = [
                image
                for image, name in zip(images, written.target, strict=True)
                if name == label
            ]
            assert {image.format for image in of_class} == {"JPEG", "PNG"}
            assert {image.mode for image in of_class} == {"L", "RGB"}

    def test_masks(self, written):
        images, masks = open_all(written.data), open_all(written.masks)
        for image, mask, label in zip(images, masks, written.target, strict=True):
            assert mask.size == image.size
            values = set(np.unique(mask).tolist())
            assert values == ({0} if label == "notumor" else {0, 255})

    def test_no_masks_unless_asked_for(self, tmp_path):
        scans = write_brain_mri(tmp_path, 4, 32, random_state=0)
        assert "masks" not in scans
        assert not (tmp_path / ".masks").exists()

    def test_same_heads_as_in_memory(self, written):
        scans = make_brain_mri(96, 48, random_state=0)
        order = np.lexsort((written.planes, written.groups))
        again = np.lexsort((scans.planes, scans.groups))
        np.testing.assert_array_equal(written.target[order], scans.target[again])
        np.testing.assert_array_equal(written.planes[order], scans.planes[again])

    def test_deterministic(self, written, tmp_path):
        again = write_brain_mri(tmp_path, 96, 48, random_state=0)
        for one, two in zip(written.data, again.data, strict=True):
            assert os.path.basename(one) == os.path.basename(two)
            with open(one, "rb") as first, open(two, "rb") as second:
                assert first.read() == second.read()


class TestErrors:
    def test_nothing_is_overwritten(self, tmp_path):
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(DatasetError, match=r"not empty: it holds thesis\.tex"):
            write_brain_mri(tmp_path, 4, 32)
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]

    def test_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(DatasetError, match="is a file"):
            write_brain_mri(tmp_path / "file", 4, 32)

    def test_wrong_arguments_make_no_folder(self, tmp_path):
        with pytest.raises(ValueError, match="positive integer"):
            write_brain_mri(tmp_path / "new", 0)
        with pytest.raises(ValueError, match="at least 24 pixels"):
            write_brain_mri(tmp_path / "new", 4, 20)
        assert not (tmp_path / "new").exists()
