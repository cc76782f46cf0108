"""EvaluationReport: the scores of predictions and what they were computed on."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.utils.validation import check_consistent_length

from brain_tumor_clf.inspection import ReliabilityDisplay, axes_row
from brain_tumor_clf.metrics import reliability_curve
from brain_tumor_clf.reports._controls import (
    control_tables,
    has_copy,
    scores_beside_controls,
)
from brain_tumor_clf.reports._render import Estimate
from brain_tumor_clf.reports._report import (
    BaseReport,
    Card,
    Figure,
    Protocol,
    Report,
    Table,
    Text,
    Tile,
    plain,
    records,
)
from brain_tumor_clf.reports._scan import scan_features
from brain_tumor_clf.reports._scores import (
    RATES,
    check_groups,
    check_labels,
    check_predictions,
    class_table,
    score_table,
    vote_by_group,
)

_SCORE_TABLES = {
    "scores": "Scores",
    "group_scores": "Scores of one vote a group",
    "unseen_scores": "Scores of images without a copy or mirror in training",
}
_TILES = ("balanced_accuracy", "accuracy", "tumor_miss_rate", "false_alarm_rate")


class EvaluationReport(BaseReport):
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
        groups, X_train, y_train, per_group, healthy, n_resamples, confidence, \
random_state, n_jobs
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
            raise ValueError(
                "X_train and y_train must be given together, got only "
                f"{'X_train' if y_train is None else 'y_train'}."
            )
        if X_train is not None and X is None:
            raise ValueError("X_train needs X, the images that were predicted.")
        predictions = check_predictions(y_true, y_pred, y_proba, classes, healthy)
        groups = check_groups(groups, predictions.true)
        if groups is None and per_group:
            raise ValueError("per_group=True needs groups: one label an image.")
        options = {"n_resamples": n_resamples, "confidence": confidence}
        options["random_state"] = random_state
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
        if X_train is not None:
            report._compare_with_training(X, X_train, y_train, n_jobs)
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
        if self._groups is None:
            self.notes.append(
                "No groups were given: intervals take the images for independent and "
                "are too narrow where a patient has several."
            )
            return
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

    def _vote(self):
        votes, n_mixed = vote_by_group(self._predictions, self._groups)
        if n_mixed:
            self.notes.append(
                f"{n_mixed} groups hold images of several classes and have no vote."
            )
        if votes is not None:
            self.group_scores = score_table(
                votes, groups=None, unit="groups", **self._options
            )
            self._add_to_protocol(f"{len(votes):,} groups have a vote")

    def _compare_with_training(self, X, X_train, y_train, n_jobs):
        """Score the images without a copy in training apart, beside the controls."""
        y_train = check_labels(y_train, "_train")
        check_consistent_length(X_train, y_train)
        check_consistent_length(X, self._predictions.true)
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
        seed = self._options["random_state"]
        self.controls = scores_beside_controls(
            p, training, y_train, scored, unseen, random_state=seed, n_jobs=n_jobs
        )

    def _add_to_protocol(self, note):
        self.protocol = replace(self.protocol, notes=(*self.protocol.notes, note))

    def _classification_report(self, **options):
        p = self._predictions
        return classification_report(
            p.classes[p.true], p.classes[p.predicted], labels=p.classes,
            zero_division=np.nan, **options,
        )  # fmt: skip

    def to_dict(self):
        """Return the report as plain data for JSON; what is not defined is None.

        Returns
        -------
        dict
        """
        tables = (*_SCORE_TABLES, "per_class", "reliability", "controls")
        of_sklearn = self._classification_report(output_dict=True)
        return {
            "protocol": self.protocol.to_dict(),
            "model_id": self.model_id,
            "notes": list(self.notes),
            **{name: records(getattr(self, name)) for name in tables},
            "confusion_matrix": {
                "classes": [plain(label) for label in self.confusion.index],
                "counts": self.confusion.to_numpy().tolist(),
            },
            "classification_report": plain(of_sklearn),
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
        self.axes_ = self._draw(ax)
        self.figure_ = self.axes_[0].figure
        return self

    def _draw(self, ax=None):
        n_panels = 2 if self.reliability is None else 3
        axes = axes_row(ax, n_panels, width=5.2, height=4.6)
        _draw_confusion(self.confusion, axes[0])
        _draw_rates(self.per_class, axes[1])
        if self.reliability is not None:
            error = self.scores.loc["expected_calibration_error", "value"]
            ReliabilityDisplay(self.reliability, error).plot(ax=axes[2])
            axes[2].set_title("Reliability of the probabilities")
        return axes

    def _report(self):
        caption = "Confusion matrix, rates and reliability"
        figure = Figure(
            make_cards=lambda: [Card("", None, [(self._draw()[0].figure, caption)])]
        )
        listing = self.classification_report.splitlines()
        blocks = [Text(lines=self.notes), figure]
        for name, title in _SCORE_TABLES.items():
            table = getattr(self, name)
            # Where no image has a copy in training, those without are all of them.
            if table is not None and (name == "scores" or table is not self.scores):
                blocks.append(Table(title=title, frame=_with_intervals(table)))
        kind = self.per_class["interval"].iloc[0]
        blocks += [
            Table(
                title="Classes, with intervals",
                note=f"Kind of interval: {kind}.",
                frame=_class_frame(self.per_class),
            ),
            Table(title="Confusion matrix (rows: true class)", frame=self.confusion),
            *([] if self.controls is None else control_tables(self.controls)),
            Text(
                title="Classification report of scikit-learn",
                lines=listing,
                is_code=True,
                is_detail=True,
            ),
            self._computed_on(),
        ]
        values = self.scores["value"]
        tiles = [
            Tile(f"{100 * values[name]:.1f} %", name.replace("_", " "))
            for name in _TILES
            if name in values.index
        ]
        subtitle = f"Model {self.model_id}" if self.model_id else ""
        return Report("Evaluation", blocks, subtitle, tiles)

    def __repr__(self):
        value = self.scores["value"]
        return (
            f"EvaluationReport({len(self._predictions)} images, "
            f"balanced accuracy {value['balanced_accuracy']:.3f})"
        )


def _with_intervals(scores):
    shown = scores[["value"]].copy()
    shown["interval"] = [
        None if np.isnan(low) else f"{low:.3f} to {high:.3f}"
        for low, high in scores[["low", "high"]].to_numpy()
    ]
    shown["kind of interval"] = scores["interval"]
    return shown


def _class_frame(per_class):
    shown = per_class[["support"]].rename(columns={"support": "images"})
    for name in RATES:
        columns = per_class[[name, f"{name}_low", f"{name}_high"]].to_numpy()
        shown[name] = [Estimate(*values) for values in columns]
    return shown


def _draw_confusion(confusion, ax):
    counts = confusion.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.5 else "black"
        ax.text(column, row, str(count), ha="center", va="center", color=color)
    names = [str(label) for label in confusion.index]
    ax.set_xticks(range(len(names)), names, rotation=30, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set(
        xlabel="Predicted", ylabel="True", title="Images by true and predicted class"
    )


def _draw_rates(per_class, ax):
    positions = np.arange(len(per_class))
    for shift, name in ((-0.12, "sensitivity"), (0.12, "specificity")):
        value = per_class[name].to_numpy()
        ends = per_class[[f"{name}_low", f"{name}_high"]].to_numpy().T
        errors = np.clip(np.abs(ends - value), 0, None)
        ax.errorbar(positions + shift, value, errors, fmt="o", capsize=3, label=name)
    names = [str(label) for label in per_class.index]
    ax.set_xticks(positions, names, rotation=30, ha="right")
    ax.set(ylim=(-0.03, 1.03), title="Rates of each class, with intervals")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(frameon=False)
