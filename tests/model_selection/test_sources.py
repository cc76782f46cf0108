"""leave_one_source_out: which sources are left out, and what is trained on then."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score

from brain_tumor_clf import leave_one_source_out, load_mri_table

SOURCES = ["A", "A", "A", "B", "B", "C", "C"]
LABELS = ["glioma", "notumor", "pituitary", "glioma", "notumor", "glioma", "notumor"]


def positions(splits):
    return [(train.tolist(), test.tolist()) for train, test in splits]


def test_a_source_that_alone_holds_a_class_is_never_left_out():
    splits = leave_one_source_out(SOURCES, LABELS)
    assert positions(splits) == [([0, 1, 2, 5, 6], [3, 4]), ([0, 1, 2, 3, 4], [5, 6])]


def test_groups_of_the_test_side_are_not_trained_on():
    groups = [1, 2, 3, 1, 4, 5, 4]
    splits = leave_one_source_out(pd.Series(SOURCES), np.array(LABELS), groups)
    assert positions(splits) == [([1, 2, 5], [3, 4]), ([0, 1, 2, 3], [5, 6])]


def test_a_class_that_only_shared_groups_hold_counts_as_lacking():
    groups = [1, 2, 3, 1, 4, 1, 5]  # without B, each glioma shares a group with it
    with pytest.raises(ValueError, match="No source can be left out"):
        leave_one_source_out(SOURCES, LABELS, groups)


@pytest.mark.parametrize(
    ("sources", "y", "groups", "message"),
    [
        (["A", "A"], ["x", "y"], None, "At least two sources"),
        (["A", "B"], ["x", "y"], None, r"training would lack a class(.|\n)*A +1 +0"),
        (["A", "B"], ["x", "x"], [1, 1], "training would lack a class"),
        (["A", None], ["x", "x"], None, "sources has 1 missing"),
        (["A", "B"], ["x", "x"], [1, np.nan], "groups has 1 missing"),
        (["A", "B"], ["x"], None, "inconsistent numbers"),
    ],
)
def test_errors(sources, y, groups, message):
    with pytest.raises(ValueError, match=message):
        leave_one_source_out(sources, y, groups)


def test_scikit_learn_takes_the_splits():
    X, splits = np.zeros((7, 1)), leave_one_source_out(SOURCES, LABELS)
    assert len(cross_val_score(DummyClassifier(), X, LABELS, cv=splits)) == 2
    search = GridSearchCV(DummyClassifier(), {"random_state": [0, 1]}, cv=splits)
    assert search.fit(X, LABELS).n_splits_ == 2


def test_real_sources(real_mri_dir):
    frame = load_mri_table(real_mri_dir / "other-sources/index.csv").frame
    splits = leave_one_source_out(frame["source"], frame["label"], frame["group"])
    left_out = [set(frame["source"].iloc[test]) for _, test in splits]
    # Without radiopaedia44 there is no meningioma, without open-ms no other disease.
    alone = {"radiopaedia44", "open-ms"}
    assert left_out == [{name} for name in sorted(set(frame["source"]) - alone)]
    for train, test in splits:
        assert set(frame["group"].iloc[train]).isdisjoint(frame["group"].iloc[test])
