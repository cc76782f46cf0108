"""Findings about controls, which see almost nothing of a tumor."""

from brain_tumor_clf.metrics import wilson_interval
from brain_tumor_clf.reports._controls import SIZE_AND_MODE, STATISTICS_ONLY, TASKS
from brain_tumor_clf.reports._finding import Finding

# Part of the way from chance to perfection that a control may go before it is told of.
_TELLING, _ALARMING = 0.15, 0.5


def _size_and_mode(audit):
    for row, gain in _telling_scores(audit, SIZE_AND_MODE):
        yield Finding(
            "severe" if gain >= _ALARMING else "warning",
            f"Image size and color mode alone {_what(row)}.",
            f"{_against(row)} They say where a picture came from, not what it shows. A "
            "network that sees them, or the traces that resizing leaves of them, "
            "scores on the source.",
            'make_mri_pipeline(clf, crop=True, color_mode="grayscale")\n'
            "# and score on images of a source that training lacks",
        )


def _statistics(audit):
    for row, gain in _telling_scores(audit, STATISTICS_ONLY):
        yield Finding(
            "warning" if gain >= _ALARMING else "note",
            f"Fifteen intensity statistics {_what(row)}.",
            f"{_against(row)} They know no place in the image. Scanner, sequence and "
            "export make most of them; a tumor may make some. Only what a model "
            "scores beyond this shows that it sees more.",
            'make_mri_pipeline(clf, normalize="clahe")  # or "percentile"',
        )


def _no_healthy_part(audit):
    if audit.healthy is None:
        why = "healthy=None was given."
    elif not audit.has_tumor_or_not:
        why = f"Training images are all {audit.healthy!r}, or none can be read."
    else:
        return
    yield Finding(
        "note",
        '"Tumor or not" was left out.',
        why,
        'audit_dataset(X, y, healthy="notumor")  # or your name of that class',
    )


def _no_controls(audit):
    if len(audit.controls):
        return
    if audit.runs_controls:
        why = "They need readable images of at least two groups, or a test set."
        fix = "audit_dataset(X, y, X_test, y_test)  # or more images"
    else:
        why, fix = "controls=False was given.", "audit_dataset(X, y, controls=True)"
    yield Finding("note", "Controls were not run.", why, fix)


def _telling_scores(audit, control):
    """Rows in which a control beats chance by more than luck, fair splits only."""
    table = audit.controls
    fair = table["protocol"].str.match("grouped|train to test$")
    for _, row in table[(table["control"] == control) & fair].iterrows():
        n_classes = 2 if row["task"] == TASKS[1] else audit.images["label"].nunique()
        chance = 1 / n_classes
        gain = (row["balanced_accuracy"] - chance) / (1 - chance) if chance < 1 else 0
        low, _ = wilson_interval(round(row["accuracy"] * row["n"]), int(row["n"]))
        if gain >= _TELLING and low > row["majority"]:
            yield row, gain


def _what(row):
    """What a control does, in words."""
    of = "tell tumor or not" if row["task"] == TASKS[1] else "name the right class"
    return f"{of} in {row['accuracy']:.1%} of images"


def _against(row):
    return f"Always naming the commonest class gets {row['majority']:.1%}."


CONTROL_CHECKS = (_size_and_mode, _statistics, _no_healthy_part, _no_controls)
