"""Figures and axes, made when they are needed; importing this imports no matplotlib."""

import itertools

import numpy as np

_INSTALL = "Plots need matplotlib: pip install 'brain-tumor-clf[plots]'."


def require_pyplot():
    """matplotlib.pyplot, or an error that tells how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(_INSTALL) from error
    return plt


def last_step(estimator):
    """An estimator, or the one at the end of a pipeline: whose name a plot shows."""
    return estimator[-1] if hasattr(estimator, "steps") else estimator


def axes_row(ax, n, *, width=4.6, height=3.6):
    """Return `n` axes side by side: those given, or those of a new figure."""
    if ax is not None:
        axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(axes) != n:
            raise ValueError(
                f"ax must hold {n} axes for this display, got {len(axes)}."
            )
        return axes
    _, axes = require_pyplot().subplots(
        1, n, figsize=(width * n, height), layout="constrained", squeeze=False
    )
    return axes.ravel()


def gallery_axes(ax, n, n_columns, title, *, side=2.2, caption=0.45):
    """Axes for `n` pictures in a grid, under a title.

    Parameters
    ----------
    ax : matplotlib Axes, array of them, or None
        None makes a new figure; one Axes is divided into the grid; of several there
        must be one a picture, and they get no title.
    n, n_columns : int
        Pictures, and pictures a row.
    title : str
        What the gallery shows.
    side, caption : float
        Height of a picture and of the text above it in a new figure, in inches.

    Returns
    -------
    figure : matplotlib Figure
    axes : ndarray of n matplotlib Axes
    """
    n_columns = max(min(n, n_columns), 1)
    n_rows = max(-(-n // n_columns), 1)
    if ax is None:
        figure = require_pyplot().figure(
            figsize=(side * n_columns, (side + caption) * n_rows), layout="constrained"
        )
        grid = figure.add_gridspec(n_rows, n_columns)
        figure.suptitle(title, fontsize=10)
    else:
        given = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(given) != 1:
            return given[0].figure, axes_row(given, n)
        figure = given[0].figure
        grid = _divide(given[0], n_rows, n_columns, title)
    places = itertools.islice(np.ndindex(n_rows, n_columns), n)
    axes = np.empty(n, dtype=object)
    axes[:] = [figure.add_subplot(grid[place]) for place in places]
    return figure, axes


def _divide(ax, n_rows, n_columns, title):
    """A grid in the place of an Axes, which keeps nothing but the title."""
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            "ax must lie in a grid of subplots to be divided among pictures; make it "
            "by plt.subplots, or give one Axes a picture."
        )
    ax.set_axis_off()
    ax.set_title(title, fontsize=10, pad=28)  # above the titles of the first row
    return place.subgridspec(n_rows, n_columns)


def show_scan(ax, image, title):
    """Draw one grey or RGB scan without ticks."""
    ax.imshow(image, cmap="gray", vmin=0, vmax=255)
    ax.set_title(title, fontsize=8)
    ax.set_xticks([])
    ax.set_yticks([])
