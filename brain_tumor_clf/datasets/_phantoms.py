"""Phantoms: brain-MRI slices that are drawn, not scanned."""

from numbers import Integral

import numpy as np
from sklearn.utils import Bunch, check_random_state

from brain_tumor_clf._validation import check_choice, check_image_size
from brain_tumor_clf.datasets._phantom_scan import CLASSES, PLANES, draw_scan

_DESCR = """Brain-MRI phantoms
==================

{n} slices of {patients} drawn heads, {height}x{width} pixels, 8 bits: {counts}.

A glioma lies in the white matter, irregular, a bright ring around a dark core, in
edema; a meningioma sits on the dura, round, bright and even; a pituitary tumor lies in
the midline above the skull base. Every class has vessels, fat and sinuses as bright as
a lesion, and the same histograms inside the head, so that intensity statistics do not
tell the classes apart.

Phantoms are for tests, demonstrations and teaching. Nothing that is measured on them
says anything about patients.
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
        With the attributes

        data : ndarray of uint8 of shape (n_samples, H, W)
            The images.
        target : ndarray of str of shape (n_samples,)
            Class of each image.
        target_names : list of str
            Class names, sorted.
        groups : ndarray of int of shape (n_samples,)
            Patient of each image.
        planes : ndarray of str of shape (n_samples,)
            Plane of each image.
        masks : ndarray of bool of shape (n_samples, H, W)
            Where the tumor is; with ``return_masks=True`` only.
        DESCR : str
            What was generated, in words.

    (data, target) : tuple if ``return_X_y=True``
        The two arrays alone.

    Raises
    ------
    ValueError
        If a number is not positive, or a class or plane is unknown or named twice.

    See Also
    --------
    write_brain_mri : The same as a folder of files.

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
    size = check_size(image_size, least=16)
    plan = PhantomPlan(n_samples, classes, slices_per_patient, planes, random_state)
    data = np.empty((n_samples, *size), dtype=np.uint8)
    masks = np.empty((n_samples, *size), dtype=bool)
    for i in range(n_samples):
        data[i], masks[i] = plan.draw(i, size)
    if return_X_y:
        return data, plan.target
    bunch = Bunch(
        data=data,
        target=plan.target,
        target_names=sorted(plan.classes),
        groups=plan.groups,
        planes=plan.planes,
        DESCR=plan.describe(size),
    )
    if return_masks:
        bunch.masks = masks
    return bunch


class PhantomPlan:
    """Which phantom is of which patient, class and plane; draws each by its number."""

    def __init__(self, n_samples, classes, slices_per_patient, planes, random_state):
        _check_positive("n_samples", n_samples)
        _check_positive("slices_per_patient", slices_per_patient)
        self.classes = _check_names("class", classes, CLASSES)
        choices = _check_names("plane", planes, PLANES)
        n_classes, number = len(self.classes), np.arange(n_samples)
        # A round is one patient of each class, all their slices.
        rounds, within = np.divmod(number, n_classes * slices_per_patient)
        self.groups = rounds * n_classes + within % n_classes
        self.slices = within // n_classes
        self.target = np.asarray(self.classes)[number % n_classes]
        turns = rounds * slices_per_patient + self.slices
        # Shifted by class, or small sets would lack a class in a plane.
        self.planes = np.asarray(choices)[(turns + number % n_classes) % len(choices)]
        self._seed = int(check_random_state(random_state).randint(2**31 - 1))

    def rng(self, i, *purpose):
        """Return a generator for one purpose of the patient of image `i`."""
        return np.random.default_rng([self._seed, self.groups[i], *purpose])

    def draw(self, i, size):
        """Return image and tumor mask number `i`."""
        rngs = self.rng(i), self.rng(i, 1 + self.slices[i])
        return draw_scan(self.target[i], self.planes[i], size, *rngs)

    def describe(self, size):
        """Return the set in words."""
        names, counts = np.unique(self.target, return_counts=True)
        return _DESCR.format(
            n=len(self.target),
            patients=len(np.unique(self.groups)),
            height=size[0],
            width=size[1],
            counts=", ".join(f"{n} {c}" for c, n in zip(names, counts, strict=True)),
        )


def check_size(image_size, least):
    """Return height and width, each at least `least`."""
    size = check_image_size(image_size)
    if min(size) < least:
        raise ValueError(
            f"image_size must be at least {least} pixels a side, got {image_size!r}."
        )
    return size


def _check_positive(name, value):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}.")


def _check_names(kind, names, known):
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    for name in names:
        check_choice(kind, name, known)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Name at least one {kind}, each once, got {names}.")
    return names
