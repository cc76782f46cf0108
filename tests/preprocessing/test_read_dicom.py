"""What a DICOM file says of its pixels: windows, rescaling, colors, frames."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import convert_color_space
from pydicom.sequence import Sequence

from brain_tumor_clf.exceptions import BlankImageWarning, ImageReadError
from brain_tumor_clf.preprocessing import ImageReader
from tests.preprocessing.images import make_dicom, make_scan


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


def test_window(ramp):
    image = read(make_dicom(ramp, WindowCenter=500, WindowWidth=201))
    assert image.ravel()[399] == 0
    assert image.ravel()[600] == 255
    assert image.ravel()[500] == pytest.approx(128, abs=1)


@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")  # while it is written
@pytest.mark.parametrize(
    "window",
    [
        {"WindowCenter": "nan", "WindowWidth": 9},
        {"WindowCenter": 9, "WindowWidth": "nan"},
        {"WindowCenter": 9, "WindowWidth": 0},
        {"WindowCenter": 9},
    ],
)
def test_a_window_that_is_none_is_not_used(ramp, window):
    np.testing.assert_array_equal(read(make_dicom(ramp, **window)), read(ramp))


def lookup_table(values):
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [len(values), 0, 16], values.tobytes()
    item.ModalityLUTType = "US"
    return Sequence([item])


@pytest.mark.parametrize("kind", ["ModalityLUTSequence", "VOILUTSequence"])
def test_lookup_tables(ramp, kind):
    table = np.arange(1200, dtype="<u2")[::-1].copy()
    image = read(make_dicom(ramp, **{kind: lookup_table(table)}), percentiles=(0, 100))
    assert image.ravel()[[0, -1]].tolist() == [255, 0]
    assert (np.diff(image.ravel().astype(int)) <= 0).all()


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


def test_color_stored_plane_by_plane_and_as_ybr():
    color = np.stack([make_scan(), make_scan(seed=1) // 2, make_scan(seed=2) // 3], 2)
    planes = make_dicom(
        color,
        PlanarConfiguration=1,
        PixelData=np.ascontiguousarray(np.moveaxis(color, 2, 0)).tobytes(),
    )
    np.testing.assert_array_equal(read(planes, color_mode="rgb"), color)
    ybr = convert_color_space(color, "RGB", "YBR_FULL")
    image = read(
        make_dicom(ybr, PhotometricInterpretation="YBR_FULL"), color_mode="rgb"
    )
    assert np.abs(image.astype(int) - color).max() <= 1


def test_palette():
    pixels = np.arange(120, dtype=np.uint8).reshape(10, 12)
    elements = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, factor in {"Red": 2, "Green": 1, "Blue": 0}.items():
        table = (np.arange(128, dtype="<u2") * factor) << 8
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [128, 0, 16]
        elements[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    image = read(make_dicom(pixels, **elements), color_mode="rgb")
    expected = pixels[:, :, None] * np.array([2, 1, 0], np.uint8)
    np.testing.assert_array_equal(image, expected)


def test_bits_beyond_those_stored_are_not_read(ramp):
    data = make_dicom(ramp | np.uint16(0xF000), BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read(data), read(ramp))


def test_multi_frame_says_how_to_choose(ramp):
    frames = np.stack([ramp, ramp[::-1], ramp])
    data = make_dicom(frames)
    reason = failure(data)
    assert "3 frames" in reason
    assert "ImageReader(frame=…)" in reason
    np.testing.assert_array_equal(read(data, frame=1), read(ramp[::-1]))
    assert "0 to 2" in failure(data, frame=3)


def test_window_of_one_frame(ramp):
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


def test_rescale_of_one_frame(ramp):
    def groups(slope):
        rescale, item = Dataset(), Dataset()
        rescale.RescaleSlope, rescale.RescaleIntercept = slope, 7
        item.PixelValueTransformationSequence = Sequence([rescale])
        return item

    window = {"WindowCenter": 600, "WindowWidth": 1200}
    data = make_dicom(
        np.stack([ramp, ramp]),
        PerFrameFunctionalGroupsSequence=Sequence([groups(1), groups(0.5)]),
        **window,
    )
    alone = make_dicom(ramp, RescaleSlope=0.5, RescaleIntercept=7, **window)
    np.testing.assert_array_equal(read(data, frame=1), read(alone))


def test_padding_is_black_whatever_the_display():
    """Above the scan in MONOCHROME1, where an inversion alone would do, and below."""
    scan = np.arange(1200, dtype=np.uint16).reshape(30, 40) + np.uint16(100)
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        for padding in (0, 4095):
            pixels = scan.copy()
            pixels[:, :10] = padding
            elements = {
                "PhotometricInterpretation": photometric,
                "PixelPaddingValue": padding,
            }
            image = read(make_dicom(pixels, **elements))
            assert (image[:, :10] == 0).all()
            inside = np.ascontiguousarray(scan[:, 10:])
            alone = read(make_dicom(inside, PhotometricInterpretation=photometric))
            np.testing.assert_array_equal(image[:, 10:], alone)


@pytest.mark.parametrize(("value", "limit"), [(-2000, -1000), (-1000, -2000)])
@pytest.mark.parametrize("signed", [True, False])
def test_range_of_padding(value, limit, signed):
    scan = np.arange(1200, dtype=np.int16).reshape(30, 40)
    pixels = scan.copy()
    pixels[:, :10] = np.linspace(-2000, -1000, 10)
    pixels, ends = (pixels, (value, limit)) if signed else (pixels + 2000, None)
    ends = ends or (value + 2000, limit + 2000)
    pixels = pixels if signed else pixels.astype(np.uint16)
    data = make_dicom(pixels, PixelPaddingValue=ends[0], PixelPaddingRangeLimit=ends[1])
    image = read(data)
    assert (image[:, :10] == 0).all()
    np.testing.assert_array_equal(
        image[:, 10:], read(np.ascontiguousarray(scan[:, 10:]))
    )


def test_an_image_of_padding_alone_is_blank():
    data = make_dicom(np.full((30, 40), 7, np.uint16), PixelPaddingValue=7)
    with pytest.warns(BlankImageWarning):
        read(data)


def test_a_window_that_misses_the_values_is_told(ramp):
    for center, value in ((-5000, 255), (9000, 0)):
        with pytest.warns(BlankImageWarning):
            image = read(make_dicom(ramp, WindowCenter=center, WindowWidth=100))
        assert (image == value).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("center", [-5000, 9000])
def test_padding_hides_no_blank_image(photometric, center, ramp):
    pixels = ramp.copy()
    pixels[:, :10] = 2000
    elements = {"WindowCenter": center, "WindowWidth": 100, "PixelPaddingValue": 2000}
    with pytest.warns(BlankImageWarning):
        read(make_dicom(pixels, PhotometricInterpretation=photometric, **elements))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("rescale", [None, (1, -300), (0.5, 10), (-1, 1200)])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_order_of_the_standard_is_pydicoms(ramp, photometric, rescale, function):
    elements = {
        "WindowCenter": 300, "WindowWidth": 401, "VOILUTFunction": function,
        "PhotometricInterpretation": photometric, "BitsStored": 12, "HighBit": 11,
    }  # fmt: skip
    if rescale is not None:
        elements["RescaleSlope"], elements["RescaleIntercept"] = rescale
    data = make_dicom(ramp, **elements)
    header = pydicom.dcmread(io.BytesIO(data))
    values = pydicom.pixels.apply_modality_lut(header.pixel_array, header)
    shown = pydicom.pixels.apply_voi_lut(values, header)
    slope, intercept = rescale or (1, 0)
    low, high = intercept, 4095 * slope + intercept
    expected = (shown - low) / (high - low) * 255
    if photometric == "MONOCHROME1":
        expected = 255 - expected
    assert np.abs(read(data) - expected).max() <= 0.51


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_tables_are_looked_up_as_by_pydicom(bits, ramp):
    table = (np.sqrt(np.linspace(0, 1, 1000)) * (2**bits - 1)).astype("<u2")
    item = lookup_table(table)
    item[0].LUTDescriptor = [1000, 100, bits]
    data = make_dicom(ramp, VOILUTSequence=item, WindowCenter=5, WindowWidth=2)
    header = pydicom.dcmread(io.BytesIO(data))
    shown = pydicom.pixels.apply_voi_lut(ramp, header)
    expected = shown / (2**bits - 1) * 255
    assert np.abs(read(data) - expected).max() <= 0.51


def test_a_table_of_many_entries_of_8_bits(ramp):
    """pydicom 3.0 counts its entries in 8 bits and wraps."""
    item = lookup_table((np.arange(4096) // 16).astype("<u2"))
    item[0].LUTDescriptor = [4096, 0, 8]
    image = read(make_dicom(ramp * 3, VOILUTSequence=item))
    np.testing.assert_array_equal(image, (ramp * 3) // 16)
