"""make_brain_mri: shapes, determinism, anatomy, and that brightness tells no class."""

import numpy as np
import pytest
from scipy import ndimage, stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

from brain_tumor_clf import make_brain_mri

CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]
PLANES = ["axial", "coronal", "sagittal"]


@pytest.fixture(scope="module")
def scans():
    return make_brain_mri(96, 64, return_masks=True, random_state=0)


class TestBunch:
    def test_shapes(self, scans):
        assert scans.data.shape == scans.masks.shape == (96, 64, 64)
        assert scans.data.dtype == np.uint8
        assert scans.masks.dtype == bool
        assert scans.target.shape == scans.groups.shape == scans.planes.shape == (96,)
        assert scans.target_names == CLASSES
        assert list(scans.frame) == ["label", "group", "plane"]
        assert scans.frame["plane"].tolist() == scans.planes.tolist()
        assert "96 slices of 48 drawn heads" in scans.DESCR

    def test_no_masks_unless_asked_for(self):
        assert "masks" not in make_brain_mri(1, 32, random_state=0)

    def test_two_arrays_alone(self):
        X, y = make_brain_mri(5, (40, 32), return_X_y=True, random_state=0)
        scans = make_brain_mri(5, (40, 32), random_state=0)
        assert X.shape == (5, 40, 32)
        np.testing.assert_array_equal(X, scans.data)
        np.testing.assert_array_equal(y, scans.target)

    def test_balanced(self, scans):
        assert np.unique(scans.target, return_counts=True)[1].tolist() == [24] * 4
        for label in CLASSES:
            planes = scans.planes[scans.target == label]
            assert np.unique(planes, return_counts=True)[1].tolist() == [8] * 3

    def test_a_patient_has_one_class_and_so_many_slices(self, scans):
        for group in np.unique(scans.groups):
            labels = scans.target[scans.groups == group]
            assert len(labels) == 2
            assert len(set(labels)) == 1

    def test_every_class_from_the_start(self):
        scans = make_brain_mri(8, 32, slices_per_patient=5, random_state=0)
        assert scans.target[:4].tolist() == CLASSES
        assert scans.groups.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]

    def test_chosen_classes_and_planes(self):
        scans = make_brain_mri(
            6, 32, classes=["pituitary", "notumor"], planes="sagittal", random_state=0
        )
        assert scans.target[:2].tolist() == ["pituitary", "notumor"]
        assert scans.target_names == ["notumor", "pituitary"]
        assert set(scans.planes) == {"sagittal"}


class TestRandomState:
    def test_same_seed_same_phantoms(self):
        one, two = (make_brain_mri(6, 32, random_state=3).data for _ in range(2))
        np.testing.assert_array_equal(one, two)

    def test_other_seed_other_phantoms(self):
        one, two = (make_brain_mri(4, 32, random_state=seed).data for seed in (0, 1))
        assert all((a != b).mean() > 0.3 for a, b in zip(one, two, strict=True))

    def test_does_not_depend_on_how_many(self):
        few = make_brain_mri(7, 32, return_masks=True, random_state=5)
        many = make_brain_mri(20, 32, return_masks=True, random_state=5)
        np.testing.assert_array_equal(few.data, many.data[:7])
        np.testing.assert_array_equal(few.masks, many.masks[:7])
        np.testing.assert_array_equal(few.groups, many.groups[:7])

    def test_random_state_instance(self):
        random_state = np.random.RandomState(0)
        one, two = (make_brain_mri(2, 32, random_state=random_state) for _ in range(2))
        assert (one.data != two.data).any()

    def test_global_state_is_left_alone(self):
        np.random.seed(0)  # noqa: NPY002
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        make_brain_mri(2, 32, random_state=0)
        np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002

    def test_no_two_alike(self, scans):
        assert len({image.tobytes() for image in scans.data}) == len(scans.data)


class TestArguments:
    @pytest.mark.parametrize("name", ["n_samples", "slices_per_patient"])
    @pytest.mark.parametrize("value", [0, -1, 2.0, True, "3"])
    def test_numbers(self, name, value):
        with pytest.raises(ValueError, match=f"{name} must be a positive integer"):
            make_brain_mri(**{"n_samples": 2, "image_size": 32, name: value})

    def test_size(self):
        with pytest.raises(ValueError, match="at least 16 pixels"):
            make_brain_mri(1, (64, 15))

    def test_names(self):
        with pytest.raises(ValueError, match="Did you mean 'glioma'"):
            make_brain_mri(1, 32, classes=["gliom"])
        with pytest.raises(ValueError, match="Did you mean 'axial'"):
            make_brain_mri(1, 32, planes=["Axial"])
        with pytest.raises(ValueError, match="at least one class, each once"):
            make_brain_mri(1, 32, classes=[])
        with pytest.raises(ValueError, match="each once"):
            make_brain_mri(1, 32, classes=["glioma", "glioma"])


@pytest.fixture(scope="module")
def large():
    """Phantoms of a size at which anatomy can be measured."""
    return make_brain_mri(72, 96, return_masks=True, random_state=1)


class TestAnatomy:
    """Where the lesion is and what it looks like."""

    def test_masks(self, large):
        area = large.masks.mean(axis=(1, 2))
        healthy = large.target == "notumor"
        assert (area[healthy] == 0).all()
        assert (area[~healthy] > 0.003).all()
        assert (area[~healthy] < 0.12).all()

    def test_lesions_are_bright(self, large):
        for image, mask, label in zip(
            large.data, large.masks, large.target, strict=True
        ):
            if label in ("meningioma", "pituitary"):
                inner = image[ndimage.binary_erosion(mask)]
                assert np.median(inner) > 1.2 * np.median(image[image > 40])

    def test_a_glioma_has_a_dark_core_in_a_bright_ring(self, large):
        ring, core = [], []
        for image, mask in zip(
            large.data[large.target == "glioma"],
            large.masks[large.target == "glioma"],
            strict=True,
        ):
            depth = ndimage.distance_transform_edt(mask)
            ring.append(np.median(image[(depth > 0) & (depth <= 2)]))
            core.append(np.median(image[depth >= 0.8 * depth.max()]))
        assert np.mean(np.array(ring) > np.array(core)) > 0.9
        assert np.median(ring) > 2 * np.median(core)

    def test_a_pituitary_tumor_lies_in_the_midline(self, large):
        chosen = (large.target == "pituitary") & (large.planes != "sagittal")
        for image, mask in zip(large.data[chosen], large.masks[chosen], strict=True):
            head = ndimage.binary_opening(image > 25, iterations=2)
            middle = ndimage.center_of_mass(head)[1]
            assert abs(ndimage.center_of_mass(mask)[1] - middle) < 8

    def test_a_meningioma_touches_the_skull_and_a_glioma_does_not(self, large):
        """Between a meningioma and the air there is little but bone and scalp."""
        distance = {"meningioma": [], "glioma": []}
        for image, mask, label in zip(
            large.data, large.masks, large.target, strict=True
        ):
            if label in distance:
                head = ndimage.binary_fill_holes(ndimage.gaussian_filter(image, 1) > 25)
                depth = ndimage.distance_transform_edt(head)
                distance[label].append(depth[mask].min())
        assert np.median(distance["meningioma"]) < 0.8 * np.median(distance["glioma"])

    def test_slices_of_a_patient_differ(self):
        scans = make_brain_mri(
            2, 64, classes=["glioma"], planes=["axial"], random_state=0
        )
        assert scans.groups.tolist() == [0, 0]
        assert (scans.data[0] != scans.data[1]).mean() > 0.3


def intensity_statistics(image):
    """Fifteen statistics that know nothing of where a pixel is."""
    values = image.ravel().astype(float)
    share = np.bincount(image.ravel(), minlength=256) / values.size
    share = share[share > 0]
    return [
        values.mean(),
        values.std(),
        stats.skew(values),
        stats.kurtosis(values),
        -(share * np.log2(share)).sum(),
        values.max(),
        (values > 30).mean(),
        *np.percentile(values, [5, 10, 25, 50, 75, 90, 95, 99]),
    ]


def test_intensities_alone_do_not_tell_the_class():
    """A forest on 15 statistics stays under 45 %; guessing would reach 25 %."""
    scans = make_brain_mri(400, 64, random_state=0)
    X = np.array([intensity_statistics(image) for image in scans.data])
    assert X.shape == (400, 15)
    scores = cross_val_score(
        RandomForestClassifier(100, random_state=0),
        X,
        scans.target,
        groups=scans.groups,
        cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
    )
    assert scores.mean() < 0.45
