"""What an audit found, in plain words, each with the call that corrects it."""

import numpy as np

from brain_tumor_clf.reports import _controls
from brain_tumor_clf.reports._audit_report import ALL
from brain_tumor_clf.reports._render import SEVERITIES
from brain_tumor_clf.reports._report import Finding
from brain_tumor_clf.reports._scan import KINDS

_IMBALANCE = 3  # times as many images in the largest class as in the smallest
_MUCH_LEAKAGE = 0.01
_GAP = 0.05

_SPLIT_CALL = """cv = StratifiedGroupKFold(5, shuffle=True, random_state=0)
cross_val_score(pipe, X, y, groups=audit.groups, cv=cv)"""
_RESPLIT_CALL = """X, y = [*X, *X_test], [*y, *y_test]
groups = [*audit.groups, *audit.test_groups]
StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, groups)
# or score only the test images that training has not seen: audit.unseen()"""
_DO = {"all classes": "name the right class", "tumor or not": "tell tumor or not"}
# Control, what it is called, its severities, what its score means, what to do.
_TELLING = (
    (
        _controls.SIZE_AND_MODE,
        "Image size and color mode alone",
        ("severe", "warning"),
        "They tell where an image came from, not what it shows. A network that sees "
        "them, or the traces that resizing leaves of them, scores on the source.",
        'make_mri_pipeline(clf, crop=True, color_mode="grayscale")\n'
        "# and score on images of a source that training lacks",
    ),
    (
        _controls.STATISTICS_ONLY,
        "Fifteen intensity statistics",
        ("warning", "note"),
        "They hold no position in the image. Scanner, sequence and export determine "
        "most of them, a tumor perhaps some. Only what a model scores beyond this "
        "shows that it sees more.",
        'make_mri_pipeline(clf, normalize="clahe")  # or "percentile"',
    ),
)


def find_all(audit):
    """Return all findings of a `DatasetAudit`, worst first."""
    checks = (
        _unreadable, _leakage, _shared_groups, _contradictions, _flattering_split,
        _copies_within, _telling_controls, _left_out, _unseen_classes,
        _too_few_groups, _small_classes, _imbalance, _reader_notes,
    )  # fmt: skip
    found = [Finding(*finding) for check in checks for finding in check(audit)]
    return sorted(found, key=lambda finding: list(SEVERITIES).index(finding.severity))


def _unreadable(audit):
    n, failures = len(audit.images), audit.to_frame("unreadable")
    if failures.empty:
        yield "good", f"All {n:,} images can be read.", "None is left out."
        return
    is_all, first = len(failures) == n, failures.iloc[0]
    detail = f"Everything below is about the {n - len(failures):,} others. First: "
    detail += f"{first['name']}: {first['failure']}."
    yield (
        "severe" if is_all else "warning",
        f"{len(failures):,} of {n:,} images cannot be read.",
        "Nothing could be computed beside the counts of labels." if is_all else detail,
        'audit.to_frame("unreadable")  # repair or remove these files',
    )


def _leakage(audit):
    if audit.leakage is None or not audit.leakage.loc[ALL, "images"]:
        return
    row = audit.leakage.loc[ALL]
    n, n_leaked = int(row["images"]), int(row["with a copy"])
    if n_leaked == 0:
        title = f"None of {n:,} test images has a copy or mirror image in training."
        yield "good", title, "Copies were looked for by correlation of thumbnails."
        return
    kinds = ", ".join(f"{int(row[k]):,} {k}" for k in KINDS if row.get(k, 0))
    classes = audit.leakage.drop(index=ALL)["share"]
    detail = (
        f"By worst kind: {kinds}. Most in class {classes.idxmax()!s} "
        f"({classes.max():.0%}). Leakage inflates every score on this test set."
    )
    protocols = _controls.TRAIN_TO_TEST, _controls.UNSEEN
    scores = _controls.neighbor_scores(audit.controls, *protocols)
    if scores:
        detail += (
            f" One nearest neighbor on thumbnails scores {scores[0]:.1%} on all test "
            f"images and {scores[1]:.1%} on those that training has not seen."
        )
    yield (
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
        yield (
            "severe",
            f"{n_shared:,} of {n:,} test images ({n_shared / n:.0%}) share a group "
            "with training.",
            "A group is a patient (as given) joined with copies. Slices of one patient "
            "show the same tumor.",
            _RESPLIT_CALL,
        )


def _contradictions(audit):
    differ = audit.pairs[audit.pairs["labels_differ"]]
    if differ.empty:
        if len(audit.pairs):
            yield "good", "No two copies carry different labels.", ""
        return
    n_exact = int((differ["kind"] == "exact").sum())
    first = differ.sort_values("kind").iloc[0]
    yield (
        "severe" if n_exact else "warning",
        f"{len(differ):,} pairs of copies carry different labels.",
        f"{n_exact:,} of them are equal in every pixel. First: {first['name_i']} "
        f"({first['label_i']}) and {first['name_j']} ({first['label_j']}). One label "
        "of each pair is wrong, unless the two only look alike; only a radiologist can "
        "tell.",
        'pairs = audit.to_frame("pairs")\npairs[pairs["labels_differ"]]',
    )


def _flattering_split(audit):
    scores = _controls.neighbor_scores(audit.controls, "ungrouped", "grouped")
    if not scores:
        return
    ungrouped, grouped, n = scores
    noise = 2 * np.sqrt(max(grouped * (1 - grouped), 0.01) / n)
    if ungrouped - grouped >= max(_GAP, noise):
        yield (
            "severe",
            f"A plain split flatters: one nearest neighbor scores {ungrouped:.1%} "
            f"image by image, {grouped:.1%} with groups kept whole.",
            "The difference is leakage: images of one group lie on both sides of a "
            "plain split. It inflates the score of any model.",
            _SPLIT_CALL,
        )


def _copies_within(audit):
    advice = {
        "train": (
            "Copies must not lie on both sides of a split.",
            f"{_SPLIT_CALL}\n# or one image a group: X[audit.representatives()]",
        ),
        "test": (
            "Copies count several times: intervals assume independent images.",
            "evaluate(clf, X_test, y_test, groups=audit.test_groups)",
        ),
    }
    table = audit.copies
    for split, row in table[table["images"] != table["distinct"]].iterrows():
        where, (meaning, fix) = split.replace("train", "training"), advice[split]
        n, n_distinct, n_copied = map(int, row[["images", "distinct", "with a copy"]])
        yield (
            "warning",
            f"{n_copied:,} {where} images have a copy among the {where} images.",
            f"{n_distinct:,} of {n:,} images would be left with one a group of copies. "
            f"{meaning}",
            fix,
        )


def _telling_controls(audit):
    n_classes = audit.images["label"].nunique()
    for control, about, severities, meaning, fix in _TELLING:
        found = _controls.telling_scores(audit.controls, control, n_classes)
        for row, gain, against in found:
            yield (
                severities[gain < _controls.ALARMING],
                f"{about} {_DO[row['task']]} in {row['accuracy']:.1%} of images.",
                f"{against} {meaning}",
                fix,
            )


def _left_out(audit):
    """Yield what could not be computed, or was not asked for, and why."""
    if audit.healthy is None or not audit.has_tumor_or_not:
        only = f"Training images are all {audit.healthy!r}, or none can be read."
        yield (
            "note",
            '"Tumor or not" was left out.',
            "healthy=None was given." if audit.healthy is None else only,
            'audit_dataset(X, y, healthy="notumor")  # or your name of that class',
        )
    if audit.controls.empty:
        why = "They need readable images of at least two groups, or a test set."
        fix = "audit_dataset(X, y, X_test, y_test)  # or more images"
        if not audit.runs_controls:
            why, fix = "controls=False was given.", "audit_dataset(X, y, controls=True)"
        yield "note", "Controls were not run.", why, fix
    if not audit.knows_groups:
        yield (
            "note",
            "No groups were given: which images are of one patient is not known.",
            "Groups below are of copies alone. Slices of a patient that do not look "
            "alike may lie on both sides of every split, and scores may still be too "
            "high.",
            "audit_dataset(X, y, groups=patients)  # None where a patient is not known",
        )


def _unseen_classes(audit):
    labels = audit.images.groupby("split")["label"].agg(set)
    train, test = labels["train"], labels.get("test", set())
    for label in sorted(test - train, key=str):
        yield (
            "severe",
            f"No training image is of class {label!s}, which test images have.",
            "Every model is wrong on all of them.",
            f"sorted(set(y_test) - set(y))  # [{label!r}]: a misspelled folder?",
        )
    for label in sorted(train - test, key=str) if test else ():
        title = f"No test image is of class {label!s}."
        detail = "Its sensitivity cannot be measured on this test set."
        yield "warning", title, detail, "sorted(set(y) - set(y_test))"


def _too_few_groups(audit):
    n_groups = audit.images.loc[audit.images["split"] == "train", "group"].nunique()
    if n_groups < audit.n_splits:
        yield (
            "warning",
            f"There are {n_groups} groups, fewer than {audit.n_splits} folds.",
            "A cross-validation that keeps groups whole has at most as many folds as "
            "there are groups.",
            f"StratifiedGroupKFold({max(n_groups, 2)})  # or more patients",
        )


def _small_classes(audit):
    for label, row in audit.counts.drop(index=ALL).iterrows():
        if row["train groups"] == 1:
            n = int(row["train images"])
            yield (
                "warning",
                f"Class {label!s} is one group of {n} image{'s' if n > 1 else ''}.",
                "It lies on one side of any grouped split: either it is not trained on "
                "or it is not scored.",
                "counts = audit.counts  # more patients of this class are needed",
            )


def _imbalance(audit):
    counts = audit.counts.drop(index=ALL)["train images"]
    counts = counts[counts > 0]
    if len(counts) > 1 and counts.max() >= _IMBALANCE * counts.min():
        yield (
            "note",
            f"Classes differ in size: {counts.max():,} images of {counts.idxmax()!s}, "
            f"{counts.min():,} of {counts.idxmin()!s}.",
            "Accuracy hides how the model does on the small class.",
            'SimpleCNNClassifier(class_weight="balanced")\n'
            'cross_val_score(pipe, X, y, scoring="balanced_accuracy")',
        )


def _reader_notes(audit):
    for text, names in audit.reader_notes.items():
        fix = "audit.reader_notes  # the names of all of them"
        yield "note", f"{len(names):,} images: {text}.", f"First: {names[0]}.", fix
