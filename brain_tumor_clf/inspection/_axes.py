"""Figures and axes. Importing this module does not import matplotlib."""

import itertools

import numpy as np


def require_pyplot():
    """Return matplotlib.pyplot, or raise an error that says how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Plots need matplotlib: pip install 'brain-tumor-clf[plots]'."
        ) from error
    return plt


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
    """Return a figure and `n` axes in a grid under a title.

    `ax` is None for a new figure with pictures of `side` and captions of `caption`
    inches, one Axes to divide, or one Axes for each picture, without a title.
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
    """Return a grid in the place of an Axes, which keeps only its title."""
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            "ax must be part of a grid of subplots to be divided among pictures: make "
            "it with plt.subplots, or pass one Axes for each picture."
        )
    ax.set_axis_off()
    ax.set_title(title, fontsize=10, pad=28)  # above the titles of the first row
    return place.subgridspec(n_rows, n_columns)


def show_scan(ax, image, title):
    """Draw a grayscale or RGB scan without ticks."""
    ax.imshow(image, cmap="gray", vmin=0, vmax=255)
    ax.set_title(title, fontsize=8)
    ax.set_xticks([])
    ax.set_yticks([])
