"""What a fitted classifier's network makes of images, at several depths in one pass."""

import warnings

import keras
import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.classifiers import BaseCNNClassifier, predict_logits
from brain_tumor_clf.exceptions import HeadNotFoundWarning, ImageReadError
from brain_tumor_clf.networks._stages import stage_layers
from brain_tumor_clf.outlier_detection._image_statistics import image_statistics
from brain_tumor_clf.pipeline import first_member, is_left_out, unwrap
from brain_tumor_clf.preprocessing import ImagePipeline, ImageReader, ImageTransformer

_CHUNK = 64  # images in memory at full size at a time


def own_chain(estimator):
    """The image transformers and the classifier of an estimator, as a new pipeline.

    Parameters
    ----------
    estimator : fitted estimator
        A classifier of this package, alone or at the end of a pipeline of image
        transformers; frozen, calibrated, searched for, or the first of a vote.

    Returns
    -------
    sklearn.pipeline.Pipeline
        It shares all steps with `estimator`, and no attribute.

    Raises
    ------
    TypeError
        If it ends in anything else, or images go through anything else.
    sklearn.exceptions.NotFittedError
        If the classifier is not fitted.
    """
    transformers = []
    while not isinstance(estimator, BaseCNNClassifier):
        if isinstance(estimator, Pipeline):
            for _, step in estimator.steps[:-1]:
                transformers += _image_steps(step)
            estimator = estimator.steps[-1][1]
        else:
            estimator = _unwrapped(estimator)
    if not hasattr(estimator, "model_"):
        raise NotFittedError(
            f"This {type(estimator).__name__} is not fitted. ScanGuard takes a fitted "
            "classifier; where it is cloned, as in a search, give it "
            "FrozenEstimator(classifier) (sklearn.frozen), which stays fitted."
        )
    steps = [(f"step{i}", step) for i, step in enumerate(transformers)]
    chain = [("preprocess", ImagePipeline(steps))] if steps else []
    return Pipeline([*chain, ("classifier", estimator)])


def _image_steps(step):
    if is_left_out(step):
        return []
    if isinstance(step, ImagePipeline):
        return [inner for _, part in step.steps for inner in _image_steps(part)]
    if isinstance(step, ImageTransformer):
        return [step]
    raise TypeError(
        "ScanGuard needs image transformers and then a classifier of this package; "
        f"got a {type(step).__name__} between them."
    )


def _unwrapped(estimator):
    """What is inside one wrapper around a classifier."""
    # Of several networks the first looks as well as any.
    for inside in (unwrap(estimator), first_member(estimator)):
        if inside is not None:
            return inside
    raise TypeError(
        "ScanGuard looks through the network of a fitted classifier of this package, "
        "such as TransferCNNClassifier, alone or at the end of a pipeline; got "
        f"{type(estimator).__name__}."
    )


def make_probe(network):
    """A network of the same layers that puts out pooled maps of every resolution.

    Returns
    -------
    keras.Model
        To ``(n, sum of sizes)``, float32.
    sizes : list of int
        Numbers of features of each resolution: the mean of each map and its spread.
    """
    pooled = []
    for layer in stage_layers(network):
        maps = keras.ops.cast(layer.output, "float32")
        mean = keras.ops.mean(maps, axis=(1, 2))
        pooled += [keras.ops.concatenate([mean, keras.ops.std(maps, axis=(1, 2))], -1)]
    sizes = [each.shape[-1] for each in pooled]
    output = keras.ops.concatenate(pooled, -1) if len(pooled) > 1 else pooled[0]
    return keras.Model(network.inputs, output), sizes


class ImageFeatures:
    """Read images, and describe them as they are and as the network sees them.

    Parameters
    ----------
    chain : Pipeline
        From `own_chain`.
    """

    def __init__(self, chain):
        self.classifier = chain[-1]
        self._probe, self._sizes = make_probe(self.classifier.model_)
        steps = chain.steps[0][1].steps if len(chain) > 1 else []
        n_reading = int(bool(steps) and isinstance(steps[0][1], ImageReader))
        self._read = ImagePipeline(steps[:n_reading]) if n_reading else None
        self._prepare = ImagePipeline(steps[n_reading:]) if steps[n_reading:] else None

    @property
    def takes_any_size(self):
        """Whether a step makes all images of one size."""
        return self._prepare is not None

    def chunks(self, X):
        """The images of `X` as arrays, some at a time.

        Yields
        ------
        list of ndarray of shape (H, W) or (H, W, C), uint8

        Raises
        ------
        ImageReadError
            At the end, of all images that cannot be read.
        """
        X = check_image_collection(X)
        failures = {}
        for start in range(0, len(X), _CHUNK):
            chunk = X[start : start + _CHUNK]
            if self._read is None:
                yield [_as_uint8(image) for image in chunk]
                continue
            try:
                images = list(self._read.transform(chunk))
            except ImageReadError as error:
                failures.update(
                    {start + i: failure for i, failure in error.failures.items()}
                )
            if not failures:
                yield images
        if failures:
            raise ImageReadError(failures, len(X))

    def of_images(self, images):
        """Features of a few images: one array ``(n, d)`` a depth, the image's last."""
        statistics = np.stack([image_statistics(image) for image in images])
        batch = self._prepared(images)
        batch = self.classifier._check_images(batch, reset=False)
        features = predict_logits(self._probe, batch, self.classifier.batch_size)
        cuts = np.cumsum(self._sizes)[:-1]
        return [*np.split(features.astype(np.float32), cuts, axis=1), statistics]

    def _prepared(self, images):
        if self._prepare is None:
            return np.stack(images)
        collection = np.empty(len(images), dtype=object)
        collection[:] = images
        with warnings.catch_warnings():
            # That there is no head is what the guard is to find out.
            warnings.simplefilter("ignore", HeadNotFoundWarning)
            return self._prepare.transform(collection)


def _as_uint8(image):
    image = np.asarray(image)
    if image.dtype == np.uint8:
        return image
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
