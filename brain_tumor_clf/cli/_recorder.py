"""Cross-validation by `compare`, with the predictions of every fold kept."""

from dataclasses import dataclass
from typing import NamedTuple

_OVER_FOLDS = ("accuracy", "balanced_accuracy")


class Fold(NamedTuple):
    """Predictions of one fold: positions of its images, labels, probabilities."""

    at: object
    labels: object
    probabilities: object


class Recorder:
    """A scorer for `compare` that keeps what it scores, and moves a progress bar.

    `compare` asks it for the score of every fold, in the order of its rows; so the
    predictions need not be made a second time for a report of all images.

    Parameters
    ----------
    scans : Bunch
        As `load_mri_folder` gives it.
    advance : callable
        Called after each fold.

    Attributes
    ----------
    folds : list of Fold
        In the order of the rows of ``Comparison.folds``.
    """

    def __init__(self, scans, advance=lambda: None):
        self._scans = scans
        self._position = {path: i for i, path in enumerate(scans.data)}
        self._advance = advance
        self.folds = []

    def __call__(self, model, X, y):
        at = [self._position[path] for path in X]
        self.folds.append(Fold(at, *_predict(model, X, self._scans.target_names)))
        self._advance()
        return self.score(len(self.folds) - 1, "balanced_accuracy")

    def __repr__(self):
        return "balanced_accuracy"  # what `compare` calls the score

    def score(self, row, name):
        """A score of the predictions of one fold."""
        report = self.report([row], healthy=None, n_resamples=0)
        return float(report.scores.loc[name, "value"])

    def report(self, rows, *, groups=None, **options):
        """An `EvaluationReport` of the predictions of some folds.

        Parameters
        ----------
        rows : list of int
            Which folds, as rows of ``Comparison.folds``.
        groups : ndarray of shape (n,), default=None
            Group of each of all images.
        **options
            As of `EvaluationReport.from_predictions`.

        Returns
        -------
        EvaluationReport
            In the order of the images.
        """
        import numpy as np

        from brain_tumor_clf.reports import EvaluationReport

        folds = [self.folds[row] for row in rows]
        at = np.concatenate([fold.at for fold in folds])
        order = np.argsort(at)
        at = at[order]
        labels, probabilities = [
            None if parts[0] is None else np.concatenate(parts)[order]
            for parts in zip(*(fold[1:] for fold in folds), strict=True)
        ]
        return EvaluationReport.from_predictions(
            self._scans.target[at],
            labels,
            probabilities,
            classes=np.asarray(self._scans.target_names),
            groups=None if groups is None else groups[at],
            **options,
        )


def _predict(model, X, classes):
    """Labels, and probabilities of all classes: a fold may not have trained on one."""
    import numpy as np

    if not hasattr(model, "predict_proba"):
        return model.predict(X), None
    probabilities = np.zeros((len(X), len(classes)))
    columns = np.searchsorted(classes, model.classes_)
    probabilities[:, columns] = model.predict_proba(X)
    return np.asarray(classes)[probabilities.argmax(axis=1)], probabilities


@dataclass
class OutOfFold:
    """A cross-validated model: a report of all images, and the spread over folds.

    Attributes
    ----------
    name : str
        Of the model.
    report : EvaluationReport
        Of all images, each predicted by a model that did not see it.
    folds : list of dict
        ``n_test`` and scores of each fold.
    seconds : float
        Of all fits and predictions.
    """

    name: str
    report: object
    folds: list
    seconds: float

    def spread(self):
        """Mean and standard deviation of each score over folds, as lines."""
        mean, std = self._moments()
        return [
            f"{name.replace('_', ' ')} {mean[name]:.3f} ± {std[name]:.3f} "
            f"(mean ± standard deviation over {len(self.folds)} folds)"
            for name in _OVER_FOLDS
        ]

    def to_dict(self):
        """Plain data, ready for JSON."""
        mean, std = self._moments()
        return {
            "protocol": self.report.protocol.split,
            "folds": self.folds,
            "mean": mean,
            "std": std,
            "seconds": round(self.seconds, 1),
            "report": self.report.to_dict(),
        }

    def _moments(self):
        import numpy as np

        scores = {name: [fold[name] for fold in self.folds] for name in _OVER_FOLDS}
        mean = {name: float(np.mean(values)) for name, values in scores.items()}
        std = {name: float(np.std(values, ddof=1)) for name, values in scores.items()}
        return mean, std


def compare_recorded(models, scans, grouping, n_splits, seeds):
    """Compare models on the same folds, with a progress bar that names them.

    Parameters
    ----------
    models : dict of str to Pipeline
        Unfitted, by name.
    scans : Bunch
        As `load_mri_folder` gives it.
    grouping : Grouping
        What is kept whole.
    n_splits : int
        Number of folds.
    seeds : list of int
        Seeds of folds and models.

    Returns
    -------
    comparison : Comparison
    recorder : Recorder
    """
    from brain_tumor_clf import compare
    from brain_tumor_clf.cli._console import progress

    names, n_fits = list(models), n_splits * len(seeds)
    with progress(names[0], n_fits * len(models)) as advance:

        def step():
            # `compare` takes one model after the other.
            at = min(len(recorder.folds) // n_fits, len(names) - 1)
            advance(description=names[at])

        recorder = Recorder(scans, step)
        comparison = compare(
            models,
            scans.data,
            scans.target,
            groups=grouping.labels,
            cv=n_splits,
            scoring=recorder,
            seeds=seeds,
        )
    comparison.protocol = grouping.describe(comparison.protocol, scans, n_splits)
    return comparison, recorder


def cross_validate(models, scans, grouping, healthy, n_splits, seed):
    """Cross-validate models on the same folds and report on each.

    Parameters
    ----------
    models, scans, grouping, n_splits
        As of `compare_recorded`.
    healthy : str or None
        The class without a tumor.
    seed : int
        Seed of folds and models.

    Returns
    -------
    comparison : Comparison
    results : list of OutOfFold
        One a model.
    """
    comparison, recorder = compare_recorded(models, scans, grouping, n_splits, [seed])
    options = {
        "groups": grouping.labels,
        "per_group": grouping.are_patients,
        "healthy": healthy,
        "random_state": seed,
    }
    results = []
    for name, folds in comparison.folds.groupby("estimator", sort=False):
        report = recorder.report(list(folds.index), **options)
        report.protocol = grouping.describe(report.protocol, scans, n_splits)
        rows = [
            {"n_test": int(folds.loc[row, "n_test"])}
            | {score: recorder.score(row, score) for score in _OVER_FOLDS}
            for row in folds.index
        ]
        seconds = float((folds["fit_time"] + folds["predict_time"]).sum())
        results.append(OutOfFold(name, report, rows, seconds))
    return comparison, results
