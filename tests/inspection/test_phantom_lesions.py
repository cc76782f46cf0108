"""On phantoms, whose lesions are known, maps point at the lesion.

A phantom's lesion is brighter than all else, and even an untrained network answers most
to what is bright: that the peak lies inside says that maps are where they should be.
That they are of the network and of the class is asked by the tests after it.
"""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from brain_tumor_clf import (
    HeadCropper,
    SimpleCNNClassifier,
    grad_cam,
    make_brain_mri,
    make_mri_pipeline,
)
from brain_tumor_clf.inspection import occlusion_map

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained():
    scans = make_brain_mri(400, 96, random_state=1)
    clf = SimpleCNNClassifier(filters=(16, 32, 64), epochs=6, random_state=0)
    return make_mri_pipeline(clf, 64).fit(scans.data, scans.target)


@pytest.fixture(scope="module")
def tumors(trained):
    """Correctly classified tumors of heads not trained on, and their masks."""
    scans = make_brain_mri(80, 96, return_masks=True, random_state=2)
    predicted = trained.predict(scans.data)
    found = (predicted == scans.target) & (scans.target != "notumor")
    assert found.sum() >= 45  # of 60
    return scans.data[found], scans.masks[found]


def share_inside(points, masks):
    return np.mean([mask[tuple(p)] for p, mask in zip(points, masks, strict=True)])


def peaks(maps):
    return [np.unravel_index(heat.argmax(), heat.shape) for heat in maps]


def test_the_peak_lies_in_the_lesion(trained, tumors):
    scans, masks = tumors
    hits = share_inside(peaks(grad_cam(trained, scans)), masks)
    boxes = [HeadCropper(margin=0).find_box(scan) for scan in scans]
    middles = [((top + bottom) // 2, (left + right) // 2)
               for top, left, bottom, right in boxes]  # fmt: skip
    assert hits >= 0.8
    assert hits >= share_inside(middles, masks) + 0.2


def likeness(some, others, scans):
    """Mean rank correlation of maps within heads; around them all maps are alike."""
    pairs = zip(some, others, scans > 20, strict=True)
    return np.mean([spearmanr(a[head], b[head])[0] for a, b, head in pairs])


@pytest.mark.parametrize("drawn_again", ["the logits", "all weights"])
def test_maps_change_when_weights_are_drawn_again(drawn_again, trained, tumors):
    """Adebayo et al. 2018: a map that stays shows the scan, not the network."""
    scans, _ = tumors
    images, targets = trained[:-1].transform(scans[:4]), trained.predict(scans)
    other = clone(trained[-1]).set_params(random_state=1)
    other.initialize(images, trained.classes_)
    if drawn_again == "the logits":
        layers = zip(trained[-1].model_.layers, other.model_.layers, strict=True)
        for layer, fresh in layers:
            if layer.name != "logits":
                fresh.set_weights(layer.get_weights())
    after = grad_cam(make_pipeline(trained[0], other), scans, targets)
    assert likeness(grad_cam(trained, scans, targets), after, scans) < 0.7


def test_another_class_has_another_map(trained, tumors):
    scans, _ = tumors
    codes = np.searchsorted(trained.classes_, trained.predict(scans))
    other = trained.classes_[(codes + 1) % 4]
    maps = grad_cam(trained, scans), grad_cam(trained, scans, other)
    assert likeness(*maps, scans) < 0.4


def test_the_lesion_is_hotter_than_the_rest_of_the_head(trained, tumors):
    """By both methods, which share no code: gradients, and covering."""
    scans, masks = tumors
    scans, masks = scans[:12], masks[:12]
    for explain in (grad_cam, occlusion_map):
        maps = explain(trained, scans)
        inside = np.mean([heat[m].mean() for heat, m in zip(maps, masks, strict=True)])
        rest = ~masks & (scans > 20)
        outside = np.mean([heat[m].mean() for heat, m in zip(maps, rest, strict=True)])
        assert inside > 2 * outside
