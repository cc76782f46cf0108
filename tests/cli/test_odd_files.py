"""Files of odd names and contents: models known by content, frames, blank images."""

import csv
import io
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin

from brain_tumor_clf import audit_dataset, load, load_mri_folder, save
from brain_tumor_clf._files import written_beside
from brain_tumor_clf.persistence import read_manifest

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)
CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]
ODD = os.fsdecode(b"sc\xe9n.jpg")  # Latin-1; no valid UTF-8


@pytest.fixture
def odd_dir(scans_dir, tmp_path):
    """The phantoms, one of each class with a name that is not valid UTF-8."""
    folder = shutil.copytree(scans_dir, tmp_path / "odd")
    (folder / "groups.csv").unlink()
    try:
        for path in [next(each.iterdir()) for each in folder.iterdir()]:
            path.rename(path.with_name(ODD))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    return folder


# --- names -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_name_that_is_not_utf8_stops_no_prediction(
    form, cli, trained, odd_dir, tmp_path
):
    target = tmp_path / "out"
    target.write_text("old")
    done = cli("predict", trained[1], odd_dir / "glioma", f"--{form}", "-o", target)
    assert done.returncode == 0, done.stderr
    text = target.read_bytes().decode("utf-8", "surrogateescape")
    if form == "json":
        rows = json.loads(target.read_text(encoding="utf-8"))["predictions"]
    else:
        rows = list(csv.DictReader(io.StringIO(text)))
    paths = [row["path"] for row in rows]
    assert str(odd_dir / "glioma" / ODD) in paths
    assert {row["label"] for row in rows} <= set(CLASSES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["odd", "out"]


def test_a_name_that_is_not_utf8_in_the_table(trained, odd_dir, script):
    done = script("predict", trained[1], odd_dir / "glioma" / ODD, "--abstain", 0)
    assert done.returncode == 0, done.stderr
    assert "1 file: 1 classified" in done.stdout


def test_a_name_that_is_not_utf8_is_explained(cli, trained, odd_dir, tmp_path):
    maps = tmp_path / "maps"
    done = cli("explain", trained[1], odd_dir / "glioma" / ODD, "-o", maps)
    assert done.returncode == 0, done.stderr
    with Image.open(maps / ODD.replace(".jpg", ".png")) as picture:
        assert picture.format == "PNG"


def test_names_that_are_not_utf8_are_audited(cli, odd_dir, scans_dir, tmp_path):
    done = cli(
        *("audit", odd_dir, "--test", scans_dir),
        *("--json", tmp_path / "a.json", "--html", tmp_path / "a.html"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "a.json").read_text())
    assert "sc?n.jpg" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_names_that_are_not_utf8_are_trained_on(cli, odd_dir, tmp_path):
    done = cli(
        *("train", odd_dir, "-o", tmp_path / "m.btc", "--image-size", 16),
        *("--epochs", 1, "--cv", 2, "--json", tmp_path / "m.json"),
        *("--html", tmp_path / "m.html"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "m.json").read_text())["trained_on"]["n"] == 16


def test_names_of_classes_that_are_not_utf8(odd_dir, tmp_path):
    (odd_dir / "glioma").rename(odd_dir / os.fsdecode(b"gli\xf6me"))
    scans = load_mri_folder(odd_dir)
    assert scans.target_names[0] == "gli\\xf6me"
    report = audit_dataset(scans.data, scans.target)
    report.to_html(tmp_path / "a.html")
    assert "gli\\xf6me" in (tmp_path / "a.html").read_text(encoding="utf-8")


# --- files that are written --------------------------------------------------------


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail():
        with written_beside(path) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_links_and_devices_stay(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with written_beside(link) as partial:
        partial.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    with written_beside(os.devnull) as partial:
        partial.write_text("nothing")
    assert not os.path.isfile(os.devnull)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_pipes_are_written_to(cli, trained, scans_dir, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        cli("predict", trained[1], scans_dir / "glioma", "--json", "-o", pipe)
        assert json.loads(read.result(timeout=60))["n"] > 0
        read = pool.submit(pipe.read_bytes)
        save(load(trained[1]), pipe)
        assert read.result(timeout=60).startswith(b"PK")
    assert pipe.is_fifo()


# --- which file is the model -------------------------------------------------------


def test_a_model_is_known_by_its_content(cli, trained, scans_dir, tmp_path):
    scan = next((scans_dir / "glioma").iterdir())
    for name in ("model", "model.png", "model.jpg.pkl"):
        copy = shutil.copy(trained[1], tmp_path / name)
        done = cli("predict", copy, scan, "--json")
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert document["model_id"] == read_manifest(trained[1]).model_id
        assert document["n"] == 1


def test_a_scan_is_no_model_whatever_its_name(cli, trained, scans_dir, tmp_path):
    scan = next((scans_dir / "glioma").iterdir())
    copies = [shutil.copy(scan, tmp_path / name) for name in ("a.btc", "b.pkl", "c")]
    done = cli("predict", trained[1], *copies, "--json")
    assert json.loads(done.stdout)["n"] == 3, done.stderr
    done = cli("predict", *copies, "--json")  # by the packaged model
    assert json.loads(done.stdout)["n"] == 3, done.stderr


def test_a_truncated_model_is_no_scan(cli, trained, scans_dir, tmp_path):
    (tmp_path / "model").write_bytes(trained[1].read_bytes()[:5000])
    done = cli("predict", tmp_path / "model", scans_dir)
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert done.stdout == ""


def test_a_model_comes_first(cli, trained, scans_dir):
    done = cli("predict", scans_dir / "glioma", trained[1])
    assert done.returncode == 2
    assert "is a model: name it first" in done.stderr


@pytest.mark.parametrize("name", ["model", "model.png"])
def test_a_pickle_is_known_by_its_content(name, cli, trained, scans_dir, tmp_path):
    joblib.dump(load(trained[1]), tmp_path / name)
    args = ("predict", tmp_path / name, scans_dir / "glioma")
    done = cli(*args)
    assert done.returncode == 1
    assert "was not opened: a pickle runs" in done.stderr
    assert cli(*args, "--trust-pickle").returncode == 0


# --- frames ------------------------------------------------------------------------


@pytest.fixture
def frames(tmp_path):
    """A TIFF of three frames, and each as a file of its own."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, high, (40, 40)) for high in (120, 60, 250)]
    pages = [Image.fromarray(page.astype(np.uint8)) for page in noise]
    path = tmp_path / "frames.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    for i, page in enumerate(pages):
        page.save(tmp_path / f"{i}.png")
    return path


def answers_of(done):
    return json.loads(done.stdout)["predictions"]


def test_a_frame_is_chosen(cli, trained, frames, tmp_path):
    for i in (1, 2):
        done = cli("predict", trained[1], frames, "--frame", i, "--json")
        (row,) = answers_of(done)
        done = cli("predict", trained[1], tmp_path / f"{i}.png", "--json")
        assert row["probabilities"] == answers_of(done)[0]["probabilities"]
    done = cli("explain", trained[1], frames, "--frame", 2, "-o", tmp_path / "maps")
    assert done.returncode == 0, done.stderr


def test_advice_is_for_the_command_line(cli, trained, frames, tmp_path):
    np.save(tmp_path / "slice.npy", np.zeros((4, 4)))
    (tmp_path / "head.nii").write_bytes(b"\x5c\x01\x00\x00" + bytes(400))
    (tmp_path / "a.mat").write_bytes(b"MATLAB 5.0" + bytes(200))
    files = [tmp_path / name for name in ("slice.npy", "head.nii", "a.mat")]
    done = cli("predict", trained[1], frames, *files, "--json")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "only the first frame" in said
    assert "--frame" in said
    for code in ("ImageReader", "numpy.load", "volume[", "as an array"):
        assert code not in said
    done = cli("predict", trained[1], frames, "--frame", 7)
    assert "frames.tif: the file has no frame 7" in done.stderr


def test_a_dicom_file_of_many_frames(cli, trained, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = pydicom.Dataset()
    data.file_meta = meta
    pixels = np.random.default_rng(0).integers(0, 200, (3, 40, 40), dtype=np.uint8)
    data.Modality, data.NumberOfFrames, data.SamplesPerPixel = "MR", 3, 1
    data.Rows, data.Columns = 40, 40
    data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
    data.PixelRepresentation, data.PhotometricInterpretation = 0, "MONOCHROME2"
    data.PixelData = pixels.tobytes()
    path = tmp_path / "frames.dcm"
    data.save_as(path, enforce_file_format=True)
    done = cli("predict", trained[1], path)
    assert done.returncode == 1
    assert "choose one with --frame, 0 to 2" in done.stderr
    assert cli("predict", trained[1], path, "--frame", 1).returncode == 0


# --- no answer is made up ----------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--guard"], ["--abstain", "0"]])
def test_a_blank_image_is_uncertain(options, cli, scans_dir, tmp_path):
    for level in (0, 90, 255):
        Image.new("L", (50, 40), level).save(tmp_path / f"{level}.png")
    Image.new("RGB", (50, 40), "white").save(tmp_path / "white.jpg")
    done = cli("predict", tmp_path, *options, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["n_not_sure"] == document["n"] == 4
    for row in document["predictions"]:
        assert (row["state"], row["label"]) == ("uncertain", None)
        assert "the image is blank" in row["reason"]
        assert f"Warning: {row['path']}: the image is blank" in done.stderr


class Diverged(ClassifierMixin, BaseEstimator):
    """Gives no finite probability."""

    classes_ = np.array(CLASSES)
    model_id_ = "diverged"

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))

    def predict_proba(self, X):
        return np.full((len(X), 4), np.nan)

    def __sklearn_is_fitted__(self):
        return True


def test_probabilities_that_are_not_finite_are_no_answer(cli, scans_dir, tmp_path):
    joblib.dump(Diverged(), tmp_path / "model.joblib")
    args = ("predict", tmp_path / "model.joblib", scans_dir, "--trust-pickle")
    done = cli(*args, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert {row["state"] for row in document["predictions"]} == {"uncertain"}
    assert {row["probability"] for row in document["predictions"]} == {None}
    assert "not finite" in done.stderr
    assert "nan" not in cli(*args, "--csv").stdout.lower()
