"""Cross-validation: the folds and the groups that they keep whole, and its scores."""

from dataclasses import dataclass, replace

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt

_ERROR_RATE = 0.05  # of answers above the abstention threshold
# Of fewer answers, none of them wrong, 5 % is within the 95 % interval (rule of three).
_MIN_ANSWERED = 60


@dataclass
class Folds:
    """How scans are split, and what a report must say about it.

    Without `groups` images are split one by one. `kind` says what a group is; only
    groups that were given `are_patients` and have a vote each. The `warning`, if any,
    stands beside every score. Where `sources` are left out, they are values of a
    `column`.
    """

    groups: object
    kind: str
    n: int
    how: str
    are_patients: bool = False
    warning: str = ""
    sources: object = None
    column: str | None = None

    def describe(self, protocol, scans):
        """Return a protocol with the words for these images, groups and folds."""
        notes = [*protocol.notes, *([self.warning] if self.warning else [])]
        return replace(
            protocol,
            data=opt.describe_data(scans),
            groups=self.kind,
            split=f"{self.how}; each image is predicted by a model that was not "
            "trained on it",
            notes=tuple(notes),
        )


def choose_folds(scans, n_splits, seed, no_groups=False, leave_out=None):
    """Return folds that keep groups whole, and say on stderr what these are.

    With `leave_out`, the name of a column, each of its values is a fold. With
    `no_groups` images are split one by one, with a warning of the leakage.
    """
    if no_groups:
        warning = _count_shared(scans, n_splits, seed)
        shell.print_warning(warning)
        how = f"{n_splits}-fold StratifiedKFold, image by image"
        kind = "ignored (--no-groups)"
        return Folds(None, kind, n_splits, how, warning=warning)
    are_patients = scans.groups is not None
    groups, kind = (scans.groups, "given") if are_patients else _group_copies(scans)
    how = f"{n_splits}-fold StratifiedGroupKFold, no group on both sides"
    folds = Folds(groups, kind, n_splits, how, are_patients)
    return folds if leave_out is None else _leave_out(folds, scans, leave_out)


def _group_copies(scans):
    """Return groups of near duplicates, and what they are."""
    labels = _near_duplicates(scans.data)
    kind = "near duplicates, mirror images included"
    shell.note(
        f"No groups were given: {len(set(labels)):,} groups of {kind}, are kept whole. "
        "Patients are not known; name them with --groups CSV."
    )
    return labels, f"{kind}; patients are not known"


def _leave_out(folds, scans, column):
    """Return folds that leave out each value of a column in turn."""
    from brain_tumor_clf import leave_one_source_out

    sources = opt.take_columns(scans, [column], "--leave-out")[column]
    splits = leave_one_source_out(sources, scans.target, folds.groups)
    names = ", ".join(str(sources[test[0]]) for _, test in splits)
    n_tested = sum(len(test) for _, test in splits)
    how = f"each {column} left out in turn: {names}"
    how += f"; {n_tested:,} of {len(sources):,} images are tested on"
    shell.note(f"Folds: {how}")
    return replace(folds, n=len(splits), how=how, sources=sources, column=column)


def _near_duplicates(paths):
    from brain_tumor_clf import NearDuplicateGrouper

    shell.note(f"Looking for copies among {len(paths):,} images")
    return NearDuplicateGrouper(n_jobs=-1).fit_predict(paths)


def _count_shared(scans, n_splits, seed):
    """Return a warning that counts the leakage of folds that do not keep groups."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
    splits = list(folds.split(scans.data, scans.target))

    def shared(labels):
        return sum(int(np.isin(labels[b], labels[a]).sum()) for a, b in splits)

    n, copies = len(scans.data), shared(_near_duplicates(scans.data))
    text = (
        f"--no-groups: {copies:,} of {n:,} images ({copies / n:.0%}) have a copy or "
        "mirror image in the training part of their fold"
    )
    if scans.groups is not None:
        text += f", {shared(scans.groups):,} are of a group that is there too"
    return text + ". Leakage inflates these scores."


@dataclass
class OutOfFold:
    """A cross-validated model: a report of all images, and the scores of its folds.

    `abstention` is the threshold for an error rate of 5 %, as a model's file has it.
    """

    name: str
    report: object
    scores: dict
    abstention: dict | None

    def to_dict(self):
        """Return plain data, ready for JSON."""
        split = self.report.protocol.split
        return {"protocol": split, **self.scores, "report": self.report.to_dict()}


def compare_models(models, scans, folds, seeds, sample_weight=None):
    """Return the `Comparison` of models; a bar shows how many fits are done."""
    from brain_tumor_clf import compare

    n_fits = folds.n * len(seeds) * len(models)
    with shell.progress(next(iter(models)), n_fits) as advance:
        comparison = compare(
            models,
            scans.data,
            scans.target,
            groups=folds.groups,
            cv=folds.n,
            leave_out=folds.sources,
            sample_weight=sample_weight,
            seeds=seeds,
            progress=lambda fold: advance(description=fold["estimator"]),
        )
    comparison.protocol = folds.describe(comparison.protocol, scans)
    return comparison


def cross_validate(models, scans, folds, seed, *, sample_weight=None, **options):
    """Return the `Comparison` of models, and the `OutOfFold` of each.

    `options` are those of `Comparison.report`, such as `healthy`.
    """
    comparison = compare_models(models, scans, folds, [seed], sample_weight)
    options |= {"random_state": seed, "X": scans.data}
    if folds.sources is not None:
        options["subgroups"] = {folds.column: folds.sources}
    results = []
    for name in models:
        report = comparison.report(name, per_group=folds.are_patients, **options)
        report.protocol = folds.describe(report.protocol, scans)
        scores = _fold_scores(comparison, name, scans.target)
        report.notes += [
            f"{score.replace('_', ' ')} {mean:.3f} ± {scores['std'][score]:.3f} "
            f"(mean ± standard deviation over {len(scores['folds'])} folds)"
            for score, mean in scores["mean"].items()
        ]
        abstention = _choose_threshold(comparison, name, scans.target)
        results.append(OutOfFold(name, report, scores, abstention))
    return comparison, results


def _choose_threshold(comparison, name, target):
    """Return an abstention threshold and its rates; None if too few are answered."""
    import numpy as np

    from brain_tumor_clf.metrics import abstention_threshold

    predicted = comparison.predictions.query("estimator == @name")
    classes, y = np.unique(target), target[predicted["index"]]
    proba = predicted[[f"p_{label}" for label in classes]].to_numpy(float)
    options = {"error_rate": _ERROR_RATE, "classes": classes}
    try:
        threshold = abstention_threshold(y, proba, **options)
    except ValueError:  # no threshold reaches the rate, or there are no probabilities
        return None
    answered = proba.max(axis=1) >= threshold
    if answered.sum() < _MIN_ANSWERED:
        return None
    is_wrong = classes[proba.argmax(axis=1)] != y
    return {
        "threshold": threshold,
        "error_rate": _ERROR_RATE,
        "coverage": float(answered.mean()),
        "measured_error_rate": float(is_wrong[answered].mean()),
        "n": len(y),
    }


def _fold_scores(comparison, name, target):
    """Return the scores of a model in each fold, their mean and standard deviation."""
    folds = comparison.folds.query("estimator == @name").set_index("fold")
    predicted = comparison.predictions.query("estimator == @name")
    is_right = predicted["label"] == target[predicted["index"]]
    scores = is_right.groupby(predicted["fold"]).mean().to_frame("accuracy")
    scores["balanced_accuracy"] = folds["score"]
    about = ["n_test"] if comparison.sources is None else ["held_out", "n_test"]
    return {
        "folds": folds[about].join(scores).to_dict("records"),
        "mean": scores.mean().to_dict(),
        "std": scores.std().to_dict(),
        "seconds": round(float((folds["fit_time"] + folds["predict_time"]).sum()), 1),
    }
