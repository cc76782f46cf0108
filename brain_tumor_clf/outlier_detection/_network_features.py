"""Features of images: their own statistics, and a network's maps at every depth."""

import itertools
import warnings

import keras
import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from brain_tumor_clf._validation import as_object_array, check_image_collection
from brain_tumor_clf.classifiers import BaseCNNClassifier, predict_logits
from brain_tumor_clf.exceptions import BlankImageWarning, HeadNotFoundWarning
from brain_tumor_clf.networks import stage_layers
from brain_tumor_clf.outlier_detection._image_statistics import image_statistics
from brain_tumor_clf.pipeline import first_member, is_left_out, split_image_steps
from brain_tumor_clf.preprocessing import ImagePipeline, ImageReader

_CHUNK = 64  # images in memory at full size at a time


def find_network(estimator):
    """Return a pipeline of an estimator's image transformers and first network.

    The pipeline shares all steps with `estimator`, and no attribute.
    """
    transformers, rest = split_image_steps(estimator)
    while (member := first_member(rest)) is not None:
        more, rest = split_image_steps(member)
        transformers += more
    if not isinstance(rest, BaseCNNClassifier):
        raise TypeError(
            "ScanGuard needs a fitted classifier of this package, such as "
            "TransferCNNClassifier, alone or after image transformers in a pipeline; "
            f"got {type(rest).__name__}."
        )
    if not rest.__sklearn_is_fitted__():
        raise NotFittedError(
            f"This {type(rest).__name__} is not fitted. ScanGuard needs a fitted "
            "classifier; where the guard is cloned, as in a search, pass "
            "FrozenEstimator(classifier) (sklearn.frozen), which stays fitted."
        )
    steps = []
    for transformer in transformers:
        inner = getattr(transformer, "steps", [("", transformer)])
        steps += [step for _, step in inner if not is_left_out(step)]
    if not steps:
        return Pipeline([("classifier", rest)])
    named = [(f"step{i}", step) for i, step in enumerate(steps)]
    return Pipeline([("preprocess", ImagePipeline(named)), ("classifier", rest)])


def _make_probe(network):
    """Return a network that computes mean and spread of each map, and their numbers."""
    pooled = []
    for layer in stage_layers(network):
        maps = keras.ops.cast(layer.output, "float32")
        mean = keras.ops.mean(maps, axis=(1, 2))
        pooled += [keras.ops.concatenate([mean, keras.ops.std(maps, axis=(1, 2))], -1)]
    sizes = [each.shape[-1] for each in pooled]
    output = keras.ops.concatenate(pooled, -1) if len(pooled) > 1 else pooled[0]
    return keras.Model(network.inputs, output), sizes


class ImageFeatures:
    """Read images and compute their features, with a pipeline from `find_network`."""

    def __init__(self, pipeline):
        self._classifier = pipeline[-1]
        network = self._classifier.model_
        self._check_finite(network.get_weights())  # ReLU may turn NaN into 0
        self._probe, self._sizes = _make_probe(network)
        steps = pipeline[0].steps if len(pipeline) > 1 else []
        n_reading = int(bool(steps) and isinstance(steps[0][1], ImageReader))
        self._read = ImagePipeline(steps[:n_reading]) if n_reading else None
        self._prepare = ImagePipeline(steps[n_reading:]) if steps[n_reading:] else None

    @property
    def takes_any_size(self):
        """Whether a step makes all images of one size."""
        return self._prepare is not None

    def chunks(self, X):
        """Yield lists of uint8 arrays; at the end, raise for all unreadable images."""
        X = check_image_collection(X)
        images = (
            map(_as_uint8, X) if self._read is None else self._read.iter_transform(X)
        )
        while True:
            with warnings.catch_warnings():
                # A blank image is what the guard is there to find.
                warnings.simplefilter("ignore", BlankImageWarning)
                chunk = list(itertools.islice(images, _CHUNK))
            if not chunk:
                return
            yield chunk

    def of_images(self, images):
        """Return one array (n, d) of features for each depth, the statistics last."""
        statistics = np.stack([image_statistics(image) for image in images])
        batch = self._classifier._check_images(self._prepared(images), reset=False)
        features = predict_logits(self._probe, batch, self._classifier.batch_size)
        self._check_finite([features])
        cuts = np.cumsum(self._sizes)[:-1]
        return [*np.split(features.astype(np.float32), cuts, axis=1), statistics]

    def _check_finite(self, arrays):
        """Raise a ValueError unless all weights or features are finite."""
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError(
                f"The network of {type(self._classifier).__name__} is not finite: its "
                "training has diverged. Fit it again with a lower learning rate."
            )

    def _prepared(self, images):
        """Return the images as the network sees them."""
        if self._prepare is None:
            return np.stack(images)
        with warnings.catch_warnings():
            # An image without a head is what the guard is there to find.
            warnings.simplefilter("ignore", HeadNotFoundWarning)
            return self._prepare.transform(as_object_array(images))


def _as_uint8(image):
    """Return an image rounded to uint8; a value that is not finite is an error."""
    image = np.asarray(image)
    if image.dtype == np.uint8:
        return image
    if not np.isfinite(image).all():
        raise ValueError("An image has values that are not finite (NaN or infinity).")
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
