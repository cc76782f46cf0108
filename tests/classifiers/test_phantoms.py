"""The default network learns phantoms well enough to classify patients not seen."""

import pytest
from sklearn.model_selection import GroupShuffleSplit

from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri


@pytest.mark.slow
def test_phantoms_of_unseen_patients_are_classified():
    scans = make_brain_mri(n_samples=800, image_size=(64, 64), random_state=0)
    split = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    train, test = next(split.split(scans.data, scans.target, scans.groups))
    clf = SimpleCNNClassifier(epochs=12, random_state=0)
    clf.fit(scans.data[train], scans.target[train])
    assert clf.score(scans.data[test], scans.target[test]) >= 0.85
