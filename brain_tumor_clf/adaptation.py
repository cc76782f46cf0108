"""Adaptation of a fitted model to labeled scans of another source, without training."""

import copy
import warnings

import keras
import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.classifiers import BaseCNNClassifier, predict_logits
from brain_tumor_clf.exceptions import NoGainWarning
from brain_tumor_clf.networks import correct_logits, stage_layers
from brain_tumor_clf.pipeline import split_image_steps

__all__ = ["adapt", "choose_correction"]

_MIN_CASES = 5  # of a class, and the number of folds
_PENALTIES = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # of the kernel
_BIAS_PENALTY = 0.01
_MIN_GAIN = 2  # standard errors
_MIN_SCALE = 0.01  # of a feature, as a share of the mean of all
_STAGE = -2  # the last feature map but one tells more of other sources than the last


def adapt(model, X, y, groups=None, *, random_state=0):
    """Correct the logits of a fitted model with a few labeled scans of another source.

    The network itself stays as it is. Its logits get a linear correction of the means
    of its last feature map but one, by multinomial regression with the logits as offset
    and an L2 penalty that shrinks the correction to zero. Grouped cross-validation on
    the given scans chooses the penalty. The correction is used if it lowers the
    cross-validated log loss by more than two standard errors over cases. All classes
    have the same weight, and all cases of a class.

    Classes without scans here are predicted for the same images as before: only the
    logits of the other classes are corrected, and the largest of those is kept. With
    ``test_time_augmentation="mirror"`` this holds for either view of an image.

    Parameters
    ----------
    model : fitted classifier
        A classifier of this package with a network, alone, in a pipeline after image
        transformers, or in a `SelectiveClassifier`. It is not changed.
    X : sequence of n images
        What `model` takes, usually paths.
    y : array-like of shape (n,)
        Labels, of at least two classes of the model. A class that the model rejects
        may be among them.
    groups : array-like of shape (n,), default=None
        Case (patient) of each image. None takes each image for a case: pass groups if
        there are several images of a patient.
    random_state : int, RandomState instance or None, default=0
        Seed of the folds.

    Returns
    -------
    classifier
        A model of the same kind, with a record of the adaptation in
        ``metadata_["adaptation"]``; or `model` itself if there was no gain.

    Raises
    ------
    TypeError
        If `model` has no network of this package, or more than one.
    ValueError
        If `y` has a label that the model does not know, fewer than two classes, or a
        class of fewer than 5 cases; if `groups` has missing values.
    ImageReadError
        If images cannot be read; it lists all of them.

    Warns
    -----
    NoGainWarning
        If the adapted model was not better than `model`, which is returned unchanged.

    Notes
    -----
    Probabilities after an adaptation are those of scans like the given ones, with
    classes equally frequent. Scans of the sources that the model was trained on may be
    classified worse than before.

    Examples
    --------
    Phantoms that are darker than those of the training stand for another hospital:

    >>> from brain_tumor_clf import SimpleCNNClassifier, adapt, make_brain_mri
    >>> X, y = make_brain_mri(96, 32, random_state=0, return_X_y=True)
    >>> cnn = SimpleCNNClassifier(filters=(4, 8), epochs=8, random_state=0).fit(X, y)
    >>> adapted = adapt(cnn, X // 4, y)
    >>> bool(adapted.score(X // 4, y) > cnn.score(X // 4, y))
    True
    """
    check_is_fitted(model)
    transformers, classifier, layer = _find_classifier(model)
    X, y = check_image_collection(X), column_or_1d(y)
    groups = column_or_1d(np.arange(len(X)) if groups is None else groups)
    check_consistent_length(X, y, groups)
    if n_missing := pd.isna(groups).sum():
        raise ValueError(
            f"groups has {n_missing} missing values. An image whose case is not known "
            "needs a group of its own."
        )
    positions, codes = _encode_labels(y, groups, classifier.classes_)
    for transformer in transformers:
        X = transformer.transform(X)
    features, logits = _embed(classifier, layer, X)
    kernel, bias, record = choose_correction(
        features, logits[:, positions], codes, groups, random_state=random_state
    )
    record = {"images": len(y), "cases": _count_cases(y, groups), **record}
    if record["penalty"] is None:
        before, after = record["log_loss"]
        warnings.warn(
            f"No gain was found on {len(y)} scans: the cross-validated log loss is "
            f"{before:.3f}, and {after:.3f} with the best correction (standard error "
            f"of the difference {record['standard_error_of_gain']:.3f}). The model is "
            "returned unchanged.",
            NoGainWarning,
            stacklevel=2,
        )
        return model
    return _corrected(model, classifier, layer, kernel, bias, positions, record)


def choose_correction(features, logits, codes, groups, *, random_state=0):
    """Choose a correction of logits by grouped cross-validation, as `adapt` does.

    Features are (n, d), logits (n, k) of the classes that `codes` (0 to k - 1) name,
    groups the cases. Returns kernel (d, k) and bias (k,) of ``features @ kernel +
    bias``, which is to be added to the logits (0 without a gain), and a record: the
    penalty (None without a gain), and the cross-validated scores without and with it.
    """
    data = (features, logits, codes, groups)
    losses, right = _cross_validate(*data, random_state)
    means = [_mean_by_class(loss, codes, groups)[0] for loss in losses]
    best = 1 + int(np.argmin(means[1:]))
    gain, error = _mean_by_class(losses[0] - losses[best], codes, groups)
    has_gain = gain > _MIN_GAIN * error
    record = {
        "penalty": _PENALTIES[best - 1] if has_gain else None,
        "log_loss": [means[0], means[best]],
        "standard_error_of_gain": error,
        "balanced_accuracy": [
            _mean_by_class(right[i], codes, groups)[0] for i in (0, best)
        ],
    }
    kernels, biases = _fit_corrections(*data)
    return kernels[best - 1] * has_gain, biases[best - 1] * has_gain, record


def _find_classifier(model):
    """Return a model's image transformers, its classifier, and the layer to use."""
    transformers, classifier = split_image_steps(model)
    network = getattr(classifier, "model_", None)
    stages = stage_layers(network) if hasattr(network, "operations") else []
    if not (isinstance(classifier, BaseCNNClassifier) and stages):
        raise TypeError(
            "adapt needs a classifier of this package with one functional network, "
            "such as TransferCNNClassifier, alone or after image transformers in a "
            f"pipeline; got {type(classifier).__name__}."
        )
    return transformers, classifier, stages[max(_STAGE, -len(stages))]


def _encode_labels(y, groups, classes):
    """Return the positions of the given classes among all, and labels as codes."""
    known = classes.tolist()
    unknown = sorted(set(y.tolist()) - set(known), key=str)
    if unknown:
        raise ValueError(
            f"y has labels that the model does not know: {_join(unknown)}. It knows "
            f"{_join(known)}. Rename these labels, or leave their scans out."
        )
    given, codes = np.unique(y, return_inverse=True)
    if len(given) < 2:
        raise ValueError(f"y must have at least two classes, got {_join(given)} alone.")
    cases = _count_cases(y, groups)
    few = {label: n for label, n in cases.items() if n < _MIN_CASES}
    if few:
        found = _join(f"{label} {n}" for label, n in few.items())
        raise ValueError(
            f"Each class needs at least {_MIN_CASES} cases (groups), got {found}. Add "
            "cases, or leave out the class: it is then predicted as before."
        )
    return [known.index(label) for label in given.tolist()], codes


def _join(values):
    return ", ".join(map(str, values))


def _count_cases(y, groups):
    return {str(label): len(np.unique(groups[y == label])) for label in np.unique(y)}


def _embed(classifier, layer, X):
    """Return features (n, d) and logits (n, n_classes) of images, as float64."""
    network = classifier.model_
    features = keras.layers.GlobalAveragePooling2D(dtype="float32")(layer.output)
    both = keras.ops.concatenate([features, network.output], axis=-1)
    probe = keras.Model(network.inputs, both)
    X = classifier._check_images(X, reset=False)
    mirror = classifier.test_time_augmentation == "mirror"
    found = predict_logits(probe, X, classifier.batch_size, mirror).astype(np.float64)
    n_outputs = network.output_shape[-1]
    features, logits = np.split(found, [-n_outputs], axis=1)
    return features, np.pad(logits, [(0, 0), (n_outputs == 1, 0)])


def _fit_corrections(features, logits, codes, groups):
    """Return kernels (d, k) and biases (k,) for each penalty, the largest first."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.maximum(scale, _MIN_SCALE * scale.mean()) * np.sqrt(len(scale)) + 1e-12
    inputs = (features - mean) / scale
    weights = _case_weights(codes, groups)[:, None]
    k = logits.shape[1]
    truth = np.eye(k)[codes]

    def objective(flat, penalty):
        kernel, bias = flat[k:].reshape(-1, k), flat[:k]
        log_p = log_softmax(logits + inputs @ kernel + bias, axis=1)
        loss = -(weights * truth * log_p).sum()
        loss += (penalty * (kernel**2).sum() + _BIAS_PENALTY * (bias**2).sum()) / 2
        slope = weights * (np.exp(log_p) - truth)
        slopes = [slope.sum(axis=0) + _BIAS_PENALTY * bias]
        slopes += [(inputs.T @ slope + penalty * kernel).ravel()]
        return loss, np.concatenate(slopes)

    kernels, biases = [], []
    flat = np.zeros(k + inputs.shape[1] * k)
    for penalty in _PENALTIES:
        flat = minimize(objective, flat, penalty, jac=True, method="L-BFGS-B").x
        kernel = flat[k:].reshape(-1, k) / scale[:, None]
        kernels.append(kernel)
        biases.append(flat[:k] - mean @ kernel)
    return np.array(kernels), np.array(biases)


def _case_weights(codes, groups):
    """Return weights of images: classes weigh the same, and cases within a class."""
    table = pd.DataFrame({"code": codes, "group": groups})
    n_images = table.groupby(["code", "group"])["code"].transform("size")
    n_cases = table.groupby("code")["group"].transform("nunique")
    weights = (1 / (n_images * n_cases)).to_numpy()
    return weights / weights.sum()


def _cross_validate(features, logits, codes, groups, random_state):
    """Return out-of-fold log losses, and what is right: (1 + n_penalties, n) each.

    The first row is of the logits as they are.
    """
    folds = StratifiedGroupKFold(_MIN_CASES, shuffle=True, random_state=random_state)
    scores = np.repeat(logits[None], 1 + len(_PENALTIES), axis=0)
    for train, test in folds.split(features, codes, groups):
        parts = (part[train] for part in (features, logits, codes, groups))
        kernels, biases = _fit_corrections(*parts)
        scores[1:, test] += features[test] @ kernels + biases[:, None]
    own = np.arange(len(codes)), codes
    losses = np.array([-log_softmax(score, axis=1)[own] for score in scores])
    return losses, scores.argmax(axis=2) == codes


def _mean_by_class(values, codes, groups):
    """Return the mean of classes of means of cases, and its standard error."""
    table = pd.DataFrame({"code": codes, "group": groups, "value": values})
    cases = table.groupby(["code", "group"])["value"].mean()
    classes = cases.groupby("code").agg(["mean", "var", "size"])
    variance = (classes["var"] / classes["size"]).sum() / len(classes) ** 2
    return float(classes["mean"].mean()), float(np.sqrt(variance))


def _corrected(model, classifier, layer, kernel, bias, positions, record):
    """Return a copy of a model whose network corrects its logits."""
    adapted = copy.deepcopy(classifier)
    network = adapted.model_
    if network.output_shape[-1] == 1:  # the log-odds of the second class
        kernel, bias, positions = np.diff(kernel), np.diff(bias), [0]
    layer = network.get_layer(layer.name)
    adapted.model_ = correct_logits(network, layer, kernel, bias, positions)
    # Whatever shares the classifier, such as a guard, shares the adapted one.
    result = copy.deepcopy(model, {id(classifier): adapted})
    record["adapted_from"] = getattr(model, "model_id_", None)
    metadata = {**getattr(model, "metadata_", {}), "adaptation": record}
    if isinstance(found := metadata.get("abstention"), dict):
        # The threshold stays; the rates are of the model before.
        rates = ("error_rate", "coverage")
        metadata["abstention"] = {k: v for k, v in found.items() if k not in rates}
    result.metadata_ = metadata
    result.model_id_ = None
    return result
