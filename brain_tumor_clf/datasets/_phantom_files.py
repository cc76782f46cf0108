"""Phantoms as a folder of image files."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.utils import Bunch

from brain_tumor_clf.datasets._phantom_scan import CLASSES, PLANES
from brain_tumor_clf.datasets._phantoms import PhantomPlan, check_size
from brain_tumor_clf.exceptions import DatasetError

_MASK_FOLDER = ".masks"  # hidden, or it would be read as one more class


def write_brain_mri(
    folder,
    n_samples=100,
    image_size=192,
    *,
    classes=CLASSES,
    slices_per_patient=2,
    planes=PLANES,
    write_masks=False,
    random_state=None,
):
    """Write brain-MRI phantoms as a folder of JPEG and PNG files.

    The folder is as mixed as those that people share: sizes, shapes and formats
    differ, some files are gray and some RGB, some dark and some bright. None of that
    depends on the class. A ``groups.csv`` names each file's patient, so that
    :func:`load_mri_folder` finds the groups.

    Parameters
    ----------
    folder : path-like
        Where to write: a folder that does not exist yet, or an empty one.
    n_samples, classes, slices_per_patient, planes, random_state
        As in :func:`make_brain_mri`.
    image_size : int or (int, int), default=192
        Height and width in pixels, at least 24, about which the files' sizes vary by
        a quarter.
    write_masks : bool, default=False
        Whether to write the tumor masks as well: PNG files of 0 and 255 under the same
        names in the hidden sub-folder ``.masks``, where no class is looked for.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As :func:`make_brain_mri` returns it, in the order of the sorted paths, but
        `data` and, with ``write_masks=True``, `masks` are paths as strings, and
        `groups` are names.

    Raises
    ------
    DatasetError
        If `folder` is a file or holds anything already.
    ValueError
        If a number is not positive, or a class or plane is unknown or named twice.

    See Also
    --------
    make_brain_mri : The same in memory.

    Examples
    --------
    >>> import tempfile
    >>> from brain_tumor_clf import write_brain_mri
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scans = write_brain_mri(folder, 8, image_size=48, random_state=0)
    >>> scans.data.shape, scans.target_names
    ((8,), ['glioma', 'meningioma', 'notumor', 'pituitary'])
    """
    size = check_size(image_size, least=24)
    plan = PhantomPlan(n_samples, classes, slices_per_patient, planes, random_state)
    folder = _make_empty_folder(folder)
    rows = [_write_one(folder, plan, i, size, write_masks) for i in range(n_samples)]
    # In the order of the full paths, as load_mri_folder has it.
    columns = map(np.array, zip(*sorted(rows), strict=True))
    file, target, groups, cut_in, mask = columns
    table = pd.DataFrame({"file": file, "label": target, "group": groups})
    table.to_csv(folder / "groups.csv", index=False)
    bunch = Bunch(
        data=_full_paths(folder, file),
        target=target,
        target_names=sorted(plan.classes),
        groups=groups,
        planes=cut_in,
        DESCR=plan.describe(size),
    )
    if write_masks:
        bunch.masks = _full_paths(folder, mask)
    return bunch


def _make_empty_folder(folder):
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise DatasetError(f"{str(folder)!r} is a file; expected an empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    there = sorted(entry.name for entry in folder.iterdir())
    if there:
        raise DatasetError(
            f"{str(folder)!r} is not empty: it holds {', '.join(there[:5])}. "
            "Nothing was written; name a new folder, or empty this one."
        )
    return folder


def _write_one(folder, plan, i, size, write_masks):
    rng = plan.rng(i, 0, plan.slices[i])  # for the file, not for the image
    height, width = (max(int(n * rng.uniform(0.75, 1.25)), 16) for n in size)
    pixels, mask = plan.draw(i, (height, width))
    image = Image.fromarray(_expose(pixels, rng))
    if rng.random() < 0.5:
        image = image.convert("RGB")
    label, group = str(plan.target[i]), f"phantom-{plan.groups[i]:05d}"
    name = f"{label}/{group}-{plan.slices[i] + 1:02d}"
    (folder / label).mkdir(exist_ok=True)
    if rng.random() < 0.7:
        file = f"{name}.jpg"
        image.save(folder / file, quality=int(rng.integers(85, 96)))
    else:
        file = f"{name}.png"
        image.save(folder / file)
    mask_file = f"{_MASK_FOLDER}/{name}.png"
    if write_masks:
        (folder / mask_file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / mask_file)
    return file, label, group, str(plan.planes[i]), mask_file


def _expose(pixels, rng):
    """Make one in four as dark as an unwindowed export, one in four too bright."""
    kind = rng.choice(["dark", "plain", "plain", "bright"])
    if kind == "plain":
        return pixels
    if kind == "dark":
        tones = np.arange(256) * rng.uniform(0.2, 0.45)
    else:
        tones = 255 * (np.arange(256) / 255) ** rng.uniform(0.6, 0.8)
    return np.clip(tones + 0.5, 0, 255).astype(np.uint8)[pixels]


def _full_paths(folder, files):
    return np.array([str(folder / file) for file in files], dtype=object)
