"""load_mri_table: scans of several sources in one table."""

import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brain_tumor_clf import ImageReader, load_mri_folder, load_mri_table
from brain_tumor_clf.datasets import write_brain_mri
from brain_tumor_clf.exceptions import DatasetError

HEADER = "path,label,group,source,age,code\n"
ROWS = [
    "a.png, glioma ,p1,north,71,007\n",
    "more\\b.png,notumor,p2,south,,7\n",
    " ./c.png,glioma,p1,,8.5,\n",
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "more").mkdir()
    for name in ("a.png", "more/b.png", "c.png"):
        Image.new("L", (9, 8), 90).save(tmp_path / name)
    return tmp_path


def write_table(folder, *rows, header=HEADER):
    (folder / "scans.csv").write_text(header + "".join(rows), encoding="utf-8")
    return folder / "scans.csv"


class TestTable:
    def test_attributes(self, folder):
        csv = write_table(folder, *ROWS)
        scans = load_mri_table(csv)
        paths = [
            os.path.join(folder, name) for name in ("a.png", "more/b.png", "c.png")
        ]
        assert scans.data.tolist() == paths
        assert scans.data.dtype == object
        assert scans.target.tolist() == ["glioma", "notumor", "glioma"]
        assert scans.target_names == ["glioma", "notumor"]
        assert scans.groups.tolist() == ["p1", "p2", "p1"]
        assert f"3 images in 2 groups of {csv}: 2 glioma, 1 notumor" in scans.DESCR
        frame = scans.frame
        assert list(frame) == ["path", "label", "group", "source", "age", "code"]
        np.testing.assert_array_equal(frame["age"], [71, np.nan, 8.5])
        assert frame["code"].tolist()[:2] == ["007", "7"]
        assert frame[["source", "code"]].isna().sum().tolist() == [1, 1]

    def test_root(self, folder, tmp_path_factory, monkeypatch):
        csv = write_table(tmp_path_factory.mktemp("elsewhere"), *ROWS)
        scans = load_mri_table(str(csv), root=folder)
        assert (
            scans.data.tolist()
            == load_mri_table(write_table(folder, *ROWS)).data.tolist()
        )
        table = pd.read_csv(csv)
        assert load_mri_table(table, root=folder).data.tolist() == scans.data.tolist()
        monkeypatch.chdir(folder)
        assert load_mri_table(table).data.tolist()[1:] == ["more/b.png", "c.png"]
        table["path"] = scans.data  # absolute
        assert (
            load_mri_table(table, root="/nowhere").data.tolist() == scans.data.tolist()
        )

    def test_a_frame_keeps_its_types(self, folder):
        table = pd.DataFrame({"label": [1, 0], "group": [5, 6], "dose": [True, False]})
        table.insert(0, "path", [folder / "a.png", folder / "c.png"])
        table.index = [7, 7]
        scans = load_mri_table(table)
        assert scans.target.tolist() == ["1", "0"]
        assert scans.groups.tolist() == [5, 6]
        assert scans.frame["dose"].dtype == bool

    def test_without_groups(self, folder):
        scans = load_mri_table(write_table(folder, "a.png,x\n", header="path,label\n"))
        assert scans.groups is None
        assert list(scans.frame) == ["path", "label"]
        assert "groups unknown" in scans.DESCR

    def test_a_table_of_groups_says_the_same_as_the_folder(self, tmp_path):
        drawn = write_brain_mri(tmp_path / "set", 6, image_size=24, random_state=0)
        scans = load_mri_table(tmp_path / "set/groups.csv")
        pd.testing.assert_frame_equal(
            scans.frame, load_mri_folder(tmp_path / "set").frame
        )
        pd.testing.assert_frame_equal(scans.frame, drawn.frame)
        assert ImageReader().transform(scans.data).shape == (6,)

    def test_sets_are_joined_by_their_frames(self, tmp_path):
        parts = []
        for name in ("a", "b"):
            write_brain_mri(tmp_path / name, 4, image_size=24, random_state=0)
            frame = load_mri_folder(tmp_path / name).frame
            parts.append(frame.assign(source=name, group=name + frame["group"]))
        scans = load_mri_table(pd.concat([parts[0], parts[1].drop(columns="plane")]))
        assert scans.data.tolist() == [*parts[0]["path"], *parts[1]["path"]]
        assert scans.frame["source"].tolist() == ["a"] * 4 + ["b"] * 4
        assert scans.frame["plane"].isna().tolist() == [False] * 4 + [True] * 4

    def test_names_of_another_encoding(self, folder):
        name = os.fsdecode(b"caf\xe9.png")
        (folder / "a.png").rename(folder / name)
        (folder / "scans.csv").write_bytes(b"path,label\ncaf\xe9.png,x\n")
        assert load_mri_table(folder / "scans.csv").data.tolist() == [
            str(folder / name)
        ]


class TestErrors:
    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (["a.png,,p1,,,\n"], r"no label in 1 row: row 1 \(a\.png\)"),
            (["a.png,x,p1,,,\n", " ,x,p1,,,\n"], r"no path in 1 row: row 2 \(\)"),
            (["a.png,x, ,,,\n"], r"no group in 1 row: row 1 \(a\.png\).*of its own"),
            (["a.png,x\n"], r"no group in 1 row"),
            (
                ["d.png,x,p,,,\n"],
                r"do not exist in 1 row: row 1 \(d\.png\).*start from",
            ),
            (["more,x,p,,,\n"], r"do not exist in 1 row: row 1 \(more\)"),
            (
                ["a.png,x,p,,,\n", "c.png,x,p,,,\n", "more/../a.png,y,p,,,\n"],
                r"more than once in 2 rows: row 1 \(a\.png\), row 3",
            ),
            ([f"{i}.png,x,p,,,\n" for i in range(9)], r"in 9 rows: .* and 4 more\."),
            ([], "has a header and no rows"),
            (["a.png,x,p,,,,\n"], "rows have more entries than its header"),
            (["a.png,x,p,,,\n", "c.png,x,p,,,,\n"], "not a CSV table"),
        ],
    )
    def test_rows(self, folder, rows, message):
        with pytest.raises(DatasetError, match=message):
            load_mri_table(write_table(folder, *rows))

    @pytest.mark.parametrize(
        ("header", "message"),
        [
            (
                "path,Label,group\n",
                "needs the columns 'path' and 'label'.*Is 'Label' the column 'label'",
            ),
            (
                "Path,Label,group\n",
                "Is 'Path' the column 'path'.*Is 'Label' the column 'label'",
            ),
            ("name,label\n", r"got \['name', 'label'\]\.$"),
            ("path;label;group\n", "must be separated by commas"),
        ],
    )
    def test_columns(self, folder, header, message):
        with pytest.raises(DatasetError, match=message):
            load_mri_table(write_table(folder, "a.png\n", header=header))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("path,label\na.png,gliome\u00e9\n".encode("latin-1"), r"'label' .*row 1"),
            (
                "path,label,sex\na.png,x,M\nc.png,x,m\u00e4nnlich\n".encode("cp1252"),
                "row 2",
            ),
            ("path,label\na.png,x\n".encode("utf-16"), "header is not UTF-8"),
            (b"PK\x03\x04\x14\0\x08\xff", "not UTF-8|needs the columns"),
            (b"", "not a CSV table"),
        ],
    )
    def test_encoding(self, folder, content, message):
        (folder / "scans.csv").write_bytes(content)
        with pytest.raises(DatasetError, match=message):
            load_mri_table(folder / "scans.csv")

    def test_missing(self, folder):
        with pytest.raises(DatasetError, match="no such file"):
            load_mri_table(folder / "nothing.csv")
        with pytest.raises(DatasetError, match="is a folder, not a CSV table"):
            load_mri_table(folder)
        with pytest.raises(TypeError, match="a table or a DataFrame, got list"):
            load_mri_table(["a.png"])

    def test_a_column_twice(self, folder):
        table = pd.read_csv(write_table(folder, *ROWS))
        table = pd.concat([table, table[["source"]]], axis=1)
        with pytest.raises(DatasetError, match="more than one column 'source'"):
            load_mri_table(table, root=folder)


def test_real_sources(real_mri_dir):
    scans = load_mri_table(real_mri_dir / "other-sources/index.csv")
    assert scans.data.shape == (3149,)
    assert scans.frame["source"].nunique() == 10
    assert scans.frame["near_kaggle"].sum() == 153
    assert len(ImageReader().transform(scans.data[::500])) == 7
