"""evaluate: everything that a reader must know of a classifier's scores."""

from brain_tumor_clf.reports._evaluation_report import EvaluationReport


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
        raise ValueError(
            "X_train and y_train must be given together, got only "
            f"{'X_train' if y_train is None else 'y_train'}."
        )
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
        protocol="a fitted model on these images; those it was trained on are "
        + ("given" if X_train is not None else "not known here"),
        model_id=getattr(estimator, "model_id_", None),
    )
    if X_train is not None:
        report._compare_with_training(X, X_train, y_train, n_jobs)
    return report
