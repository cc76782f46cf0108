"""predict and info on one tiny model."""

import csv
import io
import json
import shutil

import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch

from brain_tumor_clf import (
    ScanGuard,
    SelectiveClassifier,
    load,
    save,
    write_brain_mri,
)
from brain_tumor_clf.cli._model import split_model
from brain_tumor_clf.persistence import read_manifest
from tests.cli.conftest import RESEARCH_ONLY

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)

CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]


def test_predict_json_equals_the_pipeline(cli, trained, scans_dir):
    _, model, _ = trained
    single = next(scans_dir.glob("glioma/*"))
    done = cli("predict", model, scans_dir / "pituitary", single, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rows = document["predictions"]
    assert document["n"] == len(rows) == 5
    assert document["n_failed"] == 0
    pipeline = load(model)
    assert document["model_id"] == pipeline.model_id_
    assert document["notice"] == RESEARCH_ONLY
    paths = [row["path"] for row in rows]
    assert [row["label"] for row in rows] == pipeline.predict(paths).tolist()
    expected = pipeline.predict_proba(paths)
    for row, values in zip(rows, expected, strict=True):
        assert list(row["probabilities"]) == CLASSES
        assert list(row["probabilities"].values()) == values.tolist()
        assert row["probability"] == max(values)
        assert row["error"] is None


@pytest.fixture
def mixed_folder(scans_dir, tmp_path):
    """Good scans, a broken one and an empty one, in folders of folders."""
    folder = tmp_path / "mixed"
    (folder / "deep" / "deeper").mkdir(parents=True)
    for i, path in enumerate(sorted(scans_dir.glob("*/*.jpg"))[:2]):
        shutil.copy(path, folder / "deep" / f"scan{i}.jpg")
    noise = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "deep" / "deeper" / "ü, x.png")
    (folder / "broken.png").write_text("no image")
    (folder / "empty.jpg").write_bytes(b"")
    return folder


def test_predict_names_what_it_cannot_read_and_predicts_the_rest(
    cli, trained, mixed_folder, tmp_path
):
    target = tmp_path / "out.csv"
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    done = cli("predict", trained[1], nothing, mixed_folder, "--csv", "-o", target)
    assert done.returncode == 1
    assert done.stdout == f"Wrote {target}\n"
    rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    by_name = {row["path"].split("/")[-1]: row for row in rows}
    failed = {name for name, row in by_name.items() if row["error"]}
    assert failed == {"broken.png", "empty.jpg", "nothing"}
    for name in failed:
        assert by_name[name]["label"] == ""
        assert by_name[name]["error"] in done.stderr
    for name in ("scan0.jpg", "scan1.jpg", "ü, x.png"):
        assert by_name[name]["label"] in CLASSES
        assert sum(float(by_name[name][f"p_{c}"]) for c in CLASSES) == pytest.approx(1)
        assert by_name[name]["model_id"] == read_manifest(trained[1]).model_id
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 3


def test_predict_prints_a_table(cli, trained, mixed_folder):
    done = cli("predict", trained[1], mixed_folder)
    assert done.returncode == 1
    assert "5 files: 3 classified, 2 unreadable; model" in done.stdout
    assert read_manifest(trained[1]).model_id in done.stdout
    assert RESEARCH_ONLY in done.stdout


def test_no_file_of_a_folder_is_skipped_in_silence(cli, trained, scans_dir, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(scans_dir / "glioma", folder / "glioma")
    shutil.copy(scans_dir / "groups.csv", folder)
    scan = Image.open(next((scans_dir / "glioma").iterdir())).convert("L")
    scan.save(folder / "slice.gif")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    (folder / "head.nii").write_bytes(b"\x5c\x01\x00\x00" + bytes(400))
    (folder / ".DS_Store").write_bytes(b"Bud1")
    done = cli("predict", trained[1], folder, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    rows = {row["path"].split("/")[-1]: row for row in document["predictions"]}
    assert rows.pop("slice.gif")["state"] == "classified"
    assert "a NIfTI" in rows.pop("head.nii")["reason"]
    assert "not an image" in rows.pop("phone.heic")["reason"]
    assert len(rows) == 4
    assert document["states"] == {"classified": 5, "unreadable": 2}
    assert "Left out of folders: 2 entries, hidden or called groups.csv" in done.stderr


def test_a_state_of_any_name_is_shown(capsys):
    from brain_tumor_clf.cli import _predict

    answers = pd.DataFrame(
        {
            "file": ["a.png", "b.png"],
            "state": ["classified", "none of these"],
            "label": ["glioma", None],
            "probability": [0.9, 0.53],
            "p_glioma": [0.9, 0.53],
            "reason": [None, "a disease of another kind"],
        }
    )
    model = Bunch(classes_=np.array(["glioma"]), model_id_="m")
    _predict._print_table(model, answers)
    shown = capsys.readouterr().out
    assert "none of these" in shown
    assert "a disease of another kind" in shown
    assert "0.53" not in shown  # spread evenly, it says nothing
    assert "2 files: 1 classified, 1 none of these; model m" in shown
    assert _predict._document(model, answers)["states"]["none of these"] == 1
    _predict.report_problems(answers)  # no failure


def test_info_of_a_model(cli, trained):
    _, model, _ = trained
    done = cli("info", model)
    assert done.returncode == 0
    assert read_manifest(model).model_id in done.stdout
    assert "16 images" in done.stdout
    lines = {line[:19].strip(): line[19:] for line in done.stdout.splitlines()}
    assert lines["guard"].strip() == "ScanGuard"
    assert lines["threshold"].strip() == "none; no result is uncertain"
    assert "balanced accuracy" in lines
    assert "no group on both sides" in lines["cross-validation"]


# --- guard, abstention, pickles, the packaged model --------------


@pytest.fixture(scope="module")
def guarded(trained, scans_dir, tmp_path_factory):
    """The trained model with a guard and a threshold."""
    pipeline = load(trained[1]).estimator_
    paths = sorted(map(str, scans_dir.glob("*/*.*")))
    probabilities = pipeline.predict_proba(paths).max(axis=1)
    threshold = float(np.median(probabilities))
    frozen = FrozenEstimator(pipeline)
    model = SelectiveClassifier(frozen, ScanGuard(frozen), threshold).fit(paths, None)
    path = tmp_path_factory.mktemp("guarded") / "model.btc"
    save(model, path)
    return path, threshold


@pytest.fixture
def scans_and_noise(scans_dir, tmp_path):
    """The phantoms, which this guard takes for scans, then noise and a broken file."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    (tmp_path / "broken.png").write_text("no image")
    return [scans_dir / "glioma", tmp_path / "noise.png", tmp_path / "broken.png"]


def test_a_refused_image_gets_no_class(cli, guarded, scans_and_noise):
    done = cli("predict", guarded[0], *scans_and_noise, "--guard", "--json")
    assert done.returncode == 1  # for the broken file alone
    document = json.loads(done.stdout)
    rows = {row["path"].split("/")[-1]: row for row in document["predictions"]}
    noise, broken = rows.pop("noise.png"), rows.pop("broken.png")
    assert noise["state"] == "not a scan"
    for name in ("label", "probability", "probabilities", "error"):
        assert noise[name] is None
    assert broken["state"] == "unreadable"
    assert {row["state"] for row in rows.values()} == {"classified"}
    assert (document["n_refused"], document["n_failed"]) == (1, 1)

    table = cli("predict", guarded[0], *scans_and_noise, "--guard").stdout
    assert "not a scan" in table
    assert "6 files: 4 classified, 1 not a scan, 1 unreadable; model" in table
    text = cli("predict", guarded[0], scans_and_noise[1], "--guard", "--csv").stdout
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["label"], row["p_glioma"]) == ("", "")
    assert row["state"] == "not a scan"


@pytest.mark.parametrize("stated", ["auto", "number"])
def test_below_the_threshold_there_is_no_class(stated, cli, guarded, scans_dir):
    path, threshold = guarded
    value = "auto" if stated == "auto" else threshold
    done = cli("predict", path, scans_dir, "--abstain", value, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rows = document["predictions"]
    kept = [row for row in rows if row["probability"] >= threshold]
    left = [row for row in rows if row["probability"] < threshold]
    assert kept
    assert document["n_not_sure"] == len(left) > 0
    assert all(row["label"] in CLASSES for row in kept)
    for row in left:
        assert row["label"] is None
        assert row["state"] == "uncertain"
        assert sum(row["probabilities"].values()) == pytest.approx(1)


def test_uncertain_in_table_and_csv(cli, guarded, scans_dir):
    table = cli("predict", guarded[0], scans_dir, "--abstain", 1).stdout
    assert "16 files: 16 uncertain" in table
    assert "pituitary 0." in table
    text = cli("predict", guarded[0], scans_dir, "--abstain", 1, "--csv").stdout
    for row in csv.DictReader(io.StringIO(text)):
        assert row["label"] == ""
        assert float(row["p_glioma"]) > 0
        assert row["state"] == "uncertain"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--guard"], "the model has no guard"),
        (["--abstain", "auto"], "stores no abstention threshold"),
        (["--abstain", "1.5"], "auto or a probability from 0 to 1, got '1.5'"),
        (["--abstain", "nan"], "auto or a probability"),
        (["--abstain", "sure"], "auto or a probability"),
    ],
)
def test_what_the_model_lacks_is_one_line(
    options, match, cli, trained, scans_dir, tmp_path
):
    save(load(trained[1]).estimator_, tmp_path / "model.btc")
    done = cli("predict", tmp_path / "model.btc", scans_dir, *options)
    assert done.returncode == 2
    assert match in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("name", ["model.joblib", "model.pkl", "model.btc"])
@pytest.mark.parametrize("command", ["predict", "explain"])
def test_a_pickle_is_not_opened(name, command, cli, scans_dir, tmp_path):
    mark = tmp_path / "ran"
    joblib.dump(Payload(mark), tmp_path / name)
    options = ["-o", tmp_path / "maps"] if command == "explain" else []
    done = cli(command, tmp_path / name, scans_dir / "glioma", *options)
    assert done.returncode == 1
    assert "was not opened" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not mark.exists()


def test_a_trusted_pickle_is_opened_after_a_warning(cli, trained, scans_dir, tmp_path):
    pipeline = load(trained[1])
    joblib.dump(pipeline, tmp_path / "model.joblib")
    folder = scans_dir / "glioma"
    args = ("predict", tmp_path / "model.joblib", folder, "--trust-pickle", "--json")
    done = cli(*args)
    assert done.returncode == 0, done.stderr
    assert "Warning" in done.stderr
    assert "runs whatever code is in it" in done.stderr
    document = json.loads(done.stdout)
    paths = [row["path"] for row in document["predictions"]]
    labels = [row["label"] for row in document["predictions"]]
    assert labels == pipeline.predict(paths).tolist()
    assert document["model_id"] == pipeline.model_id_


def test_trust_does_not_open_a_pickle_named_as_a_model(cli, scans_dir, tmp_path):
    mark = tmp_path / "ran"
    joblib.dump(Payload(mark), tmp_path / "model.btc")
    done = cli("predict", tmp_path / "model.btc", scans_dir, "--trust-pickle")
    assert done.returncode == 1
    assert not mark.exists()


def test_a_trusted_pickle_of_no_classifier_is_one_line(cli, scans_dir, tmp_path):
    joblib.dump({"not": "a model"}, tmp_path / "model.pkl")
    done = cli("predict", tmp_path / "model.pkl", scans_dir, "--trust-pickle")
    assert done.returncode == 1
    assert "holds a dict, which is no classifier" in done.stderr


def test_a_model_without_scans_is_wrong_use(cli, trained):
    done = cli("predict", trained[1])
    assert done.returncode == 2
    assert "name at least one scan" in done.stderr


def test_a_folder_with_a_models_name_is_a_folder(tmp_path):
    folder = tmp_path / "scans.btc"
    folder.mkdir()
    assert split_model([folder]) == (None, [folder])
    assert split_model([tmp_path / "a.png"]) == (None, [tmp_path / "a.png"])
    assert split_model([tmp_path / "M.BTC", folder]) == (tmp_path / "M.BTC", [folder])


def test_without_a_model_the_packaged_one_is_used(cli, tmp_path):
    write_brain_mri(tmp_path, 4, image_size=224, random_state=0)
    done = cli("predict", tmp_path, "--guard", "--abstain", "auto")
    assert done.returncode == 0, done.stderr
    assert "4 files: 4 not a scan" in done.stdout  # drawn, not scanned
