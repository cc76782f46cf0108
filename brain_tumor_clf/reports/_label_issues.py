"""Suspect labels in a report: a table, and their pictures to judge them by."""

import os
from functools import partial

from PIL import Image

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.model_selection import find_label_issues
from brain_tumor_clf.preprocessing import iter_outcomes
from brain_tumor_clf.reports._report import Figure, Table
from brain_tumor_clf.reports._scan import read_pixels

_N_LISTED, _N_PICTURES = 10, 48
_NOTE = (
    "Labels that the model contradicts more often than its errors explain (confident "
    "learning), those of which it is surest first; quality is the probability of the "
    "label. A model agrees with labels that it was trained on. A suspect label may be "
    "right: look at the picture before you change it."
)


def list_issues(predictions, groups, X=None):
    """Return `find_label_issues` of predictions, and the images of the first of them.

    With the files of the images if `X` has paths, and without images if it has only
    features.
    """
    p = predictions
    if p.proba is None:
        raise ValueError("label_issues=True needs probabilities: y_proba.")
    issues = find_label_issues(p.classes[p.true], p.proba, p.classes, groups)
    issues["probability"] = p.proba[issues["position"]].max(axis=1)
    issues = issues.sort_values("probability", ascending=False, kind="stable")
    issues = issues.reset_index(drop=True)
    try:
        X = check_image_collection(X)
    except (TypeError, ValueError):
        return issues, []
    images = [X[at] for at in issues["position"]]
    if all(isinstance(image, (str, os.PathLike)) for image in images):
        issues.insert(1, "image", [os.fspath(image) for image in images])
    return issues, images[:_N_PICTURES]


def issue_blocks(issues, images):
    """Yield the blocks of suspect labels; their images are read again for a page."""
    if issues.empty:
        return
    names = issues[["position"]]
    if "image" in issues:
        names = issues["image"].map(_file_name).to_frame()
    table = issues[["label", "suggested", "probability", "quality"]]
    table = table.join([names, issues.filter(["group"])])
    shown = table.head(_N_LISTED)
    title = f"Suspect labels, the first {len(shown)} of {len(table):,}"
    details = table.columns.intersection(["quality", "group"])
    yield Table(title=title, note=_NOTE, frame=shown, detail_columns=details)
    if len(table) > _N_LISTED:
        yield Table(title="All suspect labels", frame=table, is_detail=True)
    if images:
        cards = partial(_cards, issues.head(_N_PICTURES), images)
        yield Figure(title="Pictures of suspect labels", make_cards=cards)


def _cards(issues, images):
    cards = []
    for image, row in zip(images, issues.to_dict("records"), strict=True):
        suggested = f"{row['suggested']} {row['probability']:.3f}"
        name = _file_name(row.get("image", f"position {row['position']}"))
        captioned = small_picture(image), f"labeled {row['label']}: {name}"
        cards.append((suggested.capitalize(), None, [captioned]))
    return cards


def _file_name(path):
    return str(path).replace("\\", "/").rsplit("/", 1)[-1]


def small_picture(source):
    """Return a small picture of a source, or None if it cannot be read."""
    outcome = next(iter_outcomes(read_pixels, [source]))
    if outcome.failure is not None:
        return None
    picture = Image.fromarray(outcome.image)
    picture.thumbnail((240, 240))
    return picture
