"""DICOM files: compressed, refused, damaged, and never telling of whom they are."""

import io
import sys
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    MRImageStorage,
    RLELossless,
    RTImageStorage,
)

from brain_tumor_clf.exceptions import ImageReadError
from brain_tumor_clf.preprocessing import ImageReader
from tests.preprocessing.images import encode, make_dicom, make_scan


def read(source, **params):
    return ImageReader(**params).fit_transform([source])[0]


def failure(source, **params):
    with pytest.raises(ImageReadError) as info:
        ImageReader(**params).fit_transform([source])
    assert "Secret" not in str(info.value)
    assert "SECRET" not in str(info.value)
    (failure,) = info.value.failures.values()
    return failure.reason


@pytest.fixture
def ramp():
    return np.arange(1200, dtype=np.uint16).reshape(30, 40)


def test_path_without_a_suffix(ramp, tmp_path):
    path = tmp_path / "1.2.840.1"
    path.write_bytes(make_dicom(ramp, WindowCenter=600, WindowWidth=1200))
    assert read(path).shape == (30, 40)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
def test_other_ways_to_store_the_same(ramp, syntax):
    dataset = pydicom.dcmread(io.BytesIO(make_dicom(ramp)))
    dataset.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    dataset.save_as(
        file,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=True,
        enforce_file_format=True,
    )
    np.testing.assert_array_equal(read(file), read(ramp))


def compress(data, syntax):
    """The same DICOM file, compressed, as a file object."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.compress(syntax, generate_instance_uid=False)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file


@pytest.fixture
def large():
    return np.arange(128 * 128, dtype=np.uint16).reshape(128, 128) // 4


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_without_loss(large, syntax):
    data = make_dicom(large, WindowCenter=2000, WindowWidth=3001)
    np.testing.assert_array_equal(read(compress(data, syntax)), read(data))


def test_compressed_as_jpeg():
    scan = make_scan(128, 128)
    dataset = pydicom.dcmread(io.BytesIO(make_dicom(scan)))
    dataset.PixelData = encapsulate([encode(scan, "JPEG", quality=95)])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    assert np.abs(read(file).astype(int) - scan).mean() < 3


def test_compressed_without_a_decoder_says_what_to_install(large, monkeypatch):
    file = compress(make_dicom(large), JPEG2000Lossless)
    decoder = pydicom.pixels.get_decoder(JPEG2000Lossless)
    monkeypatch.setattr(decoder, "_available", {})
    reason = failure(file)
    assert "JPEG 2000" in reason
    assert "brain-tumor-clf[dicom]" in reason


def test_without_pydicom(ramp, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert "pip install 'brain-tumor-clf[dicom]'" in failure(make_dicom(ramp))


@pytest.mark.parametrize("modality", ["CT", "OT", ""])
def test_other_modalities_are_refused(ramp, modality):
    data = make_dicom(ramp, Modality=modality, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    reason = failure(data)
    assert "only MR" in reason
    assert modality in reason


@pytest.mark.parametrize("kind", ["", ".1"])
def test_class_of_mr_images_stands_in_for_a_missing_modality(ramp, kind):
    sop_class = f"{MRImageStorage}{kind}"
    data = make_dicom(ramp, Modality="", SOPClassUID=sop_class)
    assert read(data).shape == (30, 40)


def test_a_class_that_only_begins_like_that_of_mr_images_is_refused(ramp):
    assert RTImageStorage.startswith(MRImageStorage)
    data = make_dicom(ramp, Modality="", SOPClassUID=RTImageStorage)
    assert "states no modality" in failure(data)


def test_truncated_files_never_tell_who_was_scanned(ramp):
    data = make_dicom(ramp)
    for length in range(140, len(data), 97):
        failure(data[:length])


@pytest.mark.parametrize("as_errors", [False, True])
def test_damaged_files_never_tell_who_was_scanned(ramp, as_errors):
    """A wrong length makes one element of all that follow, the patient's name too."""
    data = make_dicom(ramp, WindowCenter=500, WindowWidth=200, VOILUTFunction="LINEAR")
    rng = np.random.default_rng(0)
    n_refused = 0
    for place in range(132, len(data) - ramp.nbytes):
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.integers(8)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("error" if as_errors else "always")
            try:
                read(bytes(damaged))
            except ImageReadError as error:
                n_refused += 1
                found = [*found, error]
        told = " ".join(map(str, found)).upper()
        assert "SECRET" not in told
    assert n_refused > 50


def test_a_modality_that_swallowed_the_name_is_not_shown(ramp):
    data = bytearray(make_dicom(ramp))
    start = data.index(b"CS\x02\x00MR") + 4
    end = data.index(b"\x28\x00\x02\x00US")  # of the first element that is needed
    assert b"Secret" in data[start:end]
    data[start - 2] = end - start
    assert "of an unknown modality" in failure(bytes(data))


def test_pydicoms_settings_are_left_alone(ramp):
    settings = pydicom.config.settings
    before = settings.reading_validation_mode
    ImageReader(n_jobs=4).fit_transform([make_dicom(ramp)] * 20)
    failure(make_dicom(ramp, Modality="CT"))
    assert settings.reading_validation_mode == before


def test_odd_values_beside_the_pixels_raise_no_warning(ramp):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # writing them warns
        data = make_dicom(ramp, PatientBirthDate="SECRET-no-date", PatientAge="x")
    assert read(data).shape == (30, 40)


def test_no_pixels(ramp):
    dataset = pydicom.dcmread(io.BytesIO(make_dicom(ramp)))
    del dataset.PixelData
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    assert "without pixels" in failure(file)


def test_max_pixels(ramp):
    assert "max_pixels" in failure(make_dicom(ramp), max_pixels=1199)


def test_file_without_preamble_is_known_by_its_suffix(ramp, tmp_path):
    path = tmp_path / "scan.dcm"
    path.write_bytes(make_dicom(ramp)[132:])
    np.testing.assert_array_equal(read(path), read(ramp))
    path.write_bytes(b"no image")
    assert "DICOM" in failure(path)
