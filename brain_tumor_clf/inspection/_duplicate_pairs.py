"""Copies side by side."""

from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.inspection._axes import gallery_axes, show_scan
from brain_tumor_clf.preprocessing import ImageReader


class DuplicatePairsDisplay:
    """Pairs of images that `NearDuplicateGrouper` takes for copies, side by side.

    Parameters
    ----------
    images : dict of int to ndarray
        The images shown, by position.
    pairs : DataFrame
        Columns "i", "j", "similarity" and "transform", one row a pair shown.
    n_pairs : int
        Number of all pairs.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Two a pair.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from brain_tumor_clf import NearDuplicateGrouper, make_brain_mri
    >>> from brain_tumor_clf.inspection import DuplicatePairsDisplay
    >>> scans = make_brain_mri(n_samples=2, image_size=(48, 48), random_state=0)
    >>> X = [*scans.data, scans.data[0][:, ::-1]]
    >>> display = DuplicatePairsDisplay.from_estimator(NearDuplicateGrouper().fit(X), X)
    >>> display.n_pairs
    1
    """

    def __init__(self, images, pairs, *, n_pairs):
        self.images = images
        self.pairs = pairs
        self.n_pairs = n_pairs

    @classmethod
    def from_estimator(cls, grouper, X, *, max_pairs=8, lowest=False, ax=None):
        """Show pairs of a fitted grouper.

        Parameters
        ----------
        grouper : fitted NearDuplicateGrouper
        X : sequence of n images
            The images that it was fitted on.
        max_pairs : int, default=8
            Pairs shown at most; the title tells how many there are.
        lowest : bool, default=False
            Show the least similar pairs instead of the most similar, to judge the
            threshold by.
        ax : matplotlib Axes or array of them, default=None
            As of `plot`.

        Returns
        -------
        DuplicatePairsDisplay

        Raises
        ------
        ValueError
            If `X` is not of the length that was fitted.
        """
        check_is_fitted(grouper)
        X = check_image_collection(X)
        if len(X) != len(grouper.labels_):
            raise ValueError(
                f"The grouper was fitted on {len(grouper.labels_)} images, "
                f"got {len(X)}."
            )
        return cls.from_pairs(
            X, grouper.pairs_, max_pairs=max_pairs, lowest=lowest, ax=ax
        )

    @classmethod
    def from_pairs(cls, X, pairs, *, max_pairs=8, lowest=False, ax=None):
        """Show pairs of a table.

        Parameters
        ----------
        X : sequence of n images
            Whatever `ImageReader` takes; only the images shown are read.
        pairs : DataFrame
            Columns "i", "j", "similarity" and "transform".
        max_pairs : int, default=8
            Pairs shown at most.
        lowest : bool, default=False
            Show the least similar pairs.
        ax : matplotlib Axes or array of them, default=None
            As of `plot`.

        Returns
        -------
        DuplicatePairsDisplay
        """
        X = check_image_collection(X)
        shown = pairs.sort_values("similarity", ascending=lowest, kind="stable")
        shown = shown.head(max_pairs)
        at = sorted({*shown["i"], *shown["j"]})
        images = ImageReader("rgb").fit_transform(X[at]) if at else []
        display = cls(dict(zip(at, images, strict=True)), shown, n_pairs=len(pairs))
        return display.plot(ax)

    def plot(self, ax=None, *, n_columns=4):
        """Draw the pairs.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One Axes is divided among the images; of several there must be two a pair;
            None makes a new figure.
        n_columns : int, default=4
            Images a row, two of them a pair.

        Returns
        -------
        self : DuplicatePairsDisplay
        """
        n_columns = 2 * max(n_columns // 2, 1)
        summary = f"{self.n_pairs} pairs of copies"
        if len(self.pairs) < self.n_pairs:
            summary += f"; {len(self.pairs)} shown"
        self.figure_, self.axes_ = gallery_axes(
            ax, 2 * len(self.pairs), n_columns, summary
        )
        for k, pair in enumerate(self.pairs.itertuples()):
            how = "" if pair.transform == "identity" else f" ({pair.transform})"
            show_scan(self.axes_[2 * k], self.images[pair.i], f"image {pair.i}")
            show_scan(
                self.axes_[2 * k + 1],
                self.images[pair.j],
                f"image {pair.j}{how}, {pair.similarity:.3f}",
            )
        return self
