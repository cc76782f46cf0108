"""From files to results: the class is that of predict, and no file affects others."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf import save
from brain_tumor_clf.app import _results
from brain_tumor_clf.app._images import read_scan
from brain_tumor_clf.app._results import to_csv
from brain_tumor_clf.outlier_detection import ScanGuard
from brain_tumor_clf.preprocessing import ImageReader
from brain_tumor_clf.selective import CLASSIFIED, NOT_A_SCAN, UNCERTAIN, UNREADABLE
from tests.app.conftest import DarkCornerGuard
from tests.cli.conftest import run_script
from tests.preprocessing.images import make_dicom


def classify(*args, **options):
    return list(_results.classify(*args, **options))


@pytest.fixture
def uploads(scans, make_upload):
    """One scan in each format."""
    image = scans.data[0]
    wide = Image.fromarray(scans.data[1].astype(np.uint16) * 200)
    tiff = io.BytesIO()
    wide.save(tiff, format="TIFF")
    return [
        make_upload(image, "a.png"),
        make_upload(image, "b.jpg", "JPEG"),
        make_upload(tiff.getvalue(), "c.tif"),
        make_upload(make_dicom(scans.data[2].astype(np.uint16)), "IM0001"),
        make_upload(np.kron(scans.data[3], np.ones((9, 9), np.uint8)), "e.jpg", "JPEG"),
    ]


def test_class_is_that_of_predict(make_model, uploads):
    model = make_model()
    results = classify(model, uploads)
    files = [upload.data for upload in uploads]
    assert [r.label for r in results] == model.model.predict(files).tolist()
    assert {r.state for r in results} == {CLASSIFIED}
    expected = model.model.predict_proba(files)
    shown = [list(r.probabilities.values()) for r in results]
    np.testing.assert_array_equal(shown, expected)
    assert [r.probability for r in results] == expected.max(axis=1).tolist()


def test_one_pass_for_all(make_model, uploads):
    model = make_model()
    classify(model, uploads)
    assert model.n_passes == 1


def test_sizes_are_those_of_the_files_not_of_what_was_decoded(make_model, uploads):
    results = classify(make_model(), uploads)
    assert results[0].size == (64, 64)
    assert results[4].size == (576, 576)
    assert max(results[4].thumbnail.shape[:2]) <= 96


def test_a_broken_file_spoils_its_own_row_alone(make_model, uploads, make_upload):
    broken = make_upload(uploads[0].data[:300], "broken.png")
    text = make_upload(b"no picture at all", "notes.txt")
    alone = classify(make_model(), uploads)
    mixed = classify(make_model(), [broken, *uploads[:2], text, *uploads[2:]])
    assert [r.name for r in mixed if r.state == UNREADABLE] == [
        "broken.png",
        "notes.txt",
    ]
    assert mixed[0].reason.startswith("damaged")
    assert [r.probabilities for r in mixed if r.probabilities] == [
        r.probabilities for r in alone
    ]


def test_only_broken_files(make_model, make_upload):
    results = classify(make_model(), [make_upload(b"", "empty.png")])
    assert results[0].reason == "the file is empty"
    assert classify(make_model(), []) == []


def test_what_only_the_models_reader_refuses(make_model, uploads, make_upload):
    model = make_model()
    reader = model.model[0]["read"]
    original = reader.max_pixels
    reader.max_pixels = 100_000
    try:
        results = classify(model, uploads)
    finally:
        reader.max_pixels = original
    assert [r.state for r in results] == [CLASSIFIED] * 4 + [UNREADABLE]
    assert "pixels" in results[4].reason


def test_guard_and_threshold_decide_the_state(make_model, scans, make_upload):
    drawn = scans.data[0].copy()
    drawn[:4, :4] = 255
    files = [make_upload(scans.data[0]), make_upload(drawn)]
    sure = make_model(guard=DarkCornerGuard())
    assert [r.state for r in classify(sure, files)] == [CLASSIFIED, NOT_A_SCAN]
    doubtful = make_model(guard=DarkCornerGuard(), abstention={"threshold": 1.0})
    results = classify(doubtful, files)
    assert [r.state for r in results] == [UNCERTAIN, NOT_A_SCAN]
    assert [r.label for r in results] == [None, None]
    assert results[0].probabilities
    assert not results[1].probabilities
    unguarded = classify(doubtful, files, guard=False)  # as for a phantom
    assert [r.state for r in unguarded] == [UNCERTAIN, UNCERTAIN]
    assert unguarded[1].probabilities


@pytest.mark.filterwarnings("ignore:.*no head was found")
def test_a_guard_that_was_fitted(make_model, fitted, scans, make_upload):
    guard = ScanGuard(fitted).fit(scans.data)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    uploads = [make_upload(noise), *map(make_upload, scans.data[:4])]
    results = classify(make_model(guard=guard), uploads)
    expected = guard.predict([upload.data for upload in uploads])
    assert expected[0] == -1
    for result, verdict in zip(results, expected, strict=True):
        assert (result.state == NOT_A_SCAN) == (verdict == -1)


def test_too_large_too_many_and_too_much(
    make_model, scans, make_upload, uploads, monkeypatch
):
    monkeypatch.setattr(_results, "BYTES_A_MB", 1000)
    monkeypatch.setattr(_results, "MAX_FILE_MB", 8)
    monkeypatch.setattr(_results, "MAX_TOTAL_MB", 9)
    monkeypatch.setattr(_results, "MAX_FILES", 4)
    small = make_upload(scans.data[0], "small.jpg", "JPEG")
    assert 2000 > len(small.data) > 1000
    large = make_upload(small.data + bytes(8000), "large.jpg")
    half = make_upload(small.data + bytes(6000), "half.jpg")
    results = classify(make_model(), [large, half, small, half, small])
    assert [r.reason for r in results] == [
        "skipped: larger than 8 MB",
        None,
        None,
        "skipped: all files together exceed 9 MB",
        "skipped: more than 4 files at once",
    ]


def test_a_decompression_bomb_is_not_decoded(make_model, make_upload):
    bomb = io.BytesIO()
    Image.new("1", (6000, 6000)).save(bomb, format="PNG")
    assert len(bomb.getvalue()) < 10_000
    result = classify(make_model(), [make_upload(bomb.getvalue(), "bomb.png")])[0]
    assert result.state == UNREADABLE
    assert "36,000,000 pixels" in result.reason


def test_what_the_reader_remarks_stands_with_its_file(make_model, scans, make_upload):
    frames = [Image.fromarray(image) for image in scans.data[:2]]
    file = io.BytesIO()
    frames[0].save(file, format="TIFF", save_all=True, append_images=frames[1:])
    uploads = [make_upload(file.getvalue(), "two.tif"), make_upload(scans.data[0])]
    with pytest.warns(match="only the first frame"):  # the pipeline says it, too
        results = classify(make_model(), uploads)
    assert "only the first frame" in results[0].notes[0]
    assert results[1].notes == ()


def test_frames_of_a_file(make_model, scans, make_upload):
    frames = [Image.fromarray(image) for image in scans.data[:3]]
    file = io.BytesIO()
    frames[0].save(file, format="TIFF", save_all=True, append_images=frames[1:])
    volume = make_dicom(scans.data[:3].astype(np.uint16))
    model = make_model()
    tiff, dicom = make_upload(file.getvalue()), make_upload(volume)
    with pytest.warns(match="only the first frame"):
        results = classify(model, [tiff, dicom, make_upload(scans.data[0])])
    assert [r.has_frames for r in results] == [True, True, False]
    assert [r.state for r in results] == [CLASSIFIED, UNREADABLE, CLASSIFIED]
    assert results[0].probabilities == results[2].probabilities
    for upload in (tiff, dicom):
        *chosen, beyond = classify(model, [upload._replace(frame=k) for k in range(4)])
        images = [ImageReader(frame=k).transform([upload.data])[0] for k in range(3)]
        expected = model.model.predict_proba(images)
        shown = [list(r.probabilities.values()) for r in chosen]
        np.testing.assert_allclose(shown, expected, atol=1e-6)
        assert not any(r.has_frames for r in chosen)
        assert beyond.reason == "frame 4 cannot be read"


def test_csv_is_as_predict_writes_it_and_has_the_state(make_model, scans, make_upload):
    drawn = scans.data[0].copy()
    drawn[:4, :4] = 255
    model = make_model(guard=DarkCornerGuard())
    names = ["a,b.png", "=HYPERLINK(1)", "broken.png"]
    files = [scans.data[0], drawn, b"nothing"]
    results = classify(
        model, [make_upload(*pair) for pair in zip(files, names, strict=True)]
    )
    rows = list(csv.DictReader(io.StringIO(to_csv(model, results))))
    p = [f"p_{name}" for name in model.labels]
    head = ["path", "label", "probability", *p, "error", "model_id", "state"]
    assert list(rows[0]) == head
    assert rows[0]["path"] == "a,b.png"
    assert rows[0]["label"] == results[0].label
    assert float(rows[0]["probability"]) == max(float(rows[0][name]) for name in p)
    assert rows[1]["path"] == "'=HYPERLINK(1)"  # no spreadsheet runs it
    assert {rows[1][name] for name in ["label", "probability", *p]} == {""}
    assert rows[2]["error"] == results[2].reason
    assert [row["state"] for row in rows] == [CLASSIFIED, NOT_A_SCAN, UNREADABLE]


@pytest.mark.slow
def test_csv_agrees_with_that_of_the_command(make_model, uploads, tmp_path):
    model = make_model()
    save(model.model, tmp_path / "model.btc")
    uploads = [upload._replace(name=str(tmp_path / upload.name)) for upload in uploads]
    for upload in uploads:
        Path(upload.name).write_bytes(upload.data)
    names = [upload.name for upload in uploads]
    done = run_script("predict", tmp_path / "model.btc", *names, "--csv")
    ours = to_csv(model, classify(model, uploads))
    rows = [list(csv.DictReader(io.StringIO(text))) for text in (ours, done.stdout)]
    for mine, theirs in zip(*rows, strict=True):
        for column in set(theirs) - {"model_id"}:
            if column == "probability" or column.startswith("p_"):
                # Batches of another size may round differently.
                assert float(mine[column]) == pytest.approx(float(theirs[column]))
            else:
                assert mine[column] == theirs[column]


def test_a_scan_for_the_screen_is_small_enough(uploads):
    assert read_scan(uploads[4], 200).shape == (200, 200, 3)
    assert read_scan(uploads[0], 200).shape == (64, 64, 3)
