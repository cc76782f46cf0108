"""The class folders of a data set, and those that only look like some."""

import re
from collections import Counter

from brain_tumor_clf._validation import nearest_name
from brain_tumor_clf.exceptions import DatasetError
from brain_tumor_clf.preprocessing import is_hidden, sort_image_files

# Folders of images that are not of one class: named like this, or with such a word.
_NAMES = "data images? imgs? pictures? labels? results? outputs? archive"
_WORDS = (
    "pred predict(ions?)? masks? seg segmentations? annotations? unlabell?ed augmented "
    "dataset submission"
)
_NO_CLASS = re.compile(
    f"({'|'.join(_NAMES.split())})|(.*[^a-z])?({'|'.join(_WORDS.split())})([^a-z].*)?",
    re.IGNORECASE,
)
_N_SHOWN, _N_LINES = 8, 20


def sub_folders(folder):
    """Return the sorted sub-folders of a folder, without hidden ones."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not is_hidden(p))


def list_classes(root, classes):
    """Return images by class name, and the files that are none."""
    loose, _ = sort_image_files(root)
    children = sub_folders(root)
    if not children:
        what = f"{len(loose)} images but no sub-folder" if loose else "no images"
        raise DatasetError(
            f"{str(root)!r} holds {what}; expected one sub-folder of images for each "
            "class, such as glioma and notumor."
        )
    found, ignored = {}, [str(path) for path in loose]
    if classes is not None:
        ignored += [str(child) for child in children if child.name not in classes]
        children = _choose(root, children, classes)
    for child in children:
        images, others = sort_image_files(child, recursive=True)
        if not images:
            raise DatasetError(
                f"Class folder {str(child)!r} holds no image. Remove it, or fill it "
                "with jpg, jpeg, png, bmp, tif, tiff, webp or DICOM files."
            )
        found[child.name] = images
        ignored += map(str, others)
    if len(found) == 1:
        _refuse_single_class(root, children[0])
    if classes is None:
        _refuse_no_classes(root, found)
    return found, ignored


def _choose(root, children, classes):
    if isinstance(classes, str):
        raise DatasetError(f"classes must be a list of names, got {classes!r}.")
    names = [child.name for child in children]
    for name in classes:
        if name not in names:
            near = nearest_name(name, names)
            hint = f"; did you mean {near!r}?" if near else f" but {names[:_N_SHOWN]}."
            raise DatasetError(f"{str(root)!r} holds no class folder {name!r}{hint}")
    return [child for child in children if child.name in classes]


def _refuse_single_class(root, only):
    inner = [child.name for child in sub_folders(only)]
    hint = f" It holds {inner[:_N_SHOWN]}: did you mean {str(only)!r}?" if inner else ""
    raise DatasetError(
        f"{str(root)!r} holds a single class, {only.name!r}; at least two are needed "
        f"to tell them apart.{hint}"
    )


def _refuse_no_classes(root, found):
    """Refuse folders that would be taken for classes, and nobody would notice."""
    inner = {
        name: [path.relative_to(root / name).parts[:-1] for path in paths]
        for name, paths in found.items()
    }
    nested = [name for name in found if all(inner[name])]
    suspects = {}
    for name in found:
        below = {part.lower() for folders in inner[name] for part in folders}
        others = [other for other in found if other != name]
        again = [other for other in others if other.lower() in below]
        alike = [other for other in others if _letters(other) == _letters(name)]
        if again:
            suspects[name] = f"holds {again[0]!r} once more"
        elif _NO_CLASS.fullmatch(name):
            suspects[name] = "does not look like a class"
        elif alike:
            suspects[name] = f"and {alike[0]!r} look like one class"
        elif name in nested and len(nested) < len(found):
            suspects[name] = "holds images in sub-folders only, other folders do not"
    if suspects:
        name, reason = next(iter(suspects.items()))
        left = [name for name in found if name not in suspects]
        example = f", such as classes={left}" if len(left) > 1 else ", classes=[…]"
        raise DatasetError(
            f"{name!r} {reason}. {str(root)!r} holds:\n{_draw_tree(inner)}\n"
            f"Say which of them are the classes{example}; or load the folder that "
            "holds nothing else, or move the other folders elsewhere."
        )


def _letters(name):
    return re.sub(r"[\W_]", "", name).lower()


def _draw_tree(inner):
    """Return two levels of folders with their numbers of images, as text."""
    lines = []
    for name, folders in inner.items():
        lines.append(f"  {name}/  {len(folders)} images")
        below = Counter(folder[0] for folder in folders if folder)
        lines += [f"    {child}/  {below[child]} images" for child in sorted(below)]
    more = [f"  … and {len(lines) - _N_LINES} more"] if len(lines) > _N_LINES else []
    return "\n".join(lines[:_N_LINES] + more)
