"""The saliency display: scans beside their heat maps, with class and probability."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from brain_tumor_clf import grad_cam
from brain_tumor_clf.inspection import SaliencyDisplay, occlusion_map
from tests.inspection.spots import make_spot_pipeline, make_spotted_head


@pytest.fixture(autouse=True)
def _closed_figures():
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def pipe():
    return make_spot_pipeline((48, 48))


@pytest.fixture
def paths(tmp_path):
    """Three files of different sizes."""
    for i, shape in enumerate([(60, 90), (80, 80), (90, 60)]):
        scan = make_spotted_head(shape, (30, 40))
        Image.fromarray(scan).save(tmp_path / f"scan {i}.png")
    return sorted(tmp_path.iterdir())


def test_scan_heat_class_and_probability(pipe, paths):
    display = SaliencyDisplay.from_estimator(pipe, paths)
    proba = pipe.predict_proba(paths)
    assert len(display.axes_) == 6
    for k, path in enumerate(paths):
        plain, hot = display.axes_[2 * k : 2 * k + 2]
        scan, (under, heat) = plain.images[0], hot.images
        assert plain.get_title() == path.name
        assert hot.get_title() == f"{pipe.predict([path])[0]}, {proba[k].max():.1%}"
        expected = np.asarray(Image.open(path).convert("RGB"))
        np.testing.assert_array_equal(scan.get_array(), expected)
        np.testing.assert_array_equal(under.get_array(), expected)
        np.testing.assert_array_equal(heat.get_array(), grad_cam(pipe, paths)[k])
        np.testing.assert_allclose(heat.get_alpha(), 0.6 * heat.get_array())


def test_another_class_has_its_own_probability(pipe, paths):
    display = SaliencyDisplay.from_estimator(
        pipe, paths, target="no spot", method="gradcam"
    )
    proba = pipe.predict_proba(paths)[:, 0]
    np.testing.assert_array_equal(display.probability, proba)
    assert display.axes_[1].get_title() == f"no spot, {proba[0]:.1%}"
    each = ["spot", "no spot", "spot"]
    display = SaliencyDisplay.from_estimator(pipe, paths, target=each, max_images=2)
    assert list(display.labels) == each[:2]
    assert "2 of 3 scans" in display.figure_.get_suptitle()


def test_maps_by_covering_are_drawn_as_well(pipe, paths):
    maps = occlusion_map(pipe, paths)
    display = SaliencyDisplay.from_maps(paths, maps, ["spot"] * 3, strength=1)
    assert display.axes_[3].get_title() == "spot"
    np.testing.assert_array_equal(display.axes_[3].images[1].get_alpha(), maps[1])


def test_own_axes(pipe, paths):
    figure = Figure()
    display = SaliencyDisplay.from_estimator(pipe, paths[:1], ax=figure.subplots(1, 2))
    assert display.figure_ is figure
    other = Figure()
    assert display.plot(other.subplots(1, 3)[1], n_columns=2).figure_ is other
    assert len(display.axes_) == 2
    assert plt.get_fignums() == []
    with pytest.raises(ValueError, match="2 axes"):
        display.plot(Figure().subplots(1, 3))


def test_wrong_use(pipe, paths):
    maps = list(grad_cam(pipe, paths))
    with pytest.raises(ValueError, match="3 images, 2 maps and 3 labels"):
        SaliencyDisplay.from_maps(paths, maps[:2], ["spot"] * 3)
    with pytest.raises(ValueError, match=r"Image 0 has 60x90 pixels.*\(90, 60\)"):
        SaliencyDisplay.from_maps(paths, maps[::-1], ["spot"] * 3)
    maps[1] = np.full_like(maps[1], np.nan)
    with pytest.raises(ValueError, match=r"map of image 1 .* not finite"):
        SaliencyDisplay.from_maps(paths, maps, ["spot"] * 3)
    with pytest.raises(ValueError, match="strength must be from 0 to 1"):
        SaliencyDisplay.from_estimator(pipe, paths, strength=2)
    with pytest.raises(ValueError, match="Did you mean 'no spot'"):
        SaliencyDisplay.from_estimator(pipe, paths, target="no spots")
