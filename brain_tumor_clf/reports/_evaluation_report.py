"""EvaluationReport: the scores of predictions and what they were computed on."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.utils.validation import check_consistent_length

from brain_tumor_clf.metrics import reliability_curve
from brain_tumor_clf.reports import _evaluation_views
from brain_tumor_clf.reports._inputs import check_groups, check_labels
from brain_tumor_clf.reports._predictions import check_predictions, vote_by_group
from brain_tumor_clf.reports._protocol import Protocol
from brain_tumor_clf.reports._scan import scan_features
from brain_tumor_clf.reports._scores import class_table, score_table
from brain_tumor_clf.reports._training_copies import (
    has_copy,
    scores_beside_controls,
)


class EvaluationReport:
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
        self.scores = score_table(p, groups=groups, **options)
        self.per_class = class_table(p, groups=groups, **options)
        self.confusion = pd.DataFrame(
            confusion_matrix(y_true, y_pred, labels=p.classes),
            index=pd.Index(p.classes, name="true"),
            columns=pd.Index(p.classes, name="predicted"),
        )
        self.classification_report = classification_report(
            y_true, y_pred, labels=p.classes, zero_division=np.nan
        )
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
        per_group=False,
        healthy="notumor",
        n_resamples=1000,
        confidence=0.95,
        random_state=0,
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
        groups, per_group, healthy, n_resamples, confidence, random_state
            As of `evaluate`.
        protocol : str, default="predictions as given"
            How the predictions were made, for the report.
        model_id : str, default=None
            Which model made them.

        Returns
        -------
        EvaluationReport
        """
        predictions = check_predictions(y_true, y_pred, y_proba, classes, healthy)
        groups = check_groups(groups, predictions.true)
        if groups is None and per_group:
            raise ValueError("per_group=True needs groups: one label an image.")
        options = {
            "n_resamples": n_resamples,
            "confidence": confidence,
            "random_state": random_state,
        }
        n = len(predictions)
        about = Protocol(
            data=f"{n:,} images",
            n=n,
            n_groups=None if groups is None else len(np.unique(groups)),
            groups="not known" if groups is None else "given",
            split=protocol,
            seed=random_state,
            notes=(
                f"{confidence:.0%} intervals, {n_resamples} draws of the bootstrap",
            ),
        )
        report = cls(predictions, groups, options, about, model_id)
        report._note_limits(classes)
        if per_group:
            report._vote()
        return report

    def _note_limits(self, classes):
        p = self._predictions
        if p.proba is None:
            self.notes.append(
                "No probabilities: ROC AUC, Brier score and calibration are left out."
            )
        known = p.classes if classes is None else np.asarray(classes)
        unknown = np.setdiff1d(p.classes[p.true], known).tolist()
        if unknown:
            self.notes.append(
                f"The model does not know the classes {unknown}; all their images "
                "count as errors."
            )
        absent = np.setdiff1d(p.classes, p.classes[p.true]).tolist()
        if absent:
            self.notes.append(
                f"No image is of the classes {absent}: they have no sensitivity, and "
                "means over classes leave them out."
            )
        if self._groups is not None:
            of_one = [
                name
                for code, name in enumerate(p.classes.tolist())
                if len(np.unique(self._groups[p.true == code])) == 1
            ]
            if of_one:
                self.notes.append(
                    f"The images of the classes {of_one} are of one group each: how "
                    "they would vary is not known, and intervals are too narrow."
                )
        else:
            self.notes.append(
                "No groups were given: intervals take the images for independent and "
                "are too narrow where a patient has several."
            )

    def _vote(self):
        votes, n_mixed = vote_by_group(self._predictions, self._groups)
        if n_mixed:
            self.notes.append(
                f"{n_mixed} groups hold images of several classes and have no vote."
            )
        if votes is None:
            return
        self.group_scores = score_table(
            votes, groups=None, unit="groups", **self._options
        )
        self._add_to_protocol(f"{len(votes):,} groups have a vote")

    def _compare_with_training(self, X, X_train, y_train, n_jobs):
        """Scores without the images that have a copy in training, and the controls'."""
        y_train = check_labels(y_train, "_train")
        check_consistent_length(X_train, y_train)
        p = self._predictions
        training, scored = (scan_features(part, n_jobs=n_jobs) for part in (X_train, X))
        unseen = ~has_copy(scored, training)
        n_seen = int((~unseen).sum())
        self._add_to_protocol(f"{len(y_train):,} training images, compared with these")
        for part, where in ((training, "training "), (scored, "")):
            if not part.readable.all():
                self.notes.append(
                    f"{int((~part.readable).sum())} {where}images cannot be read here: "
                    "copies were not looked for among them, and no control saw them."
                )
        if n_seen == 0:
            self.notes.append("No image has a copy or mirror in training.")
            self.unseen_scores = self.scores
        else:
            self.notes.append(
                f"{n_seen} of {len(p)} images ({n_seen / len(p):.0%}) have a copy or "
                "mirror in training; the scores of the others stand apart."
            )
            groups = None if self._groups is None else self._groups[unseen]
            if unseen.any():
                self.unseen_scores = score_table(
                    p.take(unseen), groups=groups, **self._options
                )
        self.controls = scores_beside_controls(
            p,
            training,
            y_train,
            scored,
            unseen,
            random_state=self._options["random_state"],
            n_jobs=n_jobs,
        )

    def _add_to_protocol(self, note):
        self.protocol = replace(self.protocol, notes=(*self.protocol.notes, note))

    def to_dict(self):
        """The report as plain data for JSON.

        Returns
        -------
        dict
        """
        return _evaluation_views.to_dict(self)

    def to_markdown(self):
        """The report as Markdown.

        Returns
        -------
        str
        """
        return _evaluation_views.to_markdown(self)

    def to_html(self, path=None):
        """The report as one HTML page that loads nothing from outside.

        Parameters
        ----------
        path : path-like, default=None
            File to write to.

        Returns
        -------
        str
            The page.
        """
        return _evaluation_views.to_html(self, path)

    def plot(self):
        """Draw the confusion matrix, the rates of each class and the reliability.

        Returns
        -------
        matplotlib Figure
        """
        return _evaluation_views.plot(self)

    def __repr__(self):
        value = self.scores["value"]
        return (
            f"EvaluationReport({len(self._predictions)} images, "
            f"balanced accuracy {value['balanced_accuracy']:.3f})"
        )

    def _repr_html_(self):
        return _evaluation_views.to_fragment(self)
