"""Tables as Markdown."""

import numpy as np
import pandas as pd


def markdown_table(frame, *, digits=3):
    """A DataFrame as a Markdown table, its index as first column.

    Parameters
    ----------
    frame : DataFrame
    digits : int, default=3
        Decimals of floats; missing values are a dash.

    Returns
    -------
    str
        Without a newline at its end.
    """
    name = "" if frame.index.name is None else str(frame.index.name)
    head = [name, *map(str, frame.columns)]
    lines = [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    for label, row in zip(frame.index, frame.itertuples(index=False), strict=True):
        cells = [_cell(label, digits), *(_cell(value, digits) for value in row)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(value, digits):
    if isinstance(value, (float, np.floating)):
        return "-" if np.isnan(value) else f"{value:.{digits}f}"
    if value is None or value is pd.NA:
        return "-"
    return str(value).replace("|", "\\|")
