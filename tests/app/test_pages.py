"""The pages, as Streamlit runs them."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import brain_tumor_clf.app
from brain_tumor_clf.app import _results, _served
from brain_tumor_clf.app._model_card_page import model_card_page
from tests.app.conftest import METADATA, DarkCornerGuard

SCRIPT = Path(brain_tumor_clf.app.__file__).with_name("main.py")


@pytest.fixture(autouse=True)
def _own_model():
    yield
    _served.serve_model(None)


def open_app(model):
    _served.serve_model(model)
    app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
    assert not app.exception
    return app


def show_page(page, model):
    """A page on its own, as visitors see it who follow a link to it."""

    def script(page):
        page()

    _served.serve_model(model)
    app = AppTest.from_function(script, default_timeout=120, args=(page,)).run()
    assert not app.exception
    return app


def upload(app, *files):
    app.file_uploader[0].set_value([(f.name, f.data, "image/png") for f in files])
    app.run()
    assert not app.exception
    return app


def html_of(app):
    return "\n".join(element.proto.body for element in app.get("html"))


def shown_class(app):
    return html_of(app).partition('<div class="what">')[2].partition("<")[0].strip()


def picture(app):
    """The address of the only picture, which is that of its content."""
    (element,) = app.get("image")
    return element.value[0]


def test_before_anything_is_uploaded(make_model):
    app = open_app(make_model())
    shown = html_of(app)
    assert app.title[0].value == "Classify brain MRI scans"
    assert "Research only; not a medical device." in shown
    assert "model.btc distinguishes these classes: glioma, meningioma," in shown
    assert len(app.file_uploader) == 1
    assert not app.text_input  # no path can be typed in
    assert not app.text_area


def test_one_scan(make_model, scans, make_upload):
    model = make_model()
    file = make_upload(scans.data[0], "scan.png")
    app = upload(open_app(model), file)
    (expected,) = model.model.predict([file.data])
    assert shown_class(app) == expected
    shown = html_of(app)
    assert "scan.png, 64x64 pixels" in shown
    assert "images not used for training" in shown
    assert all(f">{label}</span>" in shown for label in model.labels)
    assert len(app.get("image")) == 1
    assert app.dataframe[0].value["result"].tolist() == [expected]
    assert len(app.get("download_button")) == 1


def test_strength_and_class_of_the_heat_map(make_model, scans, make_upload):
    model = make_model()
    app = upload(open_app(model), make_upload(scans.data[0]))
    pictures = [picture(app)]
    app.slider[0].set_value(0).run()
    pictures.append(picture(app))
    app.slider[0].set_value(100).run()
    pictures.append(picture(app))
    other = next(label for label in model.labels if label != app.selectbox[0].value)
    app.selectbox[0].set_value(other).run()
    pictures.append(picture(app))
    assert len(set(pictures)) == 4
    assert model.n_passes == 1


def test_several_files_one_of_them_broken(make_model, scans, make_upload):
    model = make_model()
    broken = make_upload(b"\x89PNG broken", "broken.png")
    files = [make_upload(image) for image in scans.data[:3]]
    app = upload(open_app(model), files[0], broken, *files[1:])
    assert model.n_passes == 1
    predicted = model.model.predict([f.data for f in files]).tolist()
    expected = [predicted[0], "unreadable", *predicted[1:]]
    assert app.dataframe[0].value["result"].tolist() == expected
    assert app.caption[0].value == "3 classified, 1 unreadable"
    next_button = next(b for b in app.button if b.label == "Next")
    next_button.click().run()
    assert shown_class(app) == "Unreadable"
    assert "Damaged" in html_of(app)
    assert model.n_passes == 1
    next(b for b in app.button if b.label == "Next").click().run()
    assert shown_class(app) == predicted[1]


def test_only_new_files_are_classified(make_model, scans, make_upload):
    model = make_model()
    app = upload(open_app(model), make_upload(scans.data[0]))
    app.run()
    assert model.n_passes == 1


def test_a_sessions_files_are_no_others(make_model, scans, make_upload):
    model = make_model()
    upload(open_app(model), make_upload(scans.data[0], "mine.png"))
    assert "mine.png" not in html_of(open_app(model))


def test_removing_a_file_removes_what_was_made_of_it(make_model, scans, make_upload):
    app = upload(open_app(make_model()), make_upload(scans.data[0], "mine.png"))
    assert app.session_state["results"]
    app.file_uploader[0].clear().run()
    assert "mine.png" not in html_of(app)
    for name in ("results", "maps"):
        assert app.session_state[name] == {}
    assert "uploads" not in app.session_state


def test_uncertain(make_model, scans, make_upload):
    model = make_model(abstention={"threshold": 1.0, "error_rate": 0.02})
    app = upload(open_app(model), make_upload(scans.data[0]))
    assert shown_class(app) == "Uncertain"
    assert "wrong answers to at most 2.0%" in html_of(app)
    assert app.dataframe[0].value["result"].tolist() == ["uncertain"]


def test_not_a_scan_gets_no_class(make_model, make_upload):
    app = open_app(make_model(guard=DarkCornerGuard()))
    page = np.full((80, 80), 200, np.uint8)
    page[20:60, 20:60] = 90
    upload(app, make_upload(page, "page.png"))
    assert shown_class(app) == "Not a scan"
    assert '<div class="btc-bars">' not in html_of(app)
    assert not app.slider
    assert not app.toggle  # for phantoms alone
    assert app.dataframe[0].value["probability"].isna().all()


@pytest.mark.parametrize("probability", [np.nan, 0.7])
def test_a_state_of_any_name_is_shown(
    make_model, scans, make_upload, monkeypatch, probability
):
    model = make_model()
    answer = {"file": "a.png", "state": "unfamiliar scan", "label": None}
    answer |= {f"p_{label}": probability for label in model.labels}
    answer |= {"probability": probability, "reason": "far from all scans of training"}
    frame = pd.DataFrame([answer])
    monkeypatch.setattr(model, "predict_files", lambda files, *, guard: frame)
    app = upload(open_app(model), make_upload(scans.data[0]))
    assert shown_class(app) == "Unfamiliar scan"
    assert "Far from all scans of training." in html_of(app)
    assert app.caption[0].value == "1 unfamiliar scan"
    assert app.dataframe[0].value["result"].tolist() == ["unfamiliar scan"]
    assert ('<div class="btc-bars">' in html_of(app)) == (probability == 0.7)


@pytest.mark.filterwarnings("ignore:.*(no head was found|is blank)")
@pytest.mark.parametrize("gray", [0, 90, 255])
def test_a_blank_image_is_uncertain(make_model, make_upload, gray):
    app = open_app(make_model())
    upload(app, make_upload(np.full((80, 80), gray, np.uint8), "blank.png"))
    assert shown_class(app) == "Uncertain"
    assert "The image is blank" in html_of(app)
    assert "nan" not in html_of(app)
    (row,) = app.dataframe[0].value.to_dict("records")
    assert row["result"] == "uncertain"
    assert row["remark"].count("blank") == 1
    assert row["probability"] is None


class RejectAll(DarkCornerGuard):
    def predict(self, X):
        return -np.ones(len(X))


def test_a_phantom_is_rejected_and_can_be_classified_anyway(make_model):
    model = make_model(guard=RejectAll())
    app = open_app(model)
    app.segmented_control[0].set_value("Try a phantom").run()
    assert not app.exception
    assert shown_class(app) == "Not a scan"
    assert "The guard rejected it, as it should" in html_of(app)
    assert not app.slider
    app.toggle[0].set_value(True).run()
    assert shown_class(app) in model.labels
    assert "Not a scan" in html_of(app)
    assert len(app.slider) == 1
    app.button[0].click().run()  # another phantom
    assert "no. 1" in html_of(app)


def test_a_phantom_without_a_guard(make_model):
    model = make_model(metadata={}, abstention=None)
    app = open_app(model)
    app.segmented_control[0].set_value("Try a phantom").run()
    assert shown_class(app) in model.labels
    assert "This model has no guard" in html_of(app)
    assert not app.toggle


def test_too_large_and_too_many(make_model, scans, make_upload, monkeypatch):
    monkeypatch.setattr(_results, "MAX_FILES", 2)
    monkeypatch.setattr(_results, "BYTES_A_MB", 100)
    large = make_upload(bytes(3300), "large.png")
    small = make_upload(scans.data[0][::4, ::4], "small.png")
    assert len(small.data) < 3200
    app = upload(open_app(make_model()), large, small, small)
    remarks = app.dataframe[0].value["remark"].tolist()
    assert remarks[0] == "skipped: larger than 32 MB"
    assert remarks[2] == "skipped: more than 2 files at once"


def test_a_hostile_name_stays_text(make_model, scans, make_upload):
    name = "<img src=x onerror=alert(1)>![x](http://evil).png"
    app = upload(open_app(make_model()), make_upload(scans.data[0], name))
    assert "<img" not in html_of(app)
    for element in [*app.markdown, *app.caption]:
        assert "evil" not in element.value


def test_model_card(make_model):
    page = show_page(model_card_page, make_model(guard=DarkCornerGuard()))
    shown = html_of(page)
    assert "model.btc" in shown
    assert "rejects images that do not look like brain MRI scans" in shown
    assert "0.00. Below this probability" in shown
    assert [s.value for s in page.subheader] == [
        "Confusion matrix",
        "Calibration",
        "Selective risk and coverage",
    ]
    assert len(page.get("vega_lite_chart")) == 3
    assert page.markdown[-1].value == METADATA["model_card"]
    assert not page.info


def test_a_model_without_a_card(make_model):
    page = show_page(model_card_page, make_model(metadata={}))
    assert "no model card" in page.info[0].value
    assert "no result is uncertain" in html_of(page)
    assert not page.get("vega_lite_chart")


def test_a_model_card_loads_nothing(make_model):
    card = "![x](http://evil/x.png) ![y][z] [here](file.py) <img src=http://evil>"
    page = show_page(model_card_page, make_model(model_card=card))
    shown = page.markdown[-1]
    assert "![" not in shown.value
    assert "file.py" not in shown.value
    assert not shown.allow_html


def test_a_dicom_file_tells_nothing_of_the_patient(make_model, scans, make_upload):
    from tests.preprocessing.images import make_dicom

    data = make_dicom(scans.data[0].astype(np.uint16))
    assert b"Secret" in data
    app = upload(open_app(make_model()), make_upload(data, "IM1"))
    assert shown_class(app) in make_model().labels
    assert "Secret" not in html_of(app)
    assert "Secret" not in app.dataframe[0].value.to_csv()


def test_a_frame_is_chosen(make_model, scans, make_upload):
    from tests.preprocessing.images import make_dicom

    model = make_model()
    volume = make_dicom(scans.data[:3].astype(np.uint16))
    app = upload(open_app(model), make_upload(volume, "volume.dcm"))
    assert shown_class(app) == "Unreadable"
    assert "ImageReader" not in html_of(app)
    assert "A DICOM file of 3 frames." in html_of(app)
    assert app.dataframe[0].value["remark"].tolist() == ["a DICOM file of 3 frames"]
    app.number_input[0].set_value(2).run()
    assert shown_class(app) in model.labels
    assert "volume.dcm, 64x64 pixels" in html_of(app)
    assert len(app.slider) == 1
    app.number_input[0].set_value(4).run()
    assert "Frame 4 cannot be read." in html_of(app)


def test_a_camera_picture_is_upright(make_model, scans, make_upload):
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(scans.data[0][:, :48]).save(file, format="JPEG", exif=exif)
    app = upload(open_app(make_model()), make_upload(file.getvalue(), "phone.jpg"))
    assert "phone.jpg, 64x48 pixels" in html_of(app)
