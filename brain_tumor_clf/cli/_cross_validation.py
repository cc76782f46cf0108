"""Cross-validation: the groups that it keeps whole, and what it found."""

from dataclasses import dataclass, replace

from brain_tumor_clf.cli import _console as shell
from brain_tumor_clf.cli import _options as opt


@dataclass
class Grouping:
    """Groups of scans, and what a report must say about them.

    Without `labels` images are split one by one. `kind` says what a group is; only
    groups that were given `are_patients` and have a vote each. The `warning`, if any,
    stands beside every score.
    """

    labels: object
    kind: str
    are_patients: bool = False
    warning: str = ""

    def describe(self, protocol, scans, n_splits):
        """Return a protocol with the words for these images, groups and folds."""
        if self.labels is None:
            how = "StratifiedKFold, image by image"
        else:
            how = "StratifiedGroupKFold, no group on both sides"
        notes = [*protocol.notes, *([self.warning] if self.warning else [])]
        return replace(
            protocol,
            data=opt.describe_data(scans),
            groups=self.kind,
            split=f"{n_splits}-fold {how}; each image is predicted by a model that "
            "was not trained on it",
            notes=tuple(notes),
        )


def choose_groups(scans, no_groups, n_splits, seed):
    """Return the groups to keep whole, and say on stderr what they are.

    With `no_groups` images are split one by one, with a warning of the leakage.
    """
    if no_groups:
        warning = _count_shared(scans, n_splits, seed)
        shell.print_warning(warning)
        return Grouping(None, "ignored (--no-groups)", warning=warning)
    if scans.groups is not None:
        return Grouping(scans.groups, "given", are_patients=True)
    labels = _near_duplicates(scans.data)
    kind = "near duplicates, mirror images included"
    shell.note(
        f"No groups were given: {len(set(labels)):,} groups of {kind}, are kept whole. "
        "Patients are not known; name them with --groups CSV."
    )
    return Grouping(labels, f"{kind}; patients are not known")


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
    """A cross-validated model: a report of all images, and the scores of its folds."""

    name: str
    report: object
    scores: dict

    def to_dict(self):
        """Return plain data, ready for JSON."""
        split = self.report.protocol.split
        return {"protocol": split, **self.scores, "report": self.report.to_dict()}


def compare_models(models, scans, grouping, n_splits, seeds):
    """Return the `Comparison` of models; a bar shows how many fits are done."""
    from brain_tumor_clf import compare

    n_fits = n_splits * len(seeds) * len(models)
    with shell.progress(next(iter(models)), n_fits) as advance:
        comparison = compare(
            models,
            scans.data,
            scans.target,
            groups=grouping.labels,
            cv=n_splits,
            seeds=seeds,
            progress=lambda fold: advance(description=fold["estimator"]),
        )
    comparison.protocol = grouping.describe(comparison.protocol, scans, n_splits)
    return comparison


def cross_validate(models, scans, grouping, healthy, n_splits, seed):
    """Return the `Comparison` of models, and the `OutOfFold` of each."""
    comparison = compare_models(models, scans, grouping, n_splits, [seed])
    results = []
    for name in models:
        report = comparison.report(
            name, per_group=grouping.are_patients, healthy=healthy, random_state=seed
        )
        report.protocol = grouping.describe(report.protocol, scans, n_splits)
        scores = _fold_scores(comparison, name, scans.target)
        report.notes += [
            f"{score.replace('_', ' ')} {mean:.3f} ± {scores['std'][score]:.3f} "
            f"(mean ± standard deviation over {len(scores['folds'])} folds)"
            for score, mean in scores["mean"].items()
        ]
        results.append(OutOfFold(name, report, scores))
    return comparison, results


def _fold_scores(comparison, name, target):
    """Return the scores of a model in each fold, their mean and standard deviation."""
    folds = comparison.folds.query("estimator == @name").set_index("fold")
    predicted = comparison.predictions.query("estimator == @name")
    is_right = predicted["label"] == target[predicted["index"]]
    scores = is_right.groupby(predicted["fold"]).mean().to_frame("accuracy")
    scores["balanced_accuracy"] = folds["score"]
    return {
        "folds": folds[["n_test"]].join(scores).to_dict("records"),
        "mean": scores.mean().to_dict(),
        "std": scores.std().to_dict(),
        "seconds": round(float((folds["fit_time"] + folds["predict_time"]).sum()), 1),
    }
