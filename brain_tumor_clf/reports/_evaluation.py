"""EvaluationReport: the scores of predictions and what they were computed on."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.utils.validation import check_consistent_length

from brain_tumor_clf.metrics import reliability_curve
from brain_tumor_clf.reports import (
    _checks,
    _controls,
    _evaluation_report,
    _label_issues,
    _report,
    _scores,
    _subgroups,
)
from brain_tumor_clf.reports._scan import scan_features


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
    subgroups : DataFrame or None
        Every score, and the sensitivity to each class, of every subgroup: one row a
        "column", "subgroup" and "score", with the numbers of "images" and "groups".
    label_issues : DataFrame or None
        Images whose labels are suspect, as `find_label_issues` lists them, with the
        "probability" of the class suggested, the highest first; None unless asked for.
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
        self._predictions, self._groups, self._options = predictions, groups, options
        self.protocol, self.model_id, self.notes = protocol, model_id, []
        self.reliability = self.group_scores = self.unseen_scores = None
        self.controls = self.subgroups = self.label_issues = None
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
        if p.proba is not None:
            self.reliability = reliability_curve(y_true, p.proba, classes=p.classes)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        y_proba=None,
        *,
        classes=None,
        groups=None,
        subgroups=None,
        X=None,
        X_train=None,
        y_train=None,
        label_map=None,
        per_group=False,
        label_issues=False,
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
            The images that were predicted; needed with `X_train`, and for pictures of
            suspect labels.
        groups, subgroups, X_train, y_train, label_map, per_group, label_issues, \
healthy, n_resamples, confidence, random_state, n_jobs
            As of `evaluate`.
        protocol : str, default="predictions as given"
            How the predictions were made, for the report.
        model_id : str, default=None
            Which model made them.

        Returns
        -------
        EvaluationReport
        """
        _checks.check_both(X_train, y_train, "_train")
        if X_train is not None and X is None:
            raise ValueError("X_train needs X, the images that were predicted.")
        predictions = _scores.check_predictions(
            y_true, y_pred, y_proba, classes, healthy, label_map
        )
        groups = _checks.check_groups(groups, predictions.true)
        if groups is None and per_group:
            raise ValueError("per_group=True needs groups: one label an image.")
        options = {"n_resamples": n_resamples, "confidence": confidence}
        options["random_state"] = random_state
        notes = [f"{confidence:.0%} intervals, {n_resamples} draws of the bootstrap"]
        n = len(predictions)
        about = _report.describe(n, groups, protocol, random_state, notes)
        report = cls(predictions, groups, options, about, model_id)
        report.notes += _scores.note_limits(predictions, groups)
        if subgroups is not None:
            frame = _subgroups.check_subgroups(subgroups, n)
            report._split(frame)
        if per_group:
            report._vote()
        if label_issues:
            report._search_labels(X)
        if X_train is not None:
            report._compare_with_training(X, X_train, y_train, label_map, n_jobs)
        return report

    def _split(self, frame):
        """Score each subgroup; the worst is the first that the report says."""
        p, groups = self._predictions, self._groups
        table = _subgroups.subgroup_table(p, groups, frame, **self._options)
        overall = self.scores.loc[_subgroups.RANKED_BY, "value"]
        self.subgroups = table
        self.notes[:0] = _subgroups.note_worst(table, overall)

    def _search_labels(self, X):
        p = self._predictions
        issues, self._suspects = _label_issues.list_issues(p, self._groups, X)
        self.label_issues = issues
        self.notes.append(f"{len(issues):,} of {len(p):,} labels are suspect.")

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
        y_train = _checks.check_labels(y_train, "_train", label_map)
        check_consistent_length(X_train, y_train)
        check_consistent_length(X, p.true)
        training, scored = (scan_features(part, n_jobs=n_jobs) for part in (X_train, X))
        unseen = ~_controls.has_copy(scored, training)
        self._add_to_protocol(f"{len(y_train):,} training images, compared with these")
        for part, where in ((training, "training "), (scored, "")):
            n_bad = int((~part.readable).sum())
            note = (
                f"{n_bad} {where}images cannot be read here: copies were not looked "
                "for among them, and no control saw them."
            )
            self.notes += [note] if n_bad else []
        n_seen = int((~unseen).sum())
        note = (
            f"{n_seen} of {len(p)} images ({n_seen / len(p):.0%}) have a copy or "
            "mirror in training; the scores of the others stand apart."
        )
        if n_seen == 0:
            note = "No image has a copy or mirror in training."
            self.unseen_scores = self.scores
        elif n_seen < len(p):
            options = {"groups": None if groups is None else groups[unseen]}
            options |= self._options
            self.unseen_scores = _scores.score_table(p.take(unseen), **options)
        self.notes.append(note)
        parts, seed = (training, y_train, scored, unseen), self._options["random_state"]
        self.controls = _controls.scores_beside_controls(
            p, *parts, random_state=seed, n_jobs=n_jobs
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
        tables = (
            *_evaluation_report.SCORE_TABLES,
            "per_class",
            "subgroups",
            "reliability",
            "controls",
            "label_issues",
        )
        of_sklearn = self._classification_report(output_dict=True)
        return {
            "protocol": self.protocol.to_dict(),
            "model_id": self.model_id,
            "notes": list(self.notes),
            **{name: _report.records(getattr(self, name)) for name in tables},
            "confusion_matrix": {
                "classes": _report.plain(self.confusion.index.tolist()),
                "counts": self.confusion.to_numpy().tolist(),
            },
            "classification_report": _report.plain(of_sklearn),
        }

    def _draw(self, ax):
        return _evaluation_report.draw_evaluation(self, ax)

    def _report(self):
        return _evaluation_report.fill_report(self)

    def __repr__(self):
        n, score = len(self._predictions), self.scores.loc["balanced_accuracy", "value"]
        return f"EvaluationReport({n} images, balanced accuracy {score:.3f})"
