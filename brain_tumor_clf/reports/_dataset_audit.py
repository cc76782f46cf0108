"""DatasetAudit: what audit_dataset found."""

import numpy as np
import pandas as pd

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.reports import _audit_plot, _audit_tables, _audit_views
from brain_tumor_clf.reports._audit_copies import find_copies, join_groups
from brain_tumor_clf.reports._controls import (
    UNSEEN,
    control_scores,
    cross_validate_controls,
)
from brain_tumor_clf.reports._findings import find_all
from brain_tumor_clf.reports._protocol import Protocol

_FRAMES = (
    "images", "unreadable", "counts", "appearance", "copies", "pairs", "leakage",
    "controls", "findings",
)  # fmt: skip


class DatasetAudit:
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
        One row a pair of copies. Of many images with equal thumbnails only the first
        is paired with others.
    controls : DataFrame
        Scores of the controls: "control", "task", "protocol", "accuracy",
        "balanced_accuracy", "majority" (accuracy of always naming the commonest class)
        and "n". "grouped" folds keep groups whole, "ungrouped" ones do not.
    groups, test_groups : ndarray of int
        Groups of `X` and `X_test`: copies, joined with the groups given. An unreadable
        image has a group of its own, unless one was given. Ready for
        ``StratifiedGroupKFold``; `test_groups` is empty without test images.
    healthy : label or None
        The class without a tumor.
    reader_notes : dict of str to list of str
        What readers remarked, and the names of the images that it is about.

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

    def __init__(self, features, labels, links, healthy, grouper, options, sources):
        self._sources = dict(zip(("train", "test"), sources, strict=False))
        self.healthy, self.n_splits = healthy, options["n_splits"]
        self.runs_controls = options["run"]
        self.reader_notes = features.notes
        y = np.concatenate([np.asarray(part, dtype=object) for part in labels])
        is_test = np.repeat([False, True][: len(labels)], [len(p) for p in labels])
        self.knows_groups = links[0] is not None
        self.knows_test_groups = links[-1] is not None and len(links) == 2
        known = [
            np.full(len(part), None, dtype=object) if link is None else link
            for part, link in zip(labels, links, strict=True)
        ]
        copies = find_copies(features, grouper)
        groups = join_groups(copies.labels, np.concatenate(known))
        self.groups, self.test_groups = groups[~is_test], groups[is_test]
        self.images = _audit_tables.image_table(features, y, is_test, groups, copies)
        self.images["label"] = self.images["label"].infer_objects()
        self.counts = _audit_tables.count_table(self.images)
        self.appearance = _audit_tables.appearance_table(self.images)
        self.copies = _audit_tables.copy_table(self.images)
        self.leakage = _audit_tables.leakage_table(self.images)
        self.pairs = _audit_tables.pair_table(self.images, copies)
        trained_on = features.readable & ~is_test
        is_healthy = y[trained_on] == healthy
        self.has_tumor_or_not = bool(is_healthy.any() and not is_healthy.all())
        self.controls = self._run_controls(features, is_test, options)
        self.protocol = self._describe(grouper, options["random_state"])
        self.findings = find_all(self)

    def _run_controls(self, features, is_test, options):
        healthy = self.healthy if self.has_tumor_or_not else None
        options = {
            "healthy": healthy,
            "random_state": options["random_state"],
            "n_jobs": options["n_jobs"],
        }
        y = self.images["label"].to_numpy()
        readable = features.readable
        train, test = readable & ~is_test, readable & is_test
        runs = self.runs_controls and train.any()
        if runs and test.any():
            clean = ~self.images["group_in_training"].to_numpy()[test]
            clean = None if clean.all() else clean  # they would be told twice
            return control_scores(
                features.take(train), y[train], features.take(test), y[test],
                clean=clean, clean_protocol=UNSEEN, **options,
            )  # fmt: skip
        if is_test.any() or not runs:
            return cross_validate_controls(features.take([]), y[:0])
        groups = self.images["group"].to_numpy()[train]
        tables = [
            cross_validate_controls(
                features.take(train), y[train], by, n_splits=self.n_splits, **options
            )
            for by in (groups, None)
        ]
        # Older pandas warns of empty tables.
        filled = [table for table in tables if len(table)]
        return pd.concat(filled, ignore_index=True) if filled else tables[0]

    def _describe(self, grouper, seed):
        n_train = len(self.groups)
        n_test = len(self.test_groups)
        n_bad = int(self.images["failure"].notna().sum())
        if n_test:
            data = f"{n_train:,} training images, {n_test:,} test images"
            split = "training and test images as given"
        else:
            data = f"{n_train:,} images, no test images"
            protocols = list(pd.unique(self.controls["protocol"]))
            split = f"cross-validation: {', '.join(protocols) or 'not possible'}"
        named = "groups given, joined with copies" if self.knows_groups else "copies"
        unread = f"{n_bad:,} images cannot be read and are in no figure but the counts"
        return Protocol(
            data=data,
            n=n_train + n_test,
            n_groups=int(self.images["group"].nunique()),
            groups=named,
            split=split,
            seed=seed,
            notes=(
                f"copies are found by {grouper!r}",
                "every score is of images that its control was not trained on",
                *([unread] if n_bad else []),
            ),
        )

    def representatives(self):
        """Positions in `X` of one image a group of copies.

        The image of most pixels, and of these the first. Images that cannot be read are
        left out. Groups given, such as patients, are not thinned; different labels
        within a group of copies are not resolved.

        Returns
        -------
        ndarray of int
            Sorted.
        """
        images = self.images[
            (self.images["split"] == "train") & self.images["failure"].isna()
        ]
        pixels = (images["height"] * images["width"]).astype(int)
        order = pixels.sort_values(ascending=False, kind="stable").index
        kept = images.loc[order].drop_duplicates("copy_group")
        return np.sort(kept["index"].to_numpy(dtype=int))

    def unseen(self):
        """Positions in `X_test` of images that share no group with training.

        That is no copy, no copy of a copy, and no patient where both sides name them.
        Images that cannot be read are left out.

        Returns
        -------
        ndarray of int
            Sorted.

        Raises
        ------
        ValueError
            If the audit had no test images.
        """
        if self.leakage is None:
            raise ValueError(
                "The audit had no test images; give audit_dataset X_test and y_test."
            )
        images = self.images[
            (self.images["split"] == "test") & self.images["failure"].isna()
        ]
        clean = ~images["group_in_training"].astype(bool)
        return images.loc[clean, "index"].to_numpy(dtype=int)

    def to_frame(self, table="images"):
        """One of the tables of the audit.

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
        check_choice("table", table, _FRAMES)
        if table == "unreadable":
            return self.images[self.images["failure"].notna()].copy()
        if table == "findings":
            return pd.DataFrame(
                self.findings, columns=["severity", "title", "detail", "fix"]
            )
        found = getattr(self, table)
        return pd.DataFrame() if found is None else found.copy()

    def to_dict(self):
        """The audit as plain data, ready for JSON.

        All but the tables of single images and of pairs, of which it has the numbers.

        Returns
        -------
        dict
        """
        return _audit_views.to_dict(self)

    def to_markdown(self):
        """The audit as Markdown.

        Returns
        -------
        str
        """
        return _audit_views.to_markdown(self)

    def to_html(self, path=None, *, n_pairs=12):
        """The audit as one page of HTML that loads nothing from outside.

        Parameters
        ----------
        path : path-like, default=None
            File to write.
        n_pairs : int, default=12
            Pairs of copies to show side by side; their images are read again.

        Returns
        -------
        str
            The page.
        """
        return _audit_views.to_html(self, path, n_pairs)

    def plot(self):
        """Draw classes, copies, brightness and the controls. Needs matplotlib.

        Returns
        -------
        matplotlib.figure.Figure
        """
        return _audit_plot.plot(self)

    def _repr_html_(self):
        return _audit_views.to_fragment(self)

    def __repr__(self):
        n_distinct = self.images["copy_group"].nunique()
        return (
            f"DatasetAudit({len(self.images)} images, {n_distinct} distinct, "
            f"{len(self.findings)} findings)"
        )
