"""Figures and axes, made when they are needed; importing this imports no matplotlib."""

import numpy as np

_INSTALL = "Plots need matplotlib: pip install 'brain-tumor-clf[plots]'."


def require_pyplot():
    """matplotlib.pyplot, or an error that tells how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(_INSTALL) from error
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


def gallery_axes(n, n_columns, *, side=2.2, caption=0.45):
    """A new figure with a grid for `n` pictures; axes left over are removed."""
    n_columns = max(min(n, n_columns), 1)
    n_rows = max(-(-n // n_columns), 1)
    figure, axes = require_pyplot().subplots(
        n_rows,
        n_columns,
        figsize=(side * n_columns, (side + caption) * n_rows),
        layout="constrained",
        squeeze=False,
    )
    axes = axes.ravel()
    for unused in axes[n:]:
        unused.remove()
    return figure, axes[:n]


def show_scan(ax, image, title):
    """Draw one grey or RGB scan without ticks."""
    ax.imshow(image, cmap="gray", vmin=0, vmax=255)
    ax.set_title(title, fontsize=8)
    ax.set_xticks([])
    ax.set_yticks([])
