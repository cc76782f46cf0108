"""explain draws one picture a scan."""

import shutil

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from brain_tumor_clf import (
    SelectiveClassifier,
    load,
    load_mri_folder,
    make_mri_pipeline,
    save,
)
from brain_tumor_clf.persistence import read_manifest
from tests.cli.conftest import RESEARCH_ONLY
from tests.cli.test_compare import as_rows

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


def has_color(path):
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return (np.ptp(pixels, axis=2) > 60).mean() > 0.01


def test_one_picture_a_scan(cli, trained, scans_dir, tmp_path):
    _, model, _ = trained
    done = cli("explain", model, scans_dir / "glioma", "-o", tmp_path / "new" / "maps")
    assert done.returncode == 0, done.stderr
    scans = sorted(path for path in (scans_dir / "glioma").iterdir())
    pictures = sorted((tmp_path / "new" / "maps").iterdir())
    assert [path.stem for path in pictures] == [path.stem for path in scans]
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert picture.size == (960, 585)
        assert has_color(path)
    predicted = load(model).predict(list(map(str, scans)))
    rows = [line for line in done.stdout.splitlines() if " 0." in line]
    assert [row.split()[0] for row in rows] == list(predicted)
    summary = f"4 files: 4 classified; model {read_manifest(model).model_id}"
    assert summary in done.stdout
    assert RESEARCH_ONLY in done.stdout


def test_unreadable_files_are_named_and_the_rest_is_explained(
    cli, trained, scans_dir, tmp_path
):
    folder = tmp_path / "scans"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        shutil.copy(next(scans_dir.glob("glioma/*")), folder / name / "scan.jpg")
    (folder / "broken.png").write_text("no image")
    done = cli(
        *("explain", trained[1], folder, "-o", tmp_path / "maps"),
        *("--class", "notumor", "--method", "occlusion"),
    )
    assert done.returncode == 1
    names = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert names == ["scan-2.png", "scan.png"]
    assert "3 files: 2 classified, 1 unreadable" in done.stdout
    assert done.stdout.count("notumor") == 2
    assert "broken.png: not an image" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_scan_that_is_none_of_the_classes(cli, trained, scans_dir, tmp_path):
    inner = FrozenEstimator(load(trained[1]).estimator_)
    scan = next((scans_dir / "glioma").iterdir())
    (rejected,) = inner.predict([str(scan)])
    model = SelectiveClassifier(inner, reject=rejected).fit(None, None)
    save(model, tmp_path / "model.btc")
    done = cli("predict", tmp_path / "model.btc", scan)
    assert done.returncode == 0, done.stderr
    assert "1 file: 1 none of these" in done.stdout
    args = ("explain", tmp_path / "model.btc", scan, "-o", tmp_path / "maps")
    done = cli(*args)
    assert done.returncode == 0, done.stderr
    assert "none of these" in done.stdout
    assert list((tmp_path / "maps").iterdir()) == []
    done = cli(*args, "--class", model.classes_[0])
    assert done.returncode == 0, done.stderr
    assert has_color(tmp_path / "maps" / f"{scan.stem}.png")


def test_a_classifier_that_is_no_network_is_explained_by_occlusion(
    cli, scans_dir, tmp_path
):
    scans = load_mri_folder(scans_dir)
    rows = make_pipeline(FunctionTransformer(as_rows), LogisticRegression())
    model = make_mri_pipeline(rows, image_size=16).fit(scans.data, scans.target)
    joblib.dump(model, tmp_path / "model.joblib")
    args = ("explain", tmp_path / "model.joblib", scans.data[0], "--trust-pickle")
    done = cli(*args, "-o", tmp_path / "maps")
    assert done.returncode == 0, done.stderr
    assert "This classifier is no network: its heat maps are by occl" in done.stderr
    assert len(list((tmp_path / "maps").iterdir())) == 1
    done = cli(*args, "-o", tmp_path / "maps", "--method", "gradcam")
    assert done.returncode == 1
    assert "grad_cam needs a classifier of this package" in done.stderr


def test_wrong_use(cli, trained, scans_dir, tmp_path):
    scan = tmp_path / "scan.png"
    Image.new("L", (20, 20), 90).save(scan)
    before = scan.read_bytes()
    done = cli("explain", trained[1], scan, "-o", tmp_path)
    assert done.returncode == 2
    assert "is one of the scans; name another folder" in done.stderr
    assert scan.read_bytes() == before
    done = cli("explain", trained[1], scan, "-o", scan)
    assert done.returncode == 2
    assert "cannot be made one" in done.stderr
    done = cli("explain", trained[1], scan, "-o", tmp_path / "m", "--class", "gliom")
    assert done.returncode == 1
    assert "Did you mean 'glioma'?" in done.stderr
    assert done.stderr.count("\n") == 1
