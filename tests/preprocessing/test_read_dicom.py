import io
import sys
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

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
    (reason,) = info.value.failures.values()
    return reason


@pytest.fixture
def ramp():
    return np.arange(1200, dtype=np.uint16).reshape(30, 40)


def test_path_without_a_suffix(ramp, tmp_path):
    path = tmp_path / "1.2.840.1"
    path.write_bytes(make_dicom(ramp, WindowCenter=600, WindowWidth=1200))
    assert read(path).shape == (30, 40)


def test_window(ramp):
    image = read(make_dicom(ramp, WindowCenter=500, WindowWidth=201))
    assert image.ravel()[399] == 0
    assert image.ravel()[600] == 255
    assert image.ravel()[500] == pytest.approx(128, abs=1)


def test_first_of_several_windows(ramp):
    both = make_dicom(ramp, WindowCenter=[500, 9], WindowWidth=[201, 5])
    one = make_dicom(ramp, WindowCenter=500, WindowWidth=201)
    np.testing.assert_array_equal(read(both), read(one))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_window_functions_follow_pydicom(ramp, function):
    data = make_dicom(
        ramp, WindowCenter=500, WindowWidth=300, VOILUTFunction=function, BitsStored=12,
        HighBit=11,
    )  # fmt: skip
    header = pydicom.dcmread(io.BytesIO(data))
    theirs = pydicom.pixels.apply_voi_lut(ramp, header)
    expected = theirs / 4095 * 255
    assert np.abs(read(data) - expected).max() <= 1


def test_rescale_comes_before_the_window(ramp):
    data = make_dicom(
        ramp, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=0, WindowWidth=401
    )
    image = read(data).ravel()
    assert image[399] == 0
    assert image[600] == 255
    assert image[500] == pytest.approx(128, abs=1)


def test_without_a_window_percentiles_scale(ramp):
    np.testing.assert_array_equal(read(make_dicom(ramp)), read(ramp))
    np.testing.assert_array_equal(
        read(make_dicom(ramp), percentiles=(0, 100)), read(ramp, percentiles=(0, 100))
    )


def test_signed_pixels():
    pixels = np.arange(-600, 600, dtype=np.int16).reshape(30, 40)
    image = read(make_dicom(pixels), percentiles=(0, 100)).ravel()
    assert (np.diff(image.astype(int)) >= 0).all()
    assert image[[0, -1]].tolist() == [0, 255]


def test_eight_bits_without_a_window_stay_as_they_are():
    scan = make_scan()
    np.testing.assert_array_equal(read(make_dicom(scan)), scan)


def test_monochrome1_is_inverted(ramp):
    data = make_dicom(ramp, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read(data), 255 - read(ramp))


def test_padding_is_black(ramp):
    pixels = ramp + np.uint16(5000)
    pixels[:, :10] = 0
    image = read(make_dicom(pixels, PixelPaddingValue=0), percentiles=(0, 100))
    assert (image[:, :10] == 0).all()
    assert image[0, 10] < 10  # without the padding rule 5000 of 6199 would be bright


def test_rgb():
    color = np.stack([make_scan()] * 3, axis=2)
    color[:, :, 1] //= 2
    np.testing.assert_array_equal(read(make_dicom(color), color_mode="rgb"), color)
    assert read(make_dicom(color)).ndim == 2


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


def test_multi_frame_says_how_to_choose(ramp):
    frames = np.stack([ramp, ramp[::-1], ramp])
    data = make_dicom(frames)
    reason = failure(data)
    assert "3 frames" in reason
    assert "ImageReader(frame=…)" in reason
    np.testing.assert_array_equal(read(data, frame=1), read(ramp[::-1]))
    assert "0 to 2" in failure(data, frame=3)


def test_rescale_and_window_of_one_frame(ramp):
    def groups(center):
        window, item = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = center, 201
        item.FrameVOILUTSequence = Sequence([window])
        return item

    per_frame = Sequence([groups(300), groups(900)])
    data = make_dicom(
        np.stack([ramp, ramp]), PerFrameFunctionalGroupsSequence=per_frame
    )
    np.testing.assert_array_equal(
        read(data, frame=1), read(make_dicom(ramp, WindowCenter=900, WindowWidth=201))
    )


@pytest.mark.parametrize("modality", ["CT", "OT", ""])
def test_other_modalities_are_refused(ramp, modality):
    data = make_dicom(ramp, Modality=modality, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    reason = failure(data)
    assert "only MR" in reason
    assert modality in reason


def test_class_of_mr_images_stands_in_for_a_missing_modality(ramp):
    assert read(make_dicom(ramp, Modality="")).shape == (30, 40)


def test_damaged_files_never_tell_who_was_scanned(ramp):
    data = make_dicom(ramp)
    for length in range(140, len(data), 97):
        failure(data[:length])


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
