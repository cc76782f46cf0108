"""load_mri_folder: what counts as an image, as a class, as a split and as a group."""

import os
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brain_tumor_clf import load_mri_folder
from brain_tumor_clf.datasets._folder import has_subsets
from brain_tumor_clf.exceptions import BlankImageWarning, DatasetError
from brain_tumor_clf.preprocessing import ImageReader, find_image_files

SUFFIXES = [".jpg", ".JPG", ".jpeg", ".JPEG", ".png", ".PNG"]
SUFFIXES += [".bmp", ".tif", ".TIFF", ".webp", ".Dcm"]


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    format_ = "PNG" if path.suffix.lower() in (".png", "") else "JPEG"
    Image.new("L", (9, 8), 90).save(path, format=format_)
    return path


def write_dicom(path):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    path.parent.mkdir(parents=True, exist_ok=True)
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    scan = pydicom.dataset.FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    scan.Modality, scan.Rows, scan.Columns = "MR", 2, 2
    scan.BitsAllocated, scan.BitsStored, scan.HighBit = 16, 12, 11
    scan.SamplesPerPixel, scan.PixelRepresentation = 1, 0
    scan.PhotometricInterpretation = "MONOCHROME2"
    scan.PixelData = np.arange(4, dtype=np.uint16).tobytes()
    scan.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def two_classes(tmp_path):
    for name in ("glioma/b.jpg", "glioma/a.jpg", "notumor/c.png"):
        write_image(tmp_path / "set" / name)
    return tmp_path / "set"


@pytest.fixture
def split_set(tmp_path):
    for split in ("Training", "Testing"):
        for name in ("glioma/x.jpg", "notumor/y.jpg"):
            write_image(tmp_path / "kaggle" / split / name)
    write_image(tmp_path / "kaggle/Training/notumor/z.jpg")
    return tmp_path / "kaggle"


def names_of(bunch, folder):
    return [os.path.relpath(path, folder).replace(os.sep, "/") for path in bunch.data]


class TestFolder:
    def test_attributes(self, two_classes):
        scans = load_mri_folder(two_classes)
        expected = ["glioma/a.jpg", "glioma/b.jpg", "notumor/c.png"]
        assert names_of(scans, two_classes) == expected
        assert scans.data.shape == (3,)
        assert all(type(path) is str for path in scans.data)
        assert scans.target.tolist() == ["glioma", "glioma", "notumor"]
        assert scans.target_names == ["glioma", "notumor"]
        assert list(scans.frame.columns) == ["path", "label"]
        assert scans.frame["path"].tolist() == scans.data.tolist()
        assert scans.groups is None
        assert scans.ignored == []
        assert "3 images" in scans.DESCR
        assert "2 glioma" in scans.DESCR

    def test_accepts_a_string(self, two_classes):
        assert len(load_mri_folder(str(two_classes)).data) == 3

    def test_a_path_with_dots_and_a_trailing_slash(self, two_classes, monkeypatch):
        write_csv(two_classes, {"a.jpg": "p", "b.jpg": "p"}, "glioma/")
        append_csv(two_classes, {"notumor/c.png": "q"})
        monkeypatch.chdir(two_classes / "glioma")
        assert load_mri_folder("../").groups.tolist() == ["p", "p", "q"]

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_suffixes_in_any_case(self, two_classes, suffix):
        (two_classes / "glioma" / f"scan{suffix}").write_bytes(b"not opened")
        assert len(load_mri_folder(two_classes).data) == 4

    @pytest.mark.parametrize(
        "name",
        [
            ".ipynb_checkpoints/a-checkpoint.jpg",
            "glioma/.ipynb_checkpoints/a-checkpoint.jpg",
            "glioma/.DS_Store",
            "glioma/._a.jpg",
            "glioma/Thumbs.db",
            "glioma/THUMBS.DB",
            "__MACOSX/glioma/a.jpg",
        ],
    )
    def test_hidden_is_never_counted(self, two_classes, name):
        write_image(two_classes / name)
        scans = load_mri_folder(two_classes)
        assert len(scans.data) == 3
        assert scans.target_names == ["glioma", "notumor"]
        assert scans.ignored == []

    @pytest.mark.parametrize("name", ["IM0001", "1.2.840.113619.2.5", "slice.img"])
    def test_dicom_by_content(self, two_classes, name):
        write_dicom(two_classes / "glioma" / name)
        assert f"glioma/{name}" in names_of(load_mri_folder(two_classes), two_classes)

    def test_images_in_sub_folders_of_a_class(self, two_classes):
        write_image(two_classes / "glioma/patient 7/slice.jpg")
        scans = load_mri_folder(two_classes)
        assert "glioma/patient 7/slice.jpg" in names_of(scans, two_classes)
        assert scans.target.tolist().count("glioma") == 3

    @pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
    def test_names_that_are_not_utf8(self, two_classes):
        folder = os.fsencode(two_classes)
        names = [b"caf\xe9/\xff\xfe.png", b"caf\xe9/b.png", b"glioma/c\xe9.jpg"]
        os.mkdir(os.path.join(folder, b"caf\xe9"))
        for name in names:
            with open(os.path.join(folder, name), "wb") as file:
                file.write((two_classes / "notumor/c.png").read_bytes())
        known = {b"glioma/a.jpg", b"glioma/b.jpg", b"notumor/c.png"}
        rows = [name + b",p\xe9\n" for name in [*names, *known]]
        (two_classes / "groups.csv").write_bytes(b"file,group\n" + b"".join(rows))
        scans = load_mri_folder(two_classes)
        paths = {os.fsencode(path) for path in scans.data}
        assert paths == {os.path.join(folder, name) for name in [*names, *known]}
        assert scans.target_names == ["caf\\xe9", "glioma", "notumor"]
        assert set(scans.groups) == {os.fsdecode(b"p\xe9")}
        with pytest.warns(BlankImageWarning):  # its message holds the names
            assert ImageReader().transform(scans.data)[0].shape == (8, 9)

    def test_spaces_in_the_name_of_a_file_stay(self, two_classes):
        write_image(two_classes / "glioma" / " d.jpg")
        assert " d.jpg" in [
            os.path.basename(p) for p in load_mri_folder(two_classes).data
        ]

    def test_other_files_are_named(self, two_classes):
        (two_classes / "glioma" / "notes.txt").write_text("text")
        write_image(two_classes / "loose.jpg")
        with pytest.warns(UserWarning, match="2 files or folders") as record:
            scans = load_mri_folder(two_classes)
        assert sorted(os.path.basename(path) for path in scans.ignored) == [
            "loose.jpg",
            "notes.txt",
        ]
        assert "notes.txt" in str(record[0].message)
        assert record[0].filename == __file__
        assert len(scans.data) == 3

    def test_documents_beside_the_classes_are_no_matter(self, two_classes):
        (two_classes / "README.md").write_text("about")
        assert load_mri_folder(two_classes).ignored == []

    def test_linked_class_folder(self, two_classes, tmp_path):
        write_image(tmp_path / "elsewhere" / "p.jpg")
        (two_classes / "pituitary").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "elsewhere")
        scans = load_mri_folder(two_classes)
        assert scans.target.tolist().count("pituitary") == 1


class TestFolderErrors:
    def test_missing(self, tmp_path):
        with pytest.raises(DatasetError, match=r"no folder .*nowhere"):
            load_mri_folder(tmp_path / "nowhere")

    def test_missing_says_how_far_the_path_leads(self, two_classes, monkeypatch):
        monkeypatch.chdir(two_classes.parent)
        message = r"no folder 'sett'.*holds no 'sett'; did you mean 'set'\?"
        with pytest.raises(DatasetError, match=message):
            load_mri_folder("sett")
        message = rf"{two_classes.name}' holds no 'Training'\."
        with pytest.raises(DatasetError, match=message):
            load_mri_folder(two_classes / "Training" / "glioma")

    def test_file(self, tmp_path):
        with pytest.raises(DatasetError, match="is a file"):
            load_mri_folder(write_image(tmp_path / "scan.jpg"))

    def test_empty(self, tmp_path):
        with pytest.raises(DatasetError, match="holds no images"):
            load_mri_folder(tmp_path)

    def test_images_without_classes(self, tmp_path):
        write_image(tmp_path / "a.jpg")
        with pytest.raises(DatasetError, match="1 images but no sub-folder"):
            load_mri_folder(tmp_path)

    def test_empty_class(self, two_classes):
        (two_classes / "pituitary").mkdir()
        (two_classes / "pituitary" / ".DS_Store").write_bytes(b"")
        with pytest.raises(DatasetError, match=r"pituitary.* holds no image"):
            load_mri_folder(two_classes)

    def test_single_class(self, tmp_path):
        write_image(tmp_path / "glioma" / "a.jpg")
        with pytest.raises(DatasetError, match="single class, 'glioma'"):
            load_mri_folder(tmp_path)

    def test_one_folder_too_high(self, two_classes):
        with pytest.raises(DatasetError, match=r"did you mean .*set"):
            load_mri_folder(two_classes.parent)


TREES = {
    "nested again": ["yes/a.jpg", "no/b.jpg", "set/yes/a.jpg", "set/no/b.jpg"],
    "as Kaggle has it": ["yes/a.jpg", "no/b.jpg", "brain_tumor_dataset/yes/a.jpg"],
    "deeper": ["yes/a.jpg", "no/b.jpg", "more/old/YES/c.jpg"],
    "unlabeled": ["yes/a.jpg", "no/b.jpg", "pred/c.jpg"],
    "unlabeled, longer": ["yes/a.jpg", "no/b.jpg", "seg_pred/c.jpg"],
    "masks": ["yes/a.jpg", "no/b.jpg", "tumor masks/c.png"],
    "one class twice": ["yes/a.jpg", "no/b.jpg", "notumor/c.jpg", "no_tumor/d.jpg"],
    "of two depths": ["yes/a.jpg", "no/b.jpg", "elsewhere/glioma/c.jpg"],
}


class TestClasses:
    @pytest.mark.parametrize("tree", TREES.values(), ids=list(TREES))
    def test_nested_and_mixed_folders_are_refused(self, tree, tmp_path):
        for name in tree:
            write_image(tmp_path / name)
        with pytest.raises(DatasetError, match=r"classes=\['no', 'yes'\]") as caught:
            load_mri_folder(tmp_path)
        for name in tree:
            assert f"{name.split('/')[0]}/" in str(caught.value)
        with pytest.warns(UserWarning, match="left out"):
            scans = load_mri_folder(tmp_path, classes=["yes", "no"])
        assert names_of(scans, tmp_path) == ["no/b.jpg", "yes/a.jpg"]
        assert scans.target.tolist() == ["no", "yes"]

    @pytest.mark.parametrize("names", [("images", "masks"), ("Image", "Labels")])
    def test_images_and_masks_are_no_classes(self, names, tmp_path):
        for name in names:
            write_image(tmp_path / name / "a.png")
        with pytest.raises(DatasetError, match=f"'{names[0]}' does not look like"):
            load_mri_folder(tmp_path)
        assert len(load_mri_folder(tmp_path, classes=names).data) == 2

    def test_within_a_split(self, split_set):
        write_image(split_set / "Training/pred/p.jpg")
        with pytest.raises(DatasetError, match=r"'pred' does(.|\n)*pred/  1 images"):
            load_mri_folder(split_set, subset="train")
        classes = ["glioma", "notumor"]
        with pytest.warns(UserWarning, match="pred"):
            assert len(load_mri_folder(split_set, "train", classes=classes).data) == 3

    def test_a_class_that_is_named_like_a_split(self, tmp_path):
        for name in ("trained eye/a.jpg", "untrained eye/a.jpg"):
            write_image(tmp_path / name)
        with pytest.raises(DatasetError, match="looks like a split"):
            load_mri_folder(tmp_path)
        names = ["trained eye", "untrained eye"]
        assert load_mri_folder(tmp_path, classes=names).target_names == names

    def test_folders_of_patients_are_no_classes(self, tmp_path):
        for name in ("glioma/p1/a.jpg", "glioma/p2/a.jpg", "notumor/p3/a.jpg"):
            write_image(tmp_path / name)
        assert load_mri_folder(tmp_path).target_names == ["glioma", "notumor"]

    def test_unknown(self, two_classes):
        with pytest.raises(DatasetError, match="did you mean 'notumor'"):
            load_mri_folder(two_classes, classes=["glioma", "no_tumor"])
        with pytest.raises(DatasetError, match="list of names"):
            load_mri_folder(two_classes, classes="glioma")
        with pytest.raises(DatasetError, match="single class"):
            load_mri_folder(two_classes, classes=["glioma"])


class TestSubset:
    def test_has_subsets(self, split_set, two_classes):
        assert has_subsets(split_set)
        assert not has_subsets(two_classes)
        with pytest.raises(DatasetError, match="no folder"):
            has_subsets(split_set / "elsewhere")

    def test_must_be_given(self, split_set):
        with pytest.raises(DatasetError, match=r"Testing and Training.*subset='train'"):
            load_mri_folder(split_set)

    @pytest.mark.parametrize(
        ("subset", "expected"),
        [
            ("test", ["Testing/glioma/x.jpg", "Testing/notumor/y.jpg"]),
            (
                "train",
                [
                    "Training/glioma/x.jpg",
                    "Training/notumor/y.jpg",
                    "Training/notumor/z.jpg",
                ],
            ),
        ],
    )
    def test_part(self, split_set, subset, expected):
        scans = load_mri_folder(split_set, subset=subset)
        assert names_of(scans, split_set) == expected
        assert list(scans.frame.columns) == ["path", "label"]

    def test_all(self, split_set):
        scans = load_mri_folder(split_set, subset="all")
        assert scans.frame["split"].tolist() == ["test"] * 2 + ["train"] * 3
        assert scans.target_names == ["glioma", "notumor"]

    @pytest.mark.parametrize("names", [("train", "test"), ("TRAIN", "Testing")])
    def test_other_spellings(self, split_set, names):
        (split_set / "Training").rename(split_set / names[0])
        (split_set / "Testing").rename(split_set / names[1])
        assert len(load_mri_folder(split_set, subset="train").data) == 3
        assert len(load_mri_folder(split_set, subset="all").data) == 5

    def test_unknown(self, split_set):
        with pytest.raises(ValueError, match="Did you mean 'train'"):
            load_mri_folder(split_set, subset="training")

    def test_out_of_place(self, two_classes):
        with pytest.raises(DatasetError, match="Leave subset out"):
            load_mri_folder(two_classes, subset="train")

    def test_not_there(self, split_set):
        (split_set / "Testing").rename(split_set / ".Testing")
        with pytest.raises(DatasetError, match="no folder testing or test"):
            load_mri_folder(split_set, subset="test")
        assert len(load_mri_folder(split_set, subset="all").data) == 3

    def test_ambiguous(self, split_set):
        (split_set / "train").mkdir()
        with pytest.raises(DatasetError, match="Training and train: which one"):
            load_mri_folder(split_set, subset="train")

    def test_a_split_is_not_taken_for_a_class(self, split_set):
        (split_set / "Training").rename(split_set / "Training set")
        (split_set / "Testing").rename(split_set / "Testing set")
        with pytest.raises(DatasetError, match="looks like a split"):
            load_mri_folder(split_set)

    def test_third_part_is_named(self, split_set):
        write_image(split_set / "Validation/glioma/v.jpg")
        with pytest.warns(UserWarning, match="Validation"):
            scans = load_mri_folder(split_set, subset="all")
        assert scans.ignored == [str(split_set / "Validation")]

    def test_different_classes(self, split_set):
        write_image(split_set / "Training/pituitary/p.jpg")
        with pytest.raises(DatasetError, match="different classes"):
            load_mri_folder(split_set, subset="all")


def write_csv(folder, groups, prefix="", name="groups.csv"):
    rows = [{"file": prefix + file, "group": group} for file, group in groups.items()]
    pd.DataFrame(rows, columns=["file", "group"]).to_csv(folder / name, index=False)
    return folder / name


def append_csv(folder, groups):
    with open(folder / "groups.csv", "a", encoding="utf-8") as file:
        file.writelines(f"{name},{group}\n" for name, group in groups.items())


AGES = {
    "Testing/glioma/x.jpg": 51,
    "Testing/notumor/y.jpg": 52,
    "Training/glioma/x.jpg": 53,
    "Training/notumor/y.jpg": 54,
    "Training/notumor/z.jpg": 55,
}
GROUPS = {"glioma/a.jpg": "007", "glioma/b.jpg": "7", "notumor/c.png": "NA"}


class TestGroups:
    def test_csv_beside_the_classes(self, two_classes):
        write_csv(two_classes, GROUPS)
        scans = load_mri_folder(two_classes)
        assert scans.groups.tolist() == ["007", "7", "NA"]
        assert scans.frame["group"].tolist() == ["007", "7", "NA"]
        assert "3 groups" in scans.DESCR

    def test_csv_beside_the_splits(self, split_set):
        rows = {
            f"{split}/{name}": f"{split[:2]}{name[0]}"
            for split in ("Training", "Testing")
            for name in ("glioma/x.jpg", "notumor/y.jpg", "notumor/z.jpg")
        }
        write_csv(split_set, rows)
        expected = ["Teg", "Ten", "Trg", "Trn", "Trn"]
        assert load_mri_folder(split_set, "all").groups.tolist() == expected
        assert load_mri_folder(split_set, "train").groups.tolist() == expected[2:]
        assert load_mri_folder(split_set / "Training").groups.tolist() == expected[2:]

    def test_csv_elsewhere(self, two_classes, tmp_path):
        (tmp_path / "tables").mkdir()
        csv = write_csv(tmp_path / "tables", GROUPS, name="mine.csv")
        assert load_mri_folder(two_classes, groups=csv).groups[0] == "007"
        csv = write_csv(tmp_path, GROUPS, prefix="set/")
        assert load_mri_folder(two_classes, groups=str(csv)).groups[0] == "007"

    def test_backslashes(self, two_classes):
        rows = {name.replace("/", "\\"): group for name, group in GROUPS.items()}
        write_csv(two_classes, rows)
        assert load_mri_folder(two_classes).groups.tolist() == ["007", "7", "NA"]

    def test_spaces_around_a_name_do_not_count(self, two_classes):
        write_csv(two_classes, {"glioma/a.jpg ": "p0", " glioma/b.jpg": "p0 "})
        append_csv(two_classes, {"notumor/c.png": "\u00a0p1"})
        assert load_mri_folder(two_classes).groups.tolist() == ["p0", "p0", "p1"]
        scans = load_mri_folder(two_classes, groups=["p0", "p0 ", "p1"])
        assert scans.groups.tolist() == ["p0", "p0", "p1"]

    def test_frame_and_array(self, two_classes):
        frame = pd.DataFrame({"file": GROUPS.keys(), "group": [5, 5, 6]})
        assert load_mri_folder(two_classes, groups=frame).groups.tolist() == [5, 5, 6]
        for groups in ([1, 1, 2], np.array([1, 1, 2]), pd.Series([1, 1, 2])):
            scans = load_mri_folder(two_classes, groups=groups)
            assert scans.groups.tolist() == [1, 1, 2]

    def test_further_columns_travel_in_the_frame(self, split_set):
        rows = ["file,group,label,split,age,code,sex"]
        rows += [
            f"{name},{name[:3]},?,?,{age},{age:03},F" for name, age in AGES.items()
        ]
        rows[2] = "Testing/notumor/y.jpg,Tes,?,?,,,"
        (split_set / "groups.csv").write_text("\n".join(rows))
        frame = load_mri_folder(split_set, "all").frame
        assert list(frame) == ["path", "label", "group", "age", "code", "sex", "split"]
        assert frame["age"].fillna(0).tolist() == [51, 0, 53, 54, 55]
        assert frame["code"].fillna("").tolist() == ["051", "", "053", "054", "055"]
        assert frame["sex"].isna().tolist() == [False, True, False, False, False]
        assert set(frame["label"]) == {"glioma", "notumor"}
        assert set(frame["split"]) == {"train", "test"}
        table = pd.read_csv(split_set / "groups.csv")
        same = load_mri_folder(split_set, "train", groups=table).frame
        assert same["age"].tolist() == [53, 54, 55]

    def test_two_values_of_a_further_column(self, two_classes):
        rows = [f"{file},{group},F\n" for file, group in GROUPS.items()]
        text = "file,group,sex\n" + "".join([*rows, rows[0], "glioma/a.jpg,007,M\n"])
        (two_classes / "groups.csv").write_text(text)
        with pytest.raises(DatasetError, match="two values of 'sex', 'F' and 'M'"):
            load_mri_folder(two_classes)

    def test_given_groups_go_before_the_csv(self, two_classes):
        write_csv(two_classes, GROUPS)
        assert load_mri_folder(two_classes, groups=[1, 1, 2]).groups[0] == 1

    def test_lacks_an_image(self, two_classes):
        write_csv(two_classes, {"glioma/a.jpg": 1, "glioma/b.jpg": 1})
        with pytest.raises(DatasetError, match=r"lacks 1 of 3 images: .*c\.png"):
            load_mri_folder(two_classes)

    def test_names_no_image(self, two_classes):
        write_csv(two_classes, {"elsewhere/a.jpg": 1})
        with pytest.raises(DatasetError, match=r"none of the 3.*'elsewhere/a\.jpg'"):
            load_mri_folder(two_classes)

    def test_empty_group(self, two_classes):
        write_csv(two_classes, {**GROUPS, "glioma/b.jpg": ""})
        with pytest.raises(DatasetError, match=r"no group in 1 rows: glioma/b\.jpg"):
            load_mri_folder(two_classes)

    def test_two_groups(self, two_classes):
        write_csv(two_classes, GROUPS)
        append_csv(two_classes, {"glioma/a.jpg": "9"})
        with pytest.raises(DatasetError, match=r"a\.jpg two groups, '007' and"):
            load_mri_folder(two_classes)

    def test_wrong_columns(self, two_classes):
        (two_classes / "groups.csv").write_text("file,groups\nglioma/a.jpg,1\n")
        with pytest.raises(DatasetError, match="Is 'groups' the column 'group'"):
            load_mri_folder(two_classes)

    def test_empty_file(self, two_classes):
        (two_classes / "groups.csv").write_text("")
        with pytest.raises(DatasetError, match="not a CSV table"):
            load_mri_folder(two_classes)

    def test_missing_file(self, two_classes):
        with pytest.raises(DatasetError, match="no such file"):
            load_mri_folder(two_classes, groups="nowhere.csv")

    @pytest.mark.parametrize("groups", [[1, 2], [[1], [1], [2]], 5])
    def test_wrong_shape(self, two_classes, groups):
        with pytest.raises(DatasetError, match="each of the 3 images"):
            load_mri_folder(two_classes, groups=groups)

    def test_missing_value(self, two_classes):
        with pytest.raises(DatasetError, match="no label for 1 images"):
            load_mri_folder(two_classes, groups=["a", None, "b"])


class TestImageFiles:
    def test_find(self, two_classes):
        write_image(two_classes / "top.jpg")
        assert find_image_files(two_classes) == [two_classes / "top.jpg"]
        assert len(find_image_files(two_classes, recursive=True)) == 4

    def test_what_is_no_image_is_left_out(self, two_classes):
        write_image(two_classes / ".hidden.jpg")
        (two_classes / "notes.txt").write_text("text")
        assert find_image_files(two_classes) == []


class TestRealScans:
    def test_counts_and_groups(self, real_mri_dir):
        folder = real_mri_dir / "brain-tumor-mri"
        scans = load_mri_folder(folder / "Training")
        assert scans.data.shape == (4894,)
        assert scans.target_names == ["glioma", "meningioma", "notumor", "pituitary"]
        assert len(np.unique(scans.groups)) == 643
        table = pd.read_csv(folder / "groups.csv", dtype=str).sort_values("file")
        assert scans.target.tolist() == table["label"].tolist()
        assert scans.groups.tolist() == table["group"].tolist()
        assert scans.frame["patient"].isna().sum() == table["patient"].isna().sum()
        assert scans.frame["mirrored"].sum() == table["mirrored"].astype(int).sum()

    def test_needs_a_subset(self, real_mri_dir):
        with pytest.raises(DatasetError, match="holds Training"):
            load_mri_folder(real_mri_dir / "brain-tumor-mri")

    def test_native_sizes(self, real_mri_dir):
        assert len(load_mri_folder(real_mri_dir / "native-size-sample").data) == 33
