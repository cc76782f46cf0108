"""Phantoms: brain-MRI slices that are drawn, not scanned."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.utils import Bunch, check_random_state

from brain_tumor_clf._validation import check_choice, check_count, check_image_size
from brain_tumor_clf.datasets._phantom_scan import CLASSES, PLANES, draw_scan, expose
from brain_tumor_clf.exceptions import DatasetError

_MASK_FOLDER = ".masks"  # hidden, or it would be read as one more class

_DESCR = """Brain-MRI phantoms
==================

{n} slices of {patients} drawn heads, {height}x{width} pixels, 8 bits: {counts}.

A glioma is an irregular bright ring around a dark core in edema, in the white matter; a
meningioma a round, bright, even mass on the dura; a pituitary tumor lies in the midline
above the skull base. Vessels, fat and sinuses are as bright as a lesion in every class,
and the intensity distribution inside the head is the same.

Phantoms are for tests and teaching. Scores on them say nothing about patients.
"""


def make_brain_mri(
    n_samples=100,
    image_size=(128, 128),
    *,
    classes=CLASSES,
    slices_per_patient=2,
    planes=PLANES,
    return_masks=False,
    return_X_y=False,
    random_state=None,
):
    """Generate brain-MRI phantoms in memory.

    A head is drawn in three dimensions for each patient and cut where its lesion is.
    Image `i` depends on `random_state`, `classes`, `slices_per_patient`, `planes` and
    `image_size`, not on `n_samples`.

    Parameters
    ----------
    n_samples : int, default=100
        Number of images. Classes take turns, so that their numbers differ by one at
        most.
    image_size : int or (int, int), default=(128, 128)
        Height and width in pixels, at least 16.
    classes : sequence of str, default=("glioma", "meningioma", "notumor", "pituitary")
        Classes to draw, among these four.
    slices_per_patient : int, default=2
        Number of images of one patient. They show one anatomy and share a group.
    planes : sequence of str, default=("axial", "coronal", "sagittal")
        Planes to cut in, among these three, each as often as the others.
    return_masks : bool, default=False
        Whether to return the mask of the tumor of each image.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.
    random_state : int, RandomState instance or None, default=None
        Determines the phantoms. Pass an int for the same ones in every call.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like, with `data` (ndarray of uint8 of shape (n_samples, H, W)),
        `target`, `groups` (patient) and `planes` (arrays of shape (n_samples,)),
        `frame` (columns ``label``, ``group`` and ``plane``), `target_names` (sorted),
        `DESCR`, and with ``return_masks=True`` also `masks`
        (ndarray of bool of shape (n_samples, H, W)).

    (data, target) : tuple if ``return_X_y=True``
        The two arrays alone.

    Raises
    ------
    ValueError
        If a number is not positive, or a class or plane is unknown or named twice.

    Examples
    --------
    >>> from brain_tumor_clf import make_brain_mri
    >>> scans = make_brain_mri(8, image_size=64, return_masks=True, random_state=0)
    >>> scans.data.shape, scans.data.dtype
    ((8, 64, 64), dtype('uint8'))
    >>> [str(name) for name in scans.target[:4]]
    ['glioma', 'meningioma', 'notumor', 'pituitary']
    >>> bool(scans.masks[scans.target == "notumor"].any())
    False
    """
    size = _check_size(image_size, least=16)
    plan = _Plan(n_samples, classes, slices_per_patient, planes, random_state)
    data = np.empty((n_samples, *size), dtype=np.uint8)
    masks = np.empty((n_samples, *size), dtype=bool)
    for i in range(n_samples):
        data[i], masks[i] = plan.draw(i, size)
    frame = plan.frame.drop(columns="slice")
    scans = _as_bunch(plan, frame, size, data, masks if return_masks else None)
    return (scans.data, scans.target) if return_X_y else scans


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

    Sizes, shapes, formats, color modes and brightness differ between the files, in
    every class alike. A ``groups.csv`` names each file's patient and plane, which
    :func:`load_mri_folder` reads.

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
        names in the hidden sub-folder ``.masks``.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As of :func:`make_brain_mri`, in the order of the sorted paths; `data` and
        `masks` are paths as strings, and `groups` are names; `frame` has a column
        ``path``, too.

    Raises
    ------
    DatasetError
        If `folder` is a file or holds anything already.
    ValueError
        If a number is not positive, or a class or plane is unknown or named twice.

    Examples
    --------
    >>> import tempfile
    >>> from brain_tumor_clf import write_brain_mri
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scans = write_brain_mri(folder, 8, image_size=48, random_state=0)
    >>> scans.data.shape, scans.target_names
    ((8,), ['glioma', 'meningioma', 'notumor', 'pituitary'])
    """
    size = _check_size(image_size, least=24)
    plan = _Plan(n_samples, classes, slices_per_patient, planes, random_state)
    folder = _make_empty_folder(folder)
    files = [_write_one(folder, plan, i, size, write_masks) for i in range(n_samples)]
    groups = [f"phantom-{group:05d}" for group in plan.frame["group"]]
    table = plan.frame.assign(file=files, group=groups)
    # In the order of the full paths, as load_mri_folder has it.
    table = table.sort_values("file", ignore_index=True)
    columns = ["file", "label", "group", "plane"]
    table.to_csv(folder / "groups.csv", columns=columns, index=False)
    masks = [str(_mask_path(folder, file)) for file in table["file"]]
    masks = np.array(masks, dtype=object) if write_masks else None
    table["path"] = [str(folder / file) for file in table["file"]]
    frame = table[["path", "label", "group", "plane"]]
    return _as_bunch(plan, frame, size, frame["path"].to_numpy(dtype=object), masks)


class _Plan:
    """Label, patient, plane and slice of each phantom, which it draws by number."""

    def __init__(self, n_samples, classes, slices_per_patient, planes, random_state):
        check_count("n_samples", n_samples)
        check_count("slices_per_patient", slices_per_patient)
        self.classes = _check_names("class", classes, CLASSES)
        planes = _check_names("plane", planes, PLANES)
        n_classes, number = len(self.classes), np.arange(n_samples)
        turn = number % n_classes
        # A round is one patient of each class, all their slices.
        rounds, within = np.divmod(number, n_classes * slices_per_patient)
        slices = within // n_classes
        # Shifted by class, or small sets would lack a class in a plane.
        turns = rounds * slices_per_patient + slices + turn
        columns = {
            "label": np.take(self.classes, turn),
            "group": rounds * n_classes + turn,
            "plane": np.take(planes, turns, mode="wrap"),
            "slice": slices,
        }
        self.frame = pd.DataFrame(columns)
        self._seed = int(check_random_state(random_state).randint(2**31 - 1))

    def rng(self, i, *purpose):
        """Return a generator for one purpose of the patient of image `i`."""
        return np.random.default_rng([self._seed, self.frame["group"][i], *purpose])

    def draw(self, i, size):
        """Return image and tumor mask number `i`."""
        row = self.frame.loc[i]
        rngs = self.rng(i), self.rng(i, 1 + row["slice"])
        return draw_scan(row["label"], row["plane"], size, *rngs)


def _as_bunch(plan, frame, size, data, masks):
    """Return phantoms with their description."""
    counts = frame["label"].value_counts().sort_index()
    about = {"n": len(frame), "patients": frame["group"].nunique()}
    about |= {"height": size[0], "width": size[1]}
    about["counts"] = ", ".join(f"{n} {label}" for label, n in counts.items())
    bunch = Bunch(
        data=data,
        target=frame["label"].to_numpy(dtype=str),
        groups=np.asarray(frame["group"].tolist()),
        planes=frame["plane"].to_numpy(dtype=str),
        target_names=sorted(plan.classes),
        frame=frame,
        DESCR=_DESCR.format(**about),
    )
    if masks is not None:
        bunch.masks = masks
    return bunch


def _check_size(image_size, least):
    """Return height and width, each at least `least`."""
    size = check_image_size(image_size)
    if min(size) < least:
        raise ValueError(
            f"image_size must be at least {least} pixels a side, got {image_size!r}."
        )
    return size


def _check_names(kind, names, known):
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    for name in names:
        check_choice(kind, name, known)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Name at least one {kind}, each once, got {names}.")
    return names


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
    """Write one phantom, and return its file below the folder."""
    label, group, _, number = plan.frame.loc[i]
    rng = plan.rng(i, 0, number)  # for the file, not for the image
    height, width = (max(int(n * rng.uniform(0.75, 1.25)), 16) for n in size)
    pixels, mask = plan.draw(i, (height, width))
    image = Image.fromarray(expose(pixels, rng))
    if rng.random() < 0.5:
        image = image.convert("RGB")
    is_jpeg = rng.random() < 0.7
    suffix = "jpg" if is_jpeg else "png"
    file = f"{label}/phantom-{group:05d}-{number + 1:02d}.{suffix}"
    (folder / label).mkdir(exist_ok=True)
    image.save(folder / file, quality=int(rng.integers(85, 96)) if is_jpeg else None)
    if write_masks:
        mask_path = _mask_path(folder, file)
        mask_path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask.astype(np.uint8) * 255).save(mask_path)
    return file


def _mask_path(folder, file):
    return (folder / _MASK_FOLDER / file).with_suffix(".png")
