"""evaluate: everything that a reader must know of a classifier's scores."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.utils.validation import check_consistent_length, column_or_1d

from brain_tumor_clf.metrics import reliability_curve
from brain_tumor_clf.metrics._clinical import column_of
from brain_tumor_clf.model_selection import NearDuplicateGrouper
from brain_tumor_clf.reports import _evaluation_views
from brain_tumor_clf.reports._controls import control_scores
from brain_tumor_clf.reports._protocol import Protocol
from brain_tumor_clf.reports._scan import scan_features
from brain_tumor_clf.reports._scores import Predictions, class_table, score_table


def evaluate(
    estimator,
    X,
    y,
    *,
    groups=None,
    X_train=None,
    y_train=None,
    per_group=False,
    healthy="notumor",
    n_resamples=1000,
    confidence=0.95,
    random_state=0,
    n_jobs=None,
):
    """Score a fitted classifier on images that it has not seen.

    Parameters
    ----------
    estimator : fitted classifier
        Any scikit-learn classifier; without ``predict_proba`` what needs
        probabilities is left out, and the report says so.
    X : sequence of n images
        What `estimator` takes.
    y : array-like of shape (n,)
        True labels. A class that the estimator does not know counts as errors.
    groups : array-like of shape (n,), default=None
        Patient or duplicate group of each image. Intervals are then those of a
        bootstrap over groups.
    X_train, y_train : sequence of m images and labels, default=None
        What the estimator was trained on. The report then has the scores apart for
        images without a copy or mirror in training, and those of controls that see
        almost nothing of the tumor.
    per_group : bool, default=False
        Also score one vote a group: the class of the highest mean probability, or
        the most frequent one without probabilities. Needs `groups`.
    healthy : label or None, default="notumor"
        The class without a tumor; None leaves out what needs one.
    n_resamples : int, default=1000
        Draws of the bootstrap; 0 leaves out the intervals that need it.
    confidence : float, default=0.95
        Nominal coverage of the intervals, in (0, 1).
    random_state : int, default=0
        Seed of the bootstrap and of the controls.
    n_jobs : int or None, default=None
        Threads that read images for copies and controls.

    Returns
    -------
    EvaluationReport

    Raises
    ------
    ValueError
        If labels are missing, lengths differ, or no class is called `healthy`.

    See Also
    --------
    audit_dataset : What the data give away, before any training.
    compare : Several classifiers on the same folds.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from brain_tumor_clf import evaluate
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["glioma", "notumor"], 40)
    >>> X = rng.normal(size=(80, 2)) + 2 * (y == "glioma")[:, None]
    >>> clf = LogisticRegression().fit(X[::2], y[::2])
    >>> report = evaluate(clf, X[1::2], y[1::2])
    >>> bool(report.scores.loc["accuracy", "value"] > 0.8)
    True
    """
    if (X_train is None) != (y_train is None):
        raise ValueError("X_train and y_train must be given together.")
    has_proba = hasattr(estimator, "predict_proba")
    report = EvaluationReport.from_predictions(
        y,
        estimator.predict(X),
        estimator.predict_proba(X) if has_proba else None,
        classes=estimator.classes_,
        groups=groups,
        per_group=per_group,
        healthy=healthy,
        n_resamples=n_resamples,
        confidence=confidence,
        random_state=random_state,
        protocol="one evaluation of a fitted model",
        model_id=getattr(estimator, "model_id_", None),
    )
    if X_train is not None:
        report._compare_with_training(X, X_train, y_train, n_jobs)
    return report


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
        As `scores`, of the images without a copy or mirror in training.
    controls : DataFrame or None
        Scores of controls that see almost nothing of the tumor.
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
        predictions = _check_predictions(y_true, y_pred, y_proba, classes, healthy)
        if groups is not None:
            groups = column_or_1d(groups)
            check_consistent_length(groups, predictions.true)
        elif per_group:
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
        if self._groups is None:
            self.notes.append(
                "No groups were given: intervals take the images for independent and "
                "are too narrow where a patient has several."
            )

    def _vote(self):
        """Score one vote a group."""
        p = self._predictions
        _, codes = np.unique(self._groups, return_inverse=True)
        votes, truth, mixed = [], [], 0
        ballots = np.eye(len(p.classes))[p.predicted] if p.proba is None else p.proba
        for code in range(codes.max() + 1):
            members = codes == code
            labels = np.unique(p.true[members])
            if len(labels) > 1:
                mixed += 1
                continue
            votes.append(ballots[members].mean(axis=0))
            truth.append(labels[0])
        if mixed:
            self.notes.append(
                f"{mixed} groups hold images of several classes and have no vote."
            )
        if not votes:
            return
        votes = np.array(votes)
        by_group = Predictions(
            p.classes,
            np.array(truth),
            votes.argmax(axis=1),
            None if p.proba is None else votes,
            p.healthy,
        )
        self.group_scores = score_table(by_group, groups=None, **self._options)
        self._add_to_protocol(f"{len(votes):,} groups have a vote")

    def _compare_with_training(self, X, X_train, y_train, n_jobs):
        """Scores without the images that have a copy in training, and the controls'."""
        y_train = column_or_1d(y_train)
        check_consistent_length(X_train, y_train)
        grouper = NearDuplicateGrouper(n_jobs=n_jobs).fit(X_train)
        nearest = grouper.query(X)
        unseen = (nearest["similarity"] < grouper.threshold).to_numpy()
        n_seen = int((~unseen).sum())
        self._add_to_protocol(f"{len(y_train):,} training images, compared with these")
        p = self._predictions
        if n_seen:
            self.notes.append(
                f"{n_seen} of {len(p)} images ({n_seen / len(p):.0%}) have a copy or "
                "mirror in training; the scores of the others stand apart."
            )
        if unseen.any():
            groups = None if self._groups is None else self._groups[unseen]
            self.unseen_scores = score_table(
                p.take(unseen), groups=groups, **self._options
            )
        self.controls = control_scores(
            scan_features(X_train, n_jobs=n_jobs),
            y_train,
            scan_features(X, n_jobs=n_jobs),
            p.classes[p.true],
            healthy=None if p.healthy is None else p.classes[p.healthy],
            clean=unseen,
            random_state=self._options["random_state"],
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

    def _repr_markdown_(self):
        return self.to_markdown()


def _check_predictions(y_true, y_pred, y_proba, classes, healthy):
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(y_true, y_pred, y_proba)
    if len(y_true) == 0:
        raise ValueError("There is no image to score: y is empty.")
    if pd.isna(y_true).any():
        raise ValueError(
            f"y holds {int(pd.isna(y_true).sum())} missing labels; an image without a "
            "true label cannot be scored. Leave these images out."
        )
    known = [] if classes is None else list(classes)
    labels = np.unique(np.concatenate([y_true, y_pred, *([known] if known else [])]))
    if y_proba is not None:
        if classes is None:
            raise ValueError("y_proba needs classes: the labels of its columns.")
        proba = np.zeros((len(y_true), len(labels)))
        proba[:, np.searchsorted(labels, known)] = y_proba
        y_proba = proba
    return Predictions(
        labels,
        np.searchsorted(labels, y_true),
        np.searchsorted(labels, y_pred),
        y_proba,
        None if healthy is None else column_of(labels, healthy, "y"),
    )
