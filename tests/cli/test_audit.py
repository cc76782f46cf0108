"""audit: copies across the split, plain words, and the status for a pipeline."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from brain_tumor_clf import write_brain_mri
from tests.cli.conftest import RESEARCH_ONLY, add_copies


@pytest.fixture(scope="module")
def audited(cli, archive_dir, tmp_path_factory):
    """What `audit` of Training and Testing printed and wrote."""
    folder = tmp_path_factory.mktemp("audit")
    done = cli(
        *("audit", archive_dir, "--subset", "all", "--fail-on-leak"),
        *("--html", folder / "audit.html", "--json", folder / "audit.json"),
    )
    return done, folder


def test_a_leak_is_told_in_plain_words(audited):
    done, _ = audited
    assert done.returncode == 3, done.stderr
    text = " ".join(done.stdout.split())
    assert "8 of 24 test images (33%) have a copy or mirror image in training." in text
    assert "4 exact, 4 mirrored" in text
    assert "16 training images, 24 test images" in text
    assert done.stdout.rstrip().endswith(f"Wrote {audited[1] / 'audit.html'}")
    assert RESEARCH_ONLY in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80
    assert "8 test images have a copy in training: exit status 3" in done.stderr


def test_json_and_html_hold_the_same(audited):
    folder = audited[1]
    document = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    leakage = {row["class"]: row for row in document["leakage"]}
    assert leakage["all images"]["with a copy"] == 8
    assert leakage["glioma"]["mirrored"] == leakage["glioma"]["exact"] == 1
    assert document["findings"][0]["severity"] == "severe"
    assert document["notice"] == RESEARCH_ONLY
    page = (folder / "audit.html").read_text(encoding="utf-8")
    assert "8 of 24 test images (33%)" in page
    assert RESEARCH_ONLY in page
    assert page.count("<img") >= 2
    assert page.count("<img") == page.count('src="data:image/png;base64,')


def test_training_alone_and_no_leak_are_status_0(cli, archive_dir, tmp_path):
    done = cli("audit", archive_dir, "--subset", "train", "--json", "-")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["leakage"] is None
    assert "16 images, no test images" in document["protocol"]["data"]
    write_brain_mri(tmp_path / "new", 8, image_size=32, random_state=2)
    done = cli(
        *("audit", archive_dir / "Training", "--test", tmp_path / "new"),
        "--fail-on-leak",
    )
    assert done.returncode == 0, done.stderr
    assert "None of 8 test images has a copy" in done.stdout


def test_a_split_folder_as_test_gives_its_testing(cli, archive_dir, scans_dir):
    done = cli("audit", scans_dir, "--test", archive_dir, "--json", "-")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["leakage"][-1]["images"] == 24
    assert document["protocol"]["groups"].startswith("groups given")


def test_groups_of_one_table_join_both_sides(cli, archive_dir, tmp_path):
    paths = sorted(archive_dir.glob("T*ing/*/*"))
    files = [path.relative_to(archive_dir).as_posix() for path in paths]
    folder = tmp_path / "archive"
    shutil.copytree(archive_dir, folder)
    table = pd.DataFrame({"file": files, "group": "one patient"})
    table.to_csv(folder / "patients.csv", index=False)
    done = cli(
        *("audit", folder / "Training", "--test", folder / "Testing"),
        *("--groups", folder / "patients.csv"),
    )
    assert done.returncode == 0, done.stderr
    assert "24 of 24 test images (100%) share a group" in done.stdout


def test_groups_of_two_tables_are_not_taken_for_one(cli, scans_dir, tmp_path):
    # Phantoms of two folders have groups of the same names and nothing else in common.
    write_brain_mri(tmp_path / "new", 8, image_size=32, random_state=2)
    done = cli("audit", scans_dir, "--test", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    assert "share a group" not in done.stdout


@pytest.fixture
def broken_dir(scans_dir, tmp_path):
    """New phantoms, and two files that are no images."""
    folder = tmp_path / "broken"
    write_brain_mri(folder, 8, image_size=32, random_state=2)
    (folder / "groups.csv").unlink()
    (folder / "glioma" / "text.png").write_text("no image")
    (folder / "notumor" / "empty.jpg").write_bytes(b"")
    return folder


def test_broken_files_are_named_and_no_gate_passes_on_them(cli, scans_dir, broken_dir):
    args = ("audit", scans_dir, "--test", broken_dir)
    done = cli(*args)
    assert done.returncode == 0, done.stderr
    assert f"{broken_dir / 'notumor' / 'empty.jpg'}: the file is empty" in done.stdout
    assert f"{broken_dir / 'glioma' / 'text.png'}: not an image" in done.stdout
    done = cli(*args, "--fail-on-leak")
    assert done.returncode == 1
    assert "Error: 2 images cannot be read, so whether" in done.stderr
    add_copies(scans_dir, broken_dir, 1)
    assert cli(*args, "--fail-on-leak").returncode == 3


def test_a_folder_in_which_nothing_can_be_read_is_an_error(cli, tmp_path):
    for label in ("glioma", "notumor"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "text.jpg").write_text("no image")
    done = cli("audit", tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path / 'glioma' / 'text.jpg'}: not an image" in done.stdout
    assert "Error: No image can be read" in done.stderr


def test_audit_starts_no_backend(scans_dir):
    code = (
        "import sys\n"
        "from brain_tumor_clf.cli import main\n"
        "try:\n"
        f"    main(['audit', {str(scans_dir)!r}])\n"
        "except SystemExit as done:\n"
        "    assert done.code == 0\n"
        "print('heavy', [m for m in ('keras', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "heavy []"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "holds Training and Testing: choose train, test or all"),
        (["--subset", "train", "--fail-on-leak"], "needs test images"),
        (["--subset", "all", "--test", "."], "leave --test out"),
        (["--subset", "all", "--healthy", "notumour"], "Did you mean 'notumor'"),
        (["--subset", "all", "--html", "-"], "name a file"),
        (["--subset", "all", "--html", "no/folder/a.html"], "does not exist"),
        (["--subset", "all", "--json", "file/a.json"], "does not exist"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else None,
)
def test_wrong_use(args, said, cli, archive_dir, tmp_path):
    (tmp_path / "file").write_text("")
    done = cli("audit", archive_dir, *args, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert said in error


def test_no_healthy_class_leaves_out_tumor_or_not(cli, archive_dir):
    args = ("--subset", "all", "--healthy", "none", "--json", "-")
    document = json.loads(cli("audit", archive_dir, *args).stdout)
    assert document["healthy"] is None
    assert {row["task"] for row in document["controls"]} == {"all classes"}
