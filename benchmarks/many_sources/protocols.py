"""The classes, and which images are trained on and which are predicted."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

CLASSES = ["glioma", "meningioma", "notumor", "pituitary", "other"]
HOME = "kaggle"  # the source that is never left out


def read_table(path):
    """Return the table of images, with a column of targets: positions in `CLASSES`."""
    table = pd.read_csv(path)
    table["target"] = [CLASSES.index(n) if n in CLASSES else 4 for n in table.label]
    return table


def split(table, protocol):
    """Positions of the images to train on and to predict."""
    # Slices that may be of the same volume as a Kaggle image are in neither.
    known = (table.get("near_kaggle", 0) == 0) | (protocol == "all")
    if protocol == "all":
        held_out = np.zeros(len(table), dtype=bool)
    elif protocol.startswith("fold"):
        large = table.source.map(table.source.value_counts()) > 70
        strata = table.target.astype(str) + table.source.where(large, "small")
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        parts = list(folds.split(table, strata, table.group))
        held_out = np.isin(np.arange(len(table)), parts[int(protocol[-1])][1])
    else:
        held_out = table.source.isin(protocol.removeprefix("out:").split("+"))
    return np.flatnonzero(~held_out & known), np.flatnonzero(held_out & known)
