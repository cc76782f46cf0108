"""load_pretrained: the model in the box as a fitted pipeline."""

import warnings

import skops.io  # noqa: F401  # it searches all loaded modules: few before Keras

from brain_tumor_clf.exceptions import ModelVersionWarning
from brain_tumor_clf.networks import packaged_model_file
from brain_tumor_clf.persistence import load


def load_pretrained(name="brain-mri-lite0"):
    """A trained pipeline that classifies brain-MRI slices, without any download.

    Research only; not a medical device. What it was trained on, how well it does on
    patients never seen and what it must not be used for is in its model card,
    ``load_pretrained().metadata_["model_card"]``.

    Parameters
    ----------
    name : str, default="brain-mri-lite0"
        Which model: "brain-mri-lite0", a stack of a fine-tuned EfficientNet-Lite0 and
        a linear model on features of a frozen one.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fitted; of files, or images of any size, to the classes "glioma",
        "meningioma", "notumor" and "pituitary". Its one step, ``classifier``, is a
        `StackingClassifier` of two pipelines, ``fine_tuned`` and ``linear``.
        Attributes beside scikit-learn's: ``model_id_``; ``metadata_`` (dict: the model
        card, the abstention threshold, the reliability of its probabilities); and
        ``guard_``, a fitted `ScanGuard` that tells scans from other images.

    Raises
    ------
    ValueError
        If there is no such model; the message names the nearest.
    ModelFileError
        If the file is missing or damaged.

    See Also
    --------
    TransferCNNClassifier : ``weights="brain-mri"`` starts a training from this model.
    make_recipe : The recipes by which its two members were trained.

    Notes
    -----
    It was trained on images of the public Kaggle set
    ``masoudnickparvar/brain-tumor-mri-dataset``: a score on that set, or on any that
    shares patients with it, measures memory.

    Examples
    --------
    >>> from brain_tumor_clf import load_pretrained, make_brain_mri
    >>> pipe = load_pretrained()
    >>> pipe.classes_.tolist()
    ['glioma', 'meningioma', 'notumor', 'pituitary']
    >>> phantoms = make_brain_mri(n_samples=3, random_state=0).data
    >>> pipe.predict_proba(phantoms).shape
    (3, 4)
    >>> pipe.guard_.predict(phantoms)  # drawn, not scanned
    array([-1, -1, -1])
    """
    with warnings.catch_warnings():
        # Its parts are the package's own, and every release is tested with it.
        warnings.simplefilter("ignore", ModelVersionWarning)
        return load(packaged_model_file(name))
