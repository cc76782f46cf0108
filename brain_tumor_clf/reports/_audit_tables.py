"""The tables of an audit: images, classes, looks, copies and what a test set shares."""

import numpy as np
import pandas as pd

from brain_tumor_clf.reports._audit_copies import KINDS

ALL = "all images"


def image_table(features, y, is_test, groups, copies):
    """One row an image.

    Parameters
    ----------
    features : ScanFeatures
        Of n images, training images first.
    y : ndarray of shape (n,)
        Labels.
    is_test : ndarray of bool, shape (n,)
        Which images are test images.
    groups : ndarray of shape (n,), int
        Group of each image: copies, and groups as given, joined.
    copies : Copies
        Of the n images.

    Returns
    -------
    DataFrame
        Columns "split", "index" (position in `X` or `X_test`), "name", "label",
        "group", "copy_group", "height", "width", "mode", "bits", "brightness" (mean
        grey level, 0 to 255), "failure" and "copy" (the worst kind of copy in the same
        split); and with test images "copy_in_training" and "group_in_training".
    """
    split = np.where(is_test, "test", "train")
    index = np.where(is_test, np.arange(len(y)) - (~is_test).sum(), np.arange(len(y)))
    facts = features.frame
    within = np.where(is_test, copies.kind_among(is_test), copies.kind_among(~is_test))
    table = pd.DataFrame(
        {
            "split": split,
            "index": index,
            "name": facts["name"],
            "label": y,
            "group": groups,
            "copy_group": copies.labels,
            "height": facts["height"],
            "width": facts["width"],
            "mode": facts["mode"],
            "bits": facts["bits"],
            "brightness": features.statistics[:, 0],
            "failure": facts["failure"],
            "copy": within,
        }
    )
    if is_test.any():
        in_training = np.where(is_test, copies.kind_among(~is_test), None)
        table["copy_in_training"] = in_training
        table["group_in_training"] = is_test & np.isin(groups, groups[~is_test])
    return table


def pair_table(images, copies):
    """One row a pair of copies, in words that need no other table.

    Returns
    -------
    DataFrame
        Columns "split_i", "i", "name_i", "label_i", the same of "j", "kind",
        "similarity", "transform", "labels_differ" and "crosses" (one in training, one
        in test).
    """
    pairs = copies.pairs
    sides = []
    for side in ("i", "j"):
        part = images.iloc[pairs[side].to_numpy()].reset_index(drop=True)
        sides.append(
            pd.DataFrame(
                {
                    f"split_{side}": part["split"],
                    side: part["index"],
                    f"name_{side}": part["name"],
                    f"label_{side}": part["label"],
                }
            )
        )
    table = pd.concat(sides, axis=1)
    for name in ("kind", "similarity", "transform"):
        table[name] = pairs[name].to_numpy()
    table["labels_differ"] = table["label_i"] != table["label_j"]
    table["crosses"] = table["split_i"] != table["split_j"]
    return table


def count_table(images):
    """Images, groups and unreadable images of each class, by split."""
    rows = {}
    for label, part in _by_class(images):
        row = {}
        for split in _splits(images):
            here = part[part["split"] == split]
            row[f"{split} images"] = len(here)
            row[f"{split} groups"] = here["group"].nunique()
            row[f"{split} unreadable"] = int(here["failure"].notna().sum())
        rows[label] = row
    return _framed(rows)


def appearance_table(images):
    """Sizes, modes, bits and brightness of the readable images of each class."""
    readable = images[images["failure"].isna()]
    rows = []
    for split in _splits(images):
        for label, part in readable[readable["split"] == split].groupby("label"):
            size = part["width"].astype(str) + "x" + part["height"].astype(str)
            rows.append(
                {
                    "split": split,
                    "class": label,
                    "images": len(part),
                    "distinct sizes": size.nunique(),
                    "commonest sizes": _shares(size, 2),
                    "modes": _shares(part["mode"]),
                    "bits": _shares(part["bits"]),
                    "brightness": float(part["brightness"].mean()),
                    "brightness sd": float(part["brightness"].std(ddof=0)),
                }
            )
    columns = ["split", "class", "images", "distinct sizes", "commonest sizes"]
    columns += ["modes", "bits", "brightness", "brightness sd"]
    return pd.DataFrame(rows, columns=columns)


def copy_table(images):
    """How many readable images have a copy in their own split, by worst kind."""
    readable = images[images["failure"].isna()]
    rows = {}
    for split in _splits(images):
        part = readable[readable["split"] == split]
        row = {"images": len(part)}
        row |= {kind: int((part["copy"] == kind).sum()) for kind in KINDS}
        row["with a copy"] = int(part["copy"].notna().sum())
        row["distinct"] = part["copy_group"].nunique()
        rows[split] = row
    return _without_rotations(_framed(rows, "split"))


def leakage_table(images):
    """Of the readable test images of each class, those with a copy in training.

    Returns
    -------
    DataFrame or None
        None without test images. Columns "images", one for each kind (an image counts
        with its worst), "with a copy", "share", "same group" (a copy, a copy of a copy,
        or a patient in training) and "share of same group".
    """
    if "copy_in_training" not in images:
        return None
    test = images[(images["split"] == "test") & images["failure"].isna()]
    rows = {}
    for label, part in _by_class(test):
        row = {"images": len(part)}
        row |= {kind: int((part["copy_in_training"] == kind).sum()) for kind in KINDS}
        row["with a copy"] = int(part["copy_in_training"].notna().sum())
        row["share"] = row["with a copy"] / len(part) if len(part) else np.nan
        row["same group"] = int(part["group_in_training"].sum())
        row["share of same group"] = (
            row["same group"] / len(part) if len(part) else np.nan
        )
        rows[label] = row
    return _without_rotations(_framed(rows))


def worst_pairs(pairs, images, n_pairs):
    """The pairs to look at: of each kind of trouble in turn, the least similar first.

    One pair a group of copies, so that no scan is shown twice. Different labels come
    first, then pairs across training and test, then the others.
    """
    group = images.set_index(["split", "index"])["copy_group"]
    keys = pd.MultiIndex.from_frame(pairs[["split_i", "i"]])
    trouble = np.select([pairs["labels_differ"], pairs["crosses"]], [0, 1], default=2)
    ranked = pairs.assign(
        _group=group.reindex(keys).to_numpy(),
        _trouble=trouble,
        _kind=pairs["kind"].map(KINDS.index),
    ).sort_values(["_trouble", "_kind", "similarity"], kind="stable")
    ranked = ranked.drop_duplicates("_group")
    ranked["_turn"] = ranked.groupby(["_trouble", "_kind"]).cumcount()
    chosen = ranked.sort_values(["_turn", "_trouble", "_kind"], kind="stable")
    chosen = chosen.head(n_pairs).sort_values(["_trouble", "_kind"], kind="stable")
    return chosen.drop(columns=["_group", "_trouble", "_kind", "_turn"])


def _splits(images):
    return [split for split in ("train", "test") if (images["split"] == split).any()]


def _by_class(images):
    yield from images.groupby("label")
    yield ALL, images


def _framed(rows, name="class"):
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = name
    return frame


def _without_rotations(frame):
    """Rotated copies are rarely looked for: no column where there are none."""
    if "rotated" in frame and not frame["rotated"].any():
        return frame.drop(columns="rotated")
    return frame


def _shares(values, n_named=None):
    """ "grey 62 %, RGB 38 %": values by how common they are."""
    shares = values.value_counts(normalize=True)
    named = shares if n_named is None else shares.head(n_named)
    if len(shares) == 1:
        return str(shares.index[0])
    text = ", ".join(f"{value} {100 * share:.0f} %" for value, share in named.items())
    return text if len(named) == len(shares) else f"{text}, …"
