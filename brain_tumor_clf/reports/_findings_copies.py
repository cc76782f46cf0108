"""Findings about copies, within a set and across training and test."""

import numpy as np

from brain_tumor_clf.reports._audit_copies import KINDS
from brain_tumor_clf.reports._audit_tables import ALL
from brain_tumor_clf.reports._controls import NEIGHBOR, TASKS, UNSEEN
from brain_tumor_clf.reports._finding import Finding

_MUCH_LEAKAGE = 0.01
_GAP = 0.05

_SPLIT_CALL = """cv = StratifiedGroupKFold(5, shuffle=True, random_state=0)
cross_val_score(pipe, X, y, groups=audit.groups, cv=cv)"""
_RESPLIT_CALL = """X, y = [*X, *X_test], [*y, *y_test]
groups = [*audit.groups, *audit.test_groups]
StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, groups)
# or score only the test images that training has not seen: audit.unseen()"""


def _leakage(audit):
    if audit.leakage is None or not audit.leakage.loc[ALL, "images"]:
        return
    row = audit.leakage.loc[ALL]
    n, n_leaked = int(row["images"]), int(row["with a copy"])
    if n_leaked == 0:
        yield Finding(
            "good",
            f"None of {n:,} test images has a copy or mirror image in training.",
            "Copies were looked for by correlation of thumbnails.",
        )
        return
    parts = ", ".join(f"{int(row[k]):,} {k}" for k in KINDS if row.get(k, 0))
    classes = audit.leakage.drop(index=ALL)["share"]
    detail = (
        f"By worst kind: {parts}. Most in class {classes.idxmax()!s} "
        f"({classes.max():.0%}). A score on this test set measures memory."
    )
    scores = _neighbor_scores(audit, "train to test", UNSEEN)
    if scores:
        detail += (
            f" One nearest neighbor on thumbnails scores {scores[0]:.1%} on all test "
            f"images and {scores[1]:.1%} on those that training has not seen."
        )
    yield Finding(
        "severe" if n_leaked >= _MUCH_LEAKAGE * n else "warning",
        f"{n_leaked:,} of {n:,} test images ({n_leaked / n:.0%}) have a copy or mirror "
        "image in training.",
        detail,
        _RESPLIT_CALL,
    )


def _shared_groups(audit):
    if audit.leakage is None or not audit.knows_test_groups:
        return
    row = audit.leakage.loc[ALL]
    n, n_shared = int(row["images"]), int(row["same group"])
    if n_shared > row["with a copy"]:
        yield Finding(
            "severe",
            f"{n_shared:,} of {n:,} test images ({n_shared / n:.0%}) share a group "
            "with training.",
            "A group is a patient (as given) joined with copies. Slices of one patient "
            "show the same tumor.",
            _RESPLIT_CALL,
        )


def _contradictions(audit):
    differ = audit.pairs[audit.pairs["labels_differ"]]
    if len(differ) == 0:
        if len(audit.pairs):
            yield Finding("good", "No two copies carry different labels.", "")
        return
    n_exact = int((differ["kind"] == "exact").sum())
    first = differ.sort_values("kind").iloc[0]
    yield Finding(
        "severe" if n_exact else "warning",
        f"{len(differ):,} pairs of copies carry different labels.",
        f"{n_exact:,} of them are equal in every pixel. First: {first['name_i']} "
        f"({first['label_i']}) and {first['name_j']} ({first['label_j']}). One label "
        "of each pair is wrong, unless the two only look alike; nobody but a reader of "
        "scans can tell.",
        'pairs = audit.to_frame("pairs")\npairs[pairs["labels_differ"]]',
    )


def _flattering_split(audit):
    scores = _neighbor_scores(audit, "ungrouped", "grouped")
    if not scores:
        return
    plain, grouped, n = scores
    noise = 2 * np.sqrt(max(grouped * (1 - grouped), 0.01) / n)
    if plain - grouped < max(_GAP, noise):
        return
    yield Finding(
        "severe",
        f"A plain split flatters: one nearest neighbor scores {plain:.1%} image by "
        f"image, {grouped:.1%} with groups kept whole.",
        "The difference is memory: images of one group lie on both sides of a plain "
        "split. Any model's score has it.",
        _SPLIT_CALL,
    )


def _copies_within(audit):
    for split, row in audit.copies.iterrows():
        n_surplus = int(row["images"] - row["distinct"])
        if n_surplus == 0:
            continue
        where = "training" if split == "train" else "test"
        detail = (
            f"{int(row['distinct']):,} of {int(row['images']):,} images would be left "
            "with one a group of copies. "
        )
        if split == "train":
            detail += "They must not lie on both sides of a split."
            fix = f"{_SPLIT_CALL}\n# or one image a group: X[audit.representatives()]"
        else:
            detail += "They count several times: intervals take them for independent."
            fix = "evaluate(clf, X_test, y_test, groups=audit.test_groups)"
        yield Finding(
            "warning",
            f"{int(row['with a copy']):,} {where} images have a copy among the "
            f"{where} images.",
            detail,
            fix,
        )


def _neighbor_scores(audit, first, second):
    """Accuracy under two protocols and the number of images of the second."""
    table = audit.controls
    table = table[(table["control"] == NEIGHBOR) & (table["task"] == TASKS[0])]
    table = table.set_index("protocol")
    rows = [
        table.loc[name]
        for start in (first, second)
        for name in table.index
        if name == start or name.startswith(f"{start} ")
    ]
    if len(rows) != 2:
        return None
    return rows[0]["accuracy"], rows[1]["accuracy"], rows[1]["n"]


COPY_CHECKS = (
    _leakage,
    _shared_groups,
    _contradictions,
    _flattering_split,
    _copies_within,
)
