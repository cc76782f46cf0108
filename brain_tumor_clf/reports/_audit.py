"""audit_dataset: what a data set gives away before anything is trained on it."""

import numpy as np
import pandas as pd

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.metrics import column_of
from brain_tumor_clf.model_selection import NearDuplicateGrouper
from brain_tumor_clf.reports._audit_copies import stack_features
from brain_tumor_clf.reports._dataset_audit import DatasetAudit
from brain_tumor_clf.reports._inputs import check_labels
from brain_tumor_clf.reports._scan import scan_features


def audit_dataset(
    X,
    y,
    X_test=None,
    y_test=None,
    groups=None,
    *,
    groups_test=None,
    healthy="notumor",
    grouper=None,
    controls=True,
    n_splits=5,
    random_state=0,
    n_jobs=None,
):
    """Look for what makes scores on a data set too good to be true.

    Copies and mirror images, in one set and across training and test; copies of
    different labels; classes that differ in size, color mode or brightness of their
    files; and how well three controls do that see almost nothing of a tumor. Each image
    is read once. Nothing is changed or dropped.

    Parameters
    ----------
    X : sequence of n images
        Training images, or all images if there is no test set: whatever `ImageReader`
        takes. Images that cannot be read are reported, and all else is computed on the
        others.
    y : array-like of shape (n,)
        Labels.
    X_test, y_test : sequence of m images and array-like of shape (m,), default=None
        Test images and labels. The controls are then trained on `X` and scored on
        `X_test`; without them they are cross-validated on `X`.
    groups : array-like of shape (n,), default=None
        Which images belong together beside copies, such as patients. None or NaN marks
        what is not known.
    groups_test : array-like of shape (m,), default=None
        The same of test images, in the same names.
    healthy : label or None, default="notumor"
        The class without a tumor; None leaves "tumor or not" out.
    grouper : NearDuplicateGrouper, default=None
        What finds copies; one with its defaults if None. It is not fitted itself.
    controls : bool, default=True
        Run the controls; they take most of the time on small data sets.
    n_splits : int, default=5
        Folds of the controls' cross-validation.
    random_state : int or None, default=0
        Seed of folds and forests.
    n_jobs : int or None, default=None
        Threads that read, and processors of the controls; None is one, -1 all.

    Returns
    -------
    DatasetAudit

    Raises
    ------
    ValueError
        If labels are missing, lengths differ, only one of `X_test` and `y_test` is
        given, or no class is called `healthy`.

    See Also
    --------
    NearDuplicateGrouper : The groups to split by.
    evaluate : The same questions to a fitted classifier.

    Examples
    --------
    >>> from brain_tumor_clf import audit_dataset, make_brain_mri
    >>> scans = make_brain_mri(n_samples=12, image_size=(48, 48), random_state=0)
    >>> X_test = [scans.data[0][:, ::-1], scans.data[1]]
    >>> audit = audit_dataset(scans.data, scans.target, X_test, scans.target[:2])
    >>> print(audit.findings[0].title)
    2 of 2 test images (100%) have a copy or mirror image in training.
    """
    X, y, groups = _check_part(X, y, groups, "")
    if (X_test is None) != (y_test is None):
        raise ValueError(
            "X_test and y_test must be given together, got only "
            f"{'X_test' if y_test is None else 'y_test'}."
        )
    if X_test is None and groups_test is not None:
        raise ValueError("groups_test was given without X_test.")
    sources, labels, links = [X], [y], [groups]
    if X_test is not None:
        X_test, y_test, groups_test = _check_part(X_test, y_test, groups_test, "_test")
        sources.append(X_test)
        labels.append(y_test)
        links.append(groups_test)
    if healthy is not None:
        column_of(pd.unique(y), healthy, "y")
    if grouper is None:
        grouper = NearDuplicateGrouper(n_jobs=n_jobs)
    options = {
        "run": controls,
        "n_splits": n_splits,
        "random_state": random_state,
        "n_jobs": n_jobs,
    }
    features = stack_features(
        *(scan_features(part, size=grouper.size, n_jobs=n_jobs) for part in sources)
    )
    return DatasetAudit(features, labels, links, healthy, grouper, options, sources)


def _check_part(X, y, groups, suffix):
    """Images, labels and groups of one split, of one length."""
    X = check_image_collection(X)
    y = check_labels(y, suffix)
    if len(y) != len(X):
        raise ValueError(
            f"X{suffix} and y{suffix} must have one length, got {len(X)} images and "
            f"{len(y)} labels."
        )
    if groups is not None:
        groups = np.asarray(groups, dtype=object)
        if groups.shape != (len(X),):
            raise ValueError(
                f"{'groups' + suffix} must hold one entry for each of {len(X)} images, "
                f"got shape {groups.shape}."
            )
    return X, y, groups
