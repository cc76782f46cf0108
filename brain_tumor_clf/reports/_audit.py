"""audit_dataset: what a data set gives away before anything is trained on it."""

import numpy as np
import pandas as pd

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.metrics import column_of
from brain_tumor_clf.model_selection import NearDuplicateGrouper
from brain_tumor_clf.reports import _audit_report, _checks, _render, _report, _scan
from brain_tumor_clf.reports._audit_findings import find_all
from brain_tumor_clf.reports._controls import audit_controls


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
    files; and the scores of three controls that see almost nothing of a tumor. Each
    image is read once. Nothing is changed or dropped.

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
        Which images belong together besides copies, such as patients. None or NaN marks
        an unknown one.
    groups_test : array-like of shape (m,), default=None
        The same for test images, with the same names.
    healthy : label or None, default="notumor"
        The class without a tumor; None leaves "tumor or not" out.
    grouper : NearDuplicateGrouper, default=None
        What finds copies; one with its defaults if None. It is not fitted itself.
    controls : bool, default=True
        Run the controls; on small data sets they take most of the time.
    n_splits : int, default=5
        Folds of the controls' cross-validation.
    random_state : int or None, default=0
        Seed of folds and forests.
    n_jobs : int or None, default=None
        Threads that read, and processors of the controls.

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
    evaluate : Score a fitted classifier.

    Examples
    --------
    >>> from brain_tumor_clf import audit_dataset, make_brain_mri
    >>> scans = make_brain_mri(n_samples=12, image_size=(48, 48), random_state=0)
    >>> X_test = [scans.data[0][:, ::-1], scans.data[1]]
    >>> audit = audit_dataset(scans.data, scans.target, X_test, scans.target[:2])
    >>> print(audit.findings[0].title)
    2 of 2 test images (100%) have a copy or mirror image in training.
    """
    _checks.check_both(X_test, y_test, "_test")
    if X_test is None and groups_test is not None:
        raise ValueError("groups_test was given without X_test.")
    parts = [_checks.check_part(X, y, groups, "")]
    if X_test is not None:
        parts.append(_checks.check_part(X_test, y_test, groups_test, "_test"))
    knows = groups is not None, groups_test is not None
    if healthy is not None:
        column_of(pd.unique(parts[0][1]), healthy, "y")
    if grouper is None:
        grouper = NearDuplicateGrouper(n_jobs=n_jobs)
    options = {"run": controls, "n_splits": n_splits, "random_state": random_state}
    return DatasetAudit(parts, healthy, grouper, knows, {**options, "n_jobs": n_jobs})


class DatasetAudit(_report.BaseReport):
    """What `audit_dataset` found.

    Attributes
    ----------
    findings : list of Finding
        Worst first; named tuples of "severity", "title", "detail" and "fix".
    protocol : Protocol
        What the audit was computed on: images, groups, split, versions, seed.
    images : DataFrame
        One row an image, training images first; see `to_frame`.
    counts : DataFrame
        Images, groups and unreadable images of each class, by split.
    appearance : DataFrame
        Sizes, modes, bits and brightness of each class, by split.
    copies : DataFrame
        How many images have a copy in their own split, by worst kind, and how many
        would be left with one a group of copies ("distinct").
    leakage : DataFrame or None
        How many test images of each class have a copy, or their group, in training;
        None without test images.
    pairs : DataFrame
        One row a pair of copies; of images with equal thumbnails only the first is
        paired with others.
    controls : DataFrame
        Scores of the controls; "majority" is the accuracy of always naming the
        commonest class. "grouped" folds keep groups whole, "ungrouped" ones do not.
    groups, test_groups : ndarray of int
        Groups of `X` and `X_test`: copies, joined with the groups given. An unreadable
        image has a group of its own, unless one was given. Ready for
        ``StratifiedGroupKFold``; `test_groups` is empty without test images.
    healthy : label or None
        The class without a tumor.
    reader_notes : dict of str to list of str
        Remarks of the readers, and the names of the images that they are about.

    Examples
    --------
    >>> from brain_tumor_clf import audit_dataset, make_brain_mri
    >>> scans = make_brain_mri(n_samples=8, image_size=(48, 48), random_state=0)
    >>> audit = audit_dataset([*scans.data, scans.data[0]], [*scans.target, "glioma"])
    >>> audit
    DatasetAudit(9 images, 8 distinct, ... findings)
    >>> audit.representatives()
    array([0, 1, 2, 3, 4, 5, 6, 7])
    """

    def __init__(self, parts, healthy, grouper, knows, options):
        self.healthy, self.n_splits = healthy, options["n_splits"]
        self.runs_controls = options["run"]
        self.knows_groups, self.knows_test_groups = knows
        sources, labels, links = zip(*parts, strict=True)
        self._sources = dict(zip(("train", "test"), sources, strict=False))
        n_jobs = options["n_jobs"]
        features = _scan.scan_features(*sources, size=grouper.size, n_jobs=n_jobs)
        self.reader_notes = features.notes
        y = np.concatenate([np.asarray(part, dtype=object) for part in labels])
        is_test = np.arange(len(y)) >= len(labels[0])
        copies = _scan.find_copies(features, grouper)
        groups = _scan.join_groups(copies.labels, np.concatenate(links))
        self.groups, self.test_groups = groups[~is_test], groups[is_test]
        images = _scan.image_table(features, y, is_test, groups, copies)
        self.images = images
        self.counts = _audit_report.count_table(images)
        self.appearance = _audit_report.appearance_table(images)
        self.copies = _audit_report.copy_table(images)
        self.leakage = _audit_report.leakage_table(images)
        self.pairs = _scan.pair_table(images, copies)
        is_healthy = y[features.readable & ~is_test] == healthy
        self.has_tumor_or_not = bool(is_healthy.any() and not is_healthy.all())
        told = healthy if self.has_tumor_or_not else None
        self.controls = audit_controls(features, images, healthy=told, **options)
        self.protocol = _audit_report.describe(self, grouper, options["random_state"])
        self.findings = find_all(self)

    def representatives(self):
        """Return positions in `X` of one image a group of copies.

        The image of most pixels, and of these the first. Images that cannot be read are
        left out. Groups given, such as patients, are not thinned; different labels
        within a group of copies are not resolved.

        Returns
        -------
        ndarray of int, sorted
        """
        images = self._readable("train")
        pixels = (images["height"] * images["width"]).astype(int)
        order = pixels.sort_values(ascending=False, kind="stable").index
        kept = images.loc[order].drop_duplicates("copy_group")
        return np.sort(kept["index"].to_numpy(dtype=int))

    def unseen(self):
        """Return positions in `X_test` of images that share no group with training.

        That is no copy, no copy of a copy, and no patient where both sides name them.
        Images that cannot be read are left out.

        Returns
        -------
        ndarray of int, sorted

        Raises
        ------
        ValueError
            If the audit had no test images.
        """
        if self.leakage is None:
            raise ValueError("The audit had no test images: give X_test and y_test.")
        images = self._readable("test")
        return images["index"][images["group_in_training"] == 0].to_numpy(dtype=int)

    def _readable(self, split):
        is_readable = self.images["failure"].isna()
        return self.images[(self.images["split"] == split) & is_readable]

    def to_frame(self, table="images"):
        """Return one of the tables of the audit.

        Parameters
        ----------
        table : str, default="images"
            "images" (one row an image: split, index, name, label, group, copy_group,
            height, width, mode, bits, brightness, failure, copy, and with a test set
            copy_in_training and group_in_training), "unreadable" (those rows of
            "images"), "counts", "appearance", "copies", "pairs", "leakage", "controls"
            or "findings".

        Returns
        -------
        DataFrame
            A copy; "leakage" without test images is empty.
        """
        names = ("counts", "appearance", "copies", "pairs", "leakage", "controls")
        check_choice("table", table, ("images", "unreadable", *names, "findings"))
        if table == "unreadable":
            return self.images[self.images["failure"].notna()]
        return pd.DataFrame(getattr(self, table)).copy()

    def to_dict(self):
        """Return the audit as plain data for JSON, without images and pairs."""
        unreadable = self.to_frame("unreadable")[["split", "index", "name", "failure"]]
        tables = ("counts", "appearance", "copies", "leakage", "controls")
        return {
            "protocol": self.protocol.to_dict(),
            "healthy": _report.plain(self.healthy),
            "findings": [finding._asdict() for finding in self.findings],
            **{name: _report.records(getattr(self, name)) for name in tables},
            "unreadable": _report.records(unreadable),
            "n_pairs": len(self.pairs),
            "n_pairs_of_different_labels": int(self.pairs["labels_differ"].sum()),
        }

    def to_html(self, path=None, *, n_pairs=12):
        """Return the audit as one HTML page that loads nothing from outside.

        Parameters
        ----------
        path : path-like, default=None
            File to write the page to.
        n_pairs : int, default=12
            Pairs of copies to show side by side; their images are read again.

        Returns
        -------
        str
            The page.
        """
        return _render.to_html(self._report(n_pairs), path)

    def _draw(self, ax):
        return _audit_report.draw_audit(self, ax)

    def _report(self, n_pairs=12):
        return _audit_report.fill_report(self, n_pairs)

    def __repr__(self):
        n_distinct, n_found = self.images["copy_group"].nunique(), len(self.findings)
        what = f"{len(self.images)} images, {n_distinct} distinct, {n_found} findings"
        return f"DatasetAudit({what})"
