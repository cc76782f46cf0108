"""Suspect labels in a report: a table, and their pictures to judge them by."""

from functools import partial

from PIL import Image

from brain_tumor_clf.model_selection import find_label_issues
from brain_tumor_clf.preprocessing import iter_outcomes, source_name
from brain_tumor_clf.reports._report import Figure, Table
from brain_tumor_clf.reports._scan import read_pixels

_N_LISTED, _N_PICTURES = 10, 48
_NOTE = (
    "Labels that the model contradicts more often than its errors explain (confident "
    "learning), most suspect first; quality is the probability of the label. A model "
    "agrees with labels that it was trained on. A suspect label may be right: "
    "look at the picture before you change it."
)


def list_issues(predictions, groups, X=None):
    """Return `find_label_issues` of predictions, with names of the images in `X`."""
    p = predictions
    if p.proba is None:
        raise ValueError("label_issues=True needs probabilities: y_proba.")
    issues = find_label_issues(p.classes[p.true], p.proba, p.classes, groups)
    if X is not None:
        names = [source_name(X[at], at) for at in issues["position"]]
        issues.insert(1, "image", names)
    issues["probability"] = p.proba[issues["position"]].max(axis=1)
    return issues


def issue_blocks(issues, n_images, X=None):
    """Yield the blocks of suspect labels; their images are read again for a page."""
    title = f"{len(issues):,} of {n_images:,} labels are suspect"
    table = issues[["label", "suggested", "probability", "quality"]]
    if X is None:
        table = table.assign(position=issues["position"])
    else:
        table = table.assign(image=issues["image"].map(_file_name))
    table = table.join(issues.filter(["group"]))
    wide = {"detail_columns": ["quality", "group"]}
    yield Table(title=title, note=_NOTE, frame=table.head(_N_LISTED), **wide)
    if len(table) > _N_LISTED:
        yield Table(title="All suspect labels", frame=table, is_detail=True)
    if X is not None and len(issues):
        cards = partial(_cards, issues.head(_N_PICTURES), X)
        yield Figure(title="Suspect labels, most suspect first", make_cards=cards)


def _cards(issues, X):
    cards = []
    for row in issues.to_dict("records"):
        suggested = f"{row['suggested']} {row['probability']:.3f}"
        picture = small_picture(X[row["position"]])
        captioned = picture, f"labeled {row['label']}: {_file_name(row['image'])}"
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
