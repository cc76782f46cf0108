"""Download the public Kaggle set of brain tumor scans, whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from sklearn.datasets import get_data_home

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.datasets._folder import SUBSETS, load_mri_folder
from brain_tumor_clf.exceptions import DatasetDownloadError, DatasetError

_HANDLE = "masoudnickparvar/brain-tumor-mri-dataset"
_PAGE = f"https://www.kaggle.com/datasets/{_HANDLE}"
_MARKER = ".counted.json"
# Version -> images by split and class.
_COUNTS = {
    1: {
        "train": dict(glioma=1321, meningioma=1339, notumor=1595, pituitary=1457),
        "test": dict(glioma=300, meningioma=306, notumor=405, pituitary=300),
    },
}


def fetch_brain_tumor_mri(
    data_home=None, subset="train", download_if_missing=True, version=1
):
    """Load the Kaggle set ``masoudnickparvar/brain-tumor-mri-dataset``.

    It is downloaded once, through kagglehub (``pip install
    "brain-tumor-clf[kaggle]"``), and found on the disk from then on. Version 1 holds
    5,712 training and 1,311 test images of four classes; the counts of every class are
    checked after the download and whenever it is loaded.

    The test images are no independent sample: most share a patient with training
    images, or are copies or mirror images of them. The source names no patients, so
    ``groups`` is None.

    Parameters
    ----------
    data_home : path-like, default=None
        Folder that data sets are kept in, by default scikit-learn's
        (``~/scikit_learn_data``, see :func:`sklearn.datasets.get_data_home`).
    subset : {"train", "test", "all"}, default="train"
        Which part to load. The whole set is downloaded in any case.
    download_if_missing : bool, default=True
        Whether to download the set if it is not on the disk yet.
    version : int, default=1
        Version of the set on Kaggle. Other versions hold other images; only those
        whose counts are known are accepted.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As :func:`load_mri_folder` returns it.

    Raises
    ------
    DatasetDownloadError
        If the set is not on the disk and cannot be downloaded whole, or
        ``download_if_missing=False``. What was downloaded is removed. The message says
        how to download the set by hand.
    DatasetError
        If files of the set on the disk were added or removed since.
    ImportError
        If the set must be downloaded and kagglehub is not installed.
    ValueError
        If `subset` or `version` is unknown.

    References
    ----------
    .. [1] M. Nickparvar, "Brain Tumor MRI Dataset", Kaggle, 2021.

    Examples
    --------
    >>> import tempfile
    >>> from brain_tumor_clf import fetch_brain_tumor_mri
    >>> with tempfile.TemporaryDirectory() as empty:
    ...     fetch_brain_tumor_mri(empty, download_if_missing=False)
    Traceback (most recent call last):
        ...
    brain_tumor_clf.exceptions.DatasetDownloadError: The Kaggle set ... is not in ...
    """
    check_choice("subset", subset, SUBSETS)
    if version not in _COUNTS:
        raise ValueError(
            f"version must be one of {sorted(_COUNTS)}, whose counts are known, got "
            f"{version!r}. To use another one, download it from {_PAGE} and call "
            "load_mri_folder on it."
        )
    home = get_data_home(None if data_home is None else os.fspath(data_home))
    folder = Path(home) / "brain_tumor_mri" / f"version_{version}"
    if not (folder / _MARKER).is_file():
        if not download_if_missing:
            raise DatasetDownloadError(
                f"The Kaggle set {_HANDLE} is not in {folder}, and "
                f"download_if_missing=False. {_by_hand(version)}"
            )
        folder = _download(folder, version)
    scans = load_mri_folder(folder, subset=subset)
    _check_counts(scans.frame, folder, subset, version)
    return scans


def _by_hand(version):
    return (
        f"To download it by hand, open {_PAGE}/versions/{version} in a browser, "
        "download and unpack the archive, and call load_mri_folder('archive', "
        "subset='train') with the folder that holds Training and Testing."
    )


def _download(folder, version):
    """Download next to `folder`, and move there only what is complete."""
    try:
        import kagglehub
    except ImportError as error:
        raise ImportError(
            "Downloading from Kaggle needs kagglehub: pip install "
            f'"brain-tumor-clf[kaggle]". {_by_hand(version)}'
        ) from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as part:
        try:
            got = kagglehub.dataset_download(
                f"{_HANDLE}/versions/{version}",
                output_dir=os.path.join(part, "set"),
                force_download=True,
            )
            got = Path(got)
            scans = load_mri_folder(got, subset="all")
            _check_counts(scans.frame, got, "all", version)
        # Errors of kagglehub, requests, the archive and the disk share no base.
        except Exception as error:
            raise DatasetDownloadError(
                f"The Kaggle set {_HANDLE} could not be downloaded whole "
                f"({type(error).__name__}: {error}). Nothing was kept. "
                f"{_by_hand(version)}"
            ) from error
        if Path(part) not in got.parents:
            # On Kaggle and Colab the set is mounted, not downloaded: leave it there.
            return got
        (got / _MARKER).touch()
        if not (folder / _MARKER).is_file():  # unless another process was faster
            shutil.rmtree(folder, ignore_errors=True)  # left by an interrupted removal
            os.replace(got, folder)
    return folder


def _check_counts(frame, folder, subset, version):
    for split in ("train", "test") if subset == "all" else (subset,):
        by_class = _COUNTS[version][split]
        rows = frame[frame["split"] == split] if subset == "all" else frame
        got = rows["label"].value_counts().sort_index().to_dict()
        if got != by_class:
            raise DatasetError(
                f"{str(folder)!r} holds {len(rows)} {split} images, {got}; version "
                f"{version} has {sum(by_class.values())}, {by_class}. If files were "
                "added or removed, remove the folder to download it again, or load "
                "it as it is with load_mri_folder."
            )
