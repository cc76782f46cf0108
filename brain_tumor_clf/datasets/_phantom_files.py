"""Phantoms as a folder of image files."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.utils import Bunch

from brain_tumor_clf._validation import check_image_size
from brain_tumor_clf.datasets._phantom_imaging import PLANES
from brain_tumor_clf.datasets._phantoms import CLASSES, PhantomPlan
from brain_tumor_clf.exceptions import DatasetError

_SMALLEST = 24  # files go down to three quarters of it
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
    differ, some files are grey and some RGB, some dark and some bright. None of that
    depends on the class. A ``groups.csv`` names each file's patient, so that
    :func:`load_mri_folder` finds the groups.

    Parameters
    ----------
    folder : path-like
        Where to write: a folder that does not exist yet, or an empty one.
    n_samples : int, default=100
        Number of images. Classes take turns.
    image_size : int or (int, int), default=192
        Height and width in pixels, at least 24, about which the files' sizes vary by
        a quarter.
    classes : sequence of str, default=("glioma", "meningioma", "notumor", "pituitary")
        Classes to draw, among these four.
    slices_per_patient : int, default=2
        Number of images of one patient.
    planes : sequence of str, default=("axial", "coronal", "sagittal")
        Planes to cut in, among these three.
    write_masks : bool, default=False
        Whether to write the tumor masks as well: PNG files of 0 and 255 under the same
        names in the hidden sub-folder ``.masks``, where no class is looked for.
    random_state : int, RandomState instance or None, default=None
        Determines the files. Pass an int for the same ones in every call.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n_samples,), dtype object
            Paths of the images as strings, sorted.
        target : ndarray of str of shape (n_samples,)
            Class of each image.
        target_names : list of str
            Class names, sorted.
        groups : ndarray of str of shape (n_samples,)
            Patient of each image.
        planes : ndarray of str of shape (n_samples,)
            Plane of each image.
        masks : ndarray of shape (n_samples,), dtype object
            Paths of the masks; with ``write_masks=True`` only.
        DESCR : str
            What was generated, in words.

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
    size = check_image_size(image_size)
    if min(size) < _SMALLEST:
        raise ValueError(
            f"image_size must be at least {_SMALLEST} pixels a side, "
            f"got {image_size!r}."
        )
    plan = PhantomPlan(n_samples, classes, slices_per_patient, planes, random_state)
    folder = _make_empty_folder(folder)
    rows = [
        _write_phantom(folder, plan, i, size, write_masks) for i in range(len(plan))
    ]
    columns = ["file", "label", "group", "plane", "mask"]
    # In the order of the full paths, as load_mri_folder has it.
    table = pd.DataFrame(sorted(rows), columns=columns)
    table[["file", "label", "group"]].to_csv(folder / "groups.csv", index=False)
    bunch = Bunch(
        data=_full_paths(folder, table["file"]),
        target=table["label"].to_numpy(dtype=str),
        target_names=sorted(plan.classes),
        groups=table["group"].to_numpy(dtype=str),
        planes=table["plane"].to_numpy(dtype=str),
        DESCR=plan.describe(size),
    )
    if write_masks:
        bunch.masks = _full_paths(folder, table["mask"])
    return bunch


def _make_empty_folder(folder):
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise DatasetError(f"{str(folder)!r} is a file; expected an empty folder.")
    if folder.is_dir():
        there = sorted(entry.name for entry in folder.iterdir())
        if there:
            raise DatasetError(
                f"{str(folder)!r} is not empty: it holds {', '.join(there[:5])}. "
                "Nothing was written; name a new folder, or empty this one."
            )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_phantom(folder, plan, i, size, write_masks):
    rng = plan.file_rng(i)
    height, width = (max(int(n * rng.uniform(0.75, 1.25)), 16) for n in size)
    pixels, mask = plan.draw(i, (height, width))
    pixels = _expose(pixels, rng)
    image = Image.fromarray(pixels)
    if rng.random() < 0.5:
        image = image.convert("RGB")
    label, group = str(plan.target[i]), f"phantom-{plan.groups[i]:05d}"
    name = f"{group}-{plan.slices[i] + 1:02d}"
    (folder / label).mkdir(exist_ok=True)
    if rng.random() < 0.7:
        file = f"{label}/{name}.jpg"
        image.save(folder / file, quality=int(rng.integers(85, 96)))
    else:
        file = f"{label}/{name}.png"
        image.save(folder / file)
    mask_file = f"{_MASK_FOLDER}/{label}/{name}.png"
    if write_masks:
        (folder / mask_file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / mask_file)
    return file, label, group, str(plan.planes[i]), mask_file


def _expose(pixels, rng):
    """One in four as dark as an unwindowed export, one in four too bright."""
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
