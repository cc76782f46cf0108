"""load_pretrained: the packaged model."""

import warnings

import skops.io  # noqa: F401  # it searches all loaded modules: few before Keras

from brain_tumor_clf.exceptions import ModelVersionWarning
from brain_tumor_clf.networks import packaged_model_file
from brain_tumor_clf.persistence import load


def load_pretrained(name="brain-mri-multisource"):
    """Load a trained model that classifies brain-MRI slices, without any download.

    Research and non-commercial use only; not a medical device. Its model card,
    ``load_pretrained().metadata_["model_card"]``, says what it was trained on, how it
    scores on patients and hospitals never seen and what it must not be used for.

    Parameters
    ----------
    name : str, default="brain-mri-multisource"
        Which model. "brain-mri-multisource" is an EfficientNet-Lite0 that was
        fine-tuned on scans of eleven sources.

    Returns
    -------
    SelectiveClassifier
        Fitted, of files or images of any size. Its attributes:

        - ``classes_``: "glioma", "meningioma", "notumor" and "pituitary";
        - ``estimator_``: a :class:`~sklearn.pipeline.Pipeline` of ``preprocess`` and
          ``classifier``, a `TransferCNNClassifier` of five classes. Indexing and
          ``named_steps`` are those of this pipeline;
        - ``reject``: the fifth class, "other", for other diseases. It is no answer:
          its probability is spread over the four;
        - ``guard_``: a fitted `ScanGuard` that tells scans from other images;
        - ``familiarity_``: a fitted `FamiliarityGuard` that tells scans like those of
          training from unfamiliar ones;
        - ``threshold_``: the abstention threshold;
        - ``metadata_``: a dict with the model card, the terms of use and the choice of
          the threshold;
        - ``model_id_``: the identifier of the file.

    Raises
    ------
    ValueError
        If there is no such model; the message names the nearest.
    ModelFileError
        If the file is missing or damaged.

    See Also
    --------
    predict_files : Answers for image files, with the guards and the threshold.
    adapt : Fit it to labeled scans of another source.
    TransferCNNClassifier : ``weights="brain-mri-multisource"`` starts training from it.
    make_recipe : The recipe "robust", which it was trained with.

    Notes
    -----
    It was trained on images of the public Kaggle set
    ``masoudnickparvar/brain-tumor-mri-dataset`` and of ten other sources. A score on
    these, or on any set that shares patients with them, is inflated by leakage.

    Examples
    --------
    >>> from brain_tumor_clf import load_pretrained, make_brain_mri
    >>> model = load_pretrained()
    >>> model.classes_.tolist()
    ['glioma', 'meningioma', 'notumor', 'pituitary']
    >>> phantoms = make_brain_mri(n_samples=3, random_state=0).data
    >>> model.predict_proba(phantoms).shape
    (3, 4)
    >>> model.guard_.predict(phantoms)  # drawn, not scanned
    array([-1, -1, -1])
    """
    with warnings.catch_warnings():
        # Its parts are the package's own, and every release is tested with it.
        warnings.simplefilter("ignore", ModelVersionWarning)
        return load(packaged_model_file(name))
