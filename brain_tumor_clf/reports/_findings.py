"""What an audit found, in plain words, each with the call that mends it."""

from brain_tumor_clf.reports._audit_tables import ALL
from brain_tumor_clf.reports._finding import Finding
from brain_tumor_clf.reports._findings_controls import CONTROL_CHECKS
from brain_tumor_clf.reports._findings_copies import COPY_CHECKS

SEVERITY_ORDER = ("severe", "warning", "note", "good")
_IMBALANCE = 3


def find_all(audit):
    """All findings of a `DatasetAudit`, worst first."""
    checks = (
        _unreadable,
        *COPY_CHECKS,
        *CONTROL_CHECKS,
        _unseen_classes,
        _too_few_groups,
        _small_classes,
        _imbalance,
        _unknown_patients,
        _reader_notes,
    )
    found = [finding for check in checks for finding in check(audit)]
    return sorted(found, key=lambda finding: SEVERITY_ORDER.index(finding.severity))


def _unreadable(audit):
    n, n_bad = len(audit.images), int(audit.images["failure"].notna().sum())
    if n_bad == 0:
        yield Finding("good", f"All {n:,} images can be read.", "None is left out.")
        return
    names = audit.images.loc[audit.images["failure"].notna(), "name"]
    if n_bad == n:
        detail = "Nothing could be computed beside the counts of labels."
    else:
        detail = (
            f"Everything below is of the {n - n_bad:,} others. First: {names.iloc[0]}: "
            f"{audit.images.loc[names.index[0], 'failure']}."
        )
    yield Finding(
        "severe" if n_bad == n else "warning",
        f"{n_bad:,} of {n:,} images cannot be read.",
        detail,
        'audit.to_frame("unreadable")  # mend or remove these files',
    )


def _unseen_classes(audit):
    images = audit.images
    train = set(images.loc[images["split"] == "train", "label"])
    test = set(images.loc[images["split"] == "test", "label"])
    for label in sorted(test - train, key=str):
        yield Finding(
            "severe",
            f"No training image is of class {label!s}, which test images have.",
            "Every model is wrong on all of them.",
            f"sorted(set(y_test) - set(y))  # [{label!r}]: a misspelt folder?",
        )
    if test:
        for label in sorted(train - test, key=str):
            yield Finding(
                "warning",
                f"No test image is of class {label!s}.",
                "Its sensitivity cannot be measured on this test set.",
                "sorted(set(y) - set(y_test))",
            )


def _too_few_groups(audit):
    train = audit.images[audit.images["split"] == "train"]
    n_groups = train["group"].nunique()
    if n_groups < audit.n_splits:
        if audit.leakage is None:
            detail = "Controls were cross-validated in as many folds as there are "
            detail += "groups, or not at all."
        else:
            detail = "A grouped cross-validation of the training images needs more."
        yield Finding(
            "warning",
            f"There are {n_groups} groups, fewer than {audit.n_splits} folds.",
            detail,
            f"StratifiedGroupKFold({max(n_groups, 2)})  # or more patients",
        )


def _small_classes(audit):
    counts = audit.counts.drop(index=ALL)
    for label, row in counts.iterrows():
        if row["train groups"] == 1:
            n = int(row["train images"])
            yield Finding(
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
        yield Finding(
            "note",
            f"Classes differ in size: {counts.max():,} images of {counts.idxmax()!s}, "
            f"{counts.min():,} of {counts.idxmin()!s}.",
            "Accuracy hides how the small class fares.",
            'SimpleCNNClassifier(class_weight="balanced")\n'
            'cross_val_score(pipe, X, y, scoring="balanced_accuracy")',
        )


def _unknown_patients(audit):
    if audit.knows_groups:
        return
    yield Finding(
        "note",
        "No groups were given: which images are of one patient is not known.",
        "Groups below are of copies alone. Slices of a patient that do not look alike "
        "may lie on both sides of every split, and scores may still be too high.",
        "audit_dataset(X, y, groups=patients)  # None where a patient is not known",
    )


def _reader_notes(audit):
    for text, names in audit.reader_notes.items():
        yield Finding(
            "note",
            f"{len(names):,} images: {text}.",
            f"First: {names[0]}.",
            "audit.reader_notes  # the names of all of them",
        )
