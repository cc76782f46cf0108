"""EvaluationReport: the scores of predictions and what they were computed on."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.utils.validation import check_consistent_length

from brain_tumor_clf.metrics import reliability_curve
from brain_tumor_clf.reports import _controls, _render, _report, _scores
from brain_tumor_clf.reports._figures import draw_evaluation
from brain_tumor_clf.reports._scan import scan_features

_SCORE_TABLES = {
    "scores": "Scores",
    "group_scores": "Scores of one vote a group",
    "unseen_scores": "Scores of images without a copy or mirror in training",
}
_TILES = ("balanced_accuracy", "accuracy", "tumor_miss_rate", "false_alarm_rate")


class EvaluationReport(_report.BaseReport):
    """Scores of predictions, their intervals, and what they were computed on.

    Made by `evaluate`, or by `from_predictions` of out-of-fold predictions.

    Attributes
    ----------
    protocol : Protocol
        What the report was computed on: images, groups, split, versions, seed.
    model_id : str or None
        Which model it is of.
    scores : DataFrame
        Rows are scores; columns "value", "low", "high" and "interval" (its kind).
    per_class : DataFrame
        Sensitivity, specificity and precision of each class, with intervals.
    confusion : DataFrame
        Numbers of images by true (rows) and predicted (columns) class.
    classification_report : str
        scikit-learn's own.
    reliability : DataFrame or None
        Confidence and accuracy by bin; None without probabilities.
    group_scores : DataFrame or None
        As `scores`, of one vote a group.
    unseen_scores : DataFrame or None
        As `scores`, of the images without a copy or mirror in training; None if the
        training images were not given, or hold a copy of every image.
    controls : DataFrame or None
        Scores of "this model" beside those of controls that see almost nothing of the
        tumor; None if the training images were not given.
    notes : list of str
        What a reader must know, in plain words.

    Examples
    --------
    >>> from brain_tumor_clf.reports import EvaluationReport
    >>> report = EvaluationReport.from_predictions(
    ...     ["glioma", "notumor", "glioma"], ["glioma", "notumor", "notumor"]
    ... )
    >>> report.confusion.loc["glioma"].tolist()
    [1, 1]
    """

    def __init__(self, predictions, groups, options, protocol, model_id=None):
        self._predictions = predictions
        self._groups = groups
        self._options = options
        self.protocol = protocol
        self.model_id = model_id
        self.notes = []
        p = predictions
        y_true, y_pred = p.classes[p.true], p.classes[p.predicted]
        self.scores = _scores.score_table(p, groups=groups, **options)
        self.per_class = _scores.class_table(p, groups=groups, **options)
        self.confusion = pd.DataFrame(
            metrics.confusion_matrix(y_true, y_pred, labels=p.classes),
            index=pd.Index(p.classes, name="true"),
            columns=pd.Index(p.classes, name="predicted"),
        )
        self.classification_report = self._classification_report()
        self.reliability = None
        if p.proba is not None:
            self.reliability = reliability_curve(y_true, p.proba, classes=p.classes)
        self.group_scores = self.unseen_scores = self.controls = None

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        y_proba=None,
        *,
        classes=None,
        groups=None,
        X=None,
        X_train=None,
        y_train=None,
        label_map=None,
        per_group=False,
        healthy="notumor",
        n_resamples=1000,
        confidence=0.95,
        random_state=0,
        n_jobs=None,
        protocol="predictions as given",
        model_id=None,
    ):
        """Report on predictions, as those of ``cross_val_predict``.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels.
        y_pred : array-like of shape (n,)
            Predicted labels.
        y_proba : array-like of shape (n, n_classes), default=None
            Probability of each class.
        classes : array-like of shape (n_classes,), default=None
            Labels of the columns of `y_proba`, which it needs.
        X : sequence of n images, default=None
            The images that were predicted; needed with `X_train`.
        groups, X_train, y_train, label_map, per_group, healthy, n_resamples, \
confidence, random_state, n_jobs
            As of `evaluate`.
        protocol : str, default="predictions as given"
            How the predictions were made, for the report.
        model_id : str, default=None
            Which model made them.

        Returns
        -------
        EvaluationReport
        """
        if (X_train is None) != (y_train is None):
            given = "X_train" if y_train is None else "y_train"
            raise ValueError(
                f"X_train and y_train must be given together, got only {given}."
            )
        if X_train is not None and X is None:
            raise ValueError("X_train needs X, the images that were predicted.")
        predictions = _scores.check_predictions(
            y_true, y_pred, y_proba, classes, healthy, label_map
        )
        groups = _report.check_groups(groups, predictions.true)
        if groups is None and per_group:
            raise ValueError("per_group=True needs groups: one label an image.")
        options = {"n_resamples": n_resamples, "confidence": confidence}
        options["random_state"] = random_state
        notes = [f"{confidence:.0%} intervals, {n_resamples} draws of the bootstrap"]
        about = _report.describe(
            len(predictions), groups, protocol, random_state, notes
        )
        report = cls(predictions, groups, options, about, model_id)
        report.notes += _scores.note_limits(predictions, groups)
        if per_group:
            report._vote()
        if X_train is not None:
            report._compare_with_training(X, X_train, y_train, label_map, n_jobs)
        return report

    def _vote(self):
        votes, n_mixed = _scores.vote_by_group(self._predictions, self._groups)
        if n_mixed:
            self.notes.append(
                f"{n_mixed} groups hold images of several classes and have no vote."
            )
        if votes is not None:
            self.group_scores = _scores.score_table(
                votes, groups=None, unit="groups", **self._options
            )
            self._add_to_protocol(f"{len(votes):,} groups have a vote")

    def _compare_with_training(self, X, X_train, y_train, label_map, n_jobs):
        """Score the images without a copy in training apart, beside the controls."""
        p, groups = self._predictions, self._groups
        y_train = _report.check_labels(y_train, "_train", label_map)
        check_consistent_length(X_train, y_train)
        check_consistent_length(X, p.true)
        training, scored = (scan_features(part, n_jobs=n_jobs) for part in (X_train, X))
        unseen = ~_controls.has_copy(scored, training)
        self._add_to_protocol(f"{len(y_train):,} training images, compared with these")
        for part, where in ((training, "training "), (scored, "")):
            n_bad = int((~part.readable).sum())
            if n_bad:
                self.notes.append(
                    f"{n_bad} {where}images cannot be read here: copies were not "
                    "looked for among them, and no control saw them."
                )
        n_seen = int((~unseen).sum())
        note = (
            f"{n_seen} of {len(p)} images ({n_seen / len(p):.0%}) have a copy or "
            "mirror in training; the scores of the others stand apart."
        )
        if n_seen == 0:
            note = "No image has a copy or mirror in training."
            self.unseen_scores = self.scores
        elif n_seen < len(p):
            groups = None if groups is None else groups[unseen]
            self.unseen_scores = _scores.score_table(
                p.take(unseen), groups=groups, **self._options
            )
        self.notes.append(note)
        options = {"random_state": self._options["random_state"], "n_jobs": n_jobs}
        self.controls = _controls.scores_beside_controls(
            p, training, y_train, scored, unseen, **options
        )

    def _add_to_protocol(self, note):
        self.protocol = replace(self.protocol, notes=(*self.protocol.notes, note))

    def _classification_report(self, **options):
        p = self._predictions
        return metrics.classification_report(
            p.classes[p.true], p.classes[p.predicted], labels=p.classes,
            zero_division=np.nan, **options,
        )  # fmt: skip

    def to_dict(self):
        """Return the report as a dict for JSON; what is not defined is None."""
        tables = (*_SCORE_TABLES, "per_class", "reliability", "controls")
        of_sklearn = self._classification_report(output_dict=True)
        return {
            "protocol": self.protocol.to_dict(),
            "model_id": self.model_id,
            "notes": list(self.notes),
            **{name: _report.records(getattr(self, name)) for name in tables},
            "confusion_matrix": {
                "classes": [_report.plain(label) for label in self.confusion.index],
                "counts": self.confusion.to_numpy().tolist(),
            },
            "classification_report": _report.plain(of_sklearn),
        }

    def plot(self, ax=None):
        """Draw the confusion matrix, the rates of each class and the reliability.

        Parameters
        ----------
        ax : array of matplotlib Axes, default=None
            Three, or two without probabilities; a new figure by default.

        Returns
        -------
        self : EvaluationReport
            With the attributes `axes_` and `figure_`.
        """
        self.axes_ = draw_evaluation(self, ax)
        self.figure_ = self.axes_[0].figure
        return self

    def _report(self):
        caption = "Confusion matrix, rates and reliability"
        blocks = [
            _report.Text(lines=self.notes),
            _report.Figure.of_plot(lambda: draw_evaluation(self)[0].figure, caption),
        ]
        for name, title in _SCORE_TABLES.items():
            table = getattr(self, name)
            # Where no image has a copy in training, those without are all of them.
            if table is not None and (name == "scores" or table is not self.scores):
                blocks.append(
                    _report.Table(title=title, frame=_render.with_intervals(table))
                )
        title = "Classes, with intervals"
        note = f"Kind of interval: {self.per_class['interval'].iloc[0]}."
        frame = _render.with_estimates(self.per_class, _scores.RATES)
        frame.insert(0, "images", self.per_class["support"])
        blocks.append(_report.Table(title=title, note=note, frame=frame))
        title = "Confusion matrix (rows: true class)"
        blocks.append(_report.Table(title=title, frame=self.confusion))
        if self.controls is not None:
            blocks += _controls.control_tables(self.controls)
        title = "Classification report of scikit-learn"
        lines = self.classification_report.splitlines()
        code = {"lines": lines, "is_code": True, "is_detail": True}
        blocks += [_report.Text(title=title, **code), self._computed_on()]
        values = self.scores["value"]
        tiles = [
            (f"{100 * values[name]:.1f} %", name.replace("_", " "), None)
            for name in _TILES
            if name in values.index
        ]
        subtitle = f"Model {self.model_id}" if self.model_id else ""
        return _report.Report("Evaluation", blocks, subtitle, tiles)

    def __repr__(self):
        value = self.scores["value"]
        return (
            f"EvaluationReport({len(self._predictions)} images, "
            f"balanced accuracy {value['balanced_accuracy']:.3f})"
        )
