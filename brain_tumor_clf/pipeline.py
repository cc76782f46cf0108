"""Pipelines from files to a classifier, and what is inside estimators of estimators."""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from brain_tumor_clf._validation import check_image_size
from brain_tumor_clf.preprocessing import (
    HeadCropper,
    ImagePipeline,
    ImageReader,
    ImageResizer,
    ImageTransformer,
    IntensityNormalizer,
)

__all__ = ["first_member", "is_left_out", "make_mri_pipeline", "unwrap"]


def make_mri_pipeline(
    classifier,
    image_size=(224, 224),
    *,
    crop=True,
    normalize="percentile",
    color_mode="grayscale",
    cache=None,
    n_jobs=None,
):
    """Chain reading, cropping, normalizing and resizing with a classifier.

    Parameters
    ----------
    classifier : estimator
        A classifier of this package, or any scikit-learn classifier of images.
    image_size : int or (int, int), default=(224, 224)
        Height and width that the classifier sees, in pixels.
    crop : bool, default=True
        Crop to the bounding box of the head.
    normalize : {"percentile", "clahe"} or None, default="percentile"
        Method of `IntensityNormalizer`; None leaves intensities as they are.
    color_mode : {"grayscale", "rgb"}, default="grayscale"
        Whether images have one channel or three. Networks repeat the gray channel
        where their backbone takes three.
    cache : path or None, default=None
        Folder that keeps each preprocessed image, so that a search reads it once.
    n_jobs : int or None, default=None
        Threads that preprocess; None is one, -1 is one per core.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Steps ``preprocess`` (an `ImagePipeline` of ``read``, ``crop``, ``normalize``
        and ``resize``) and ``classifier``. Parameters are named like
        ``preprocess__crop__margin``.

    Raises
    ------
    ValueError
        If `image_size` is out of range. The steps check the others in ``fit``.

    Examples
    --------
    >>> from brain_tumor_clf import (
    ...     SimpleCNNClassifier, make_brain_mri, make_mri_pipeline
    ... )
    >>> scans = make_brain_mri(n_samples=16, image_size=(48, 48), random_state=0)
    >>> clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> pipe = make_mri_pipeline(clf, image_size=24)
    >>> pipe.fit(scans.data, scans.target).predict(scans.data).shape
    (16,)
    """
    normalizer = "passthrough" if normalize is None else IntensityNormalizer(normalize)
    preprocess = ImagePipeline(
        [
            ("read", ImageReader(color_mode, "auto")),
            ("crop", HeadCropper() if crop else "passthrough"),
            ("normalize", normalizer),
            ("resize", ImageResizer(check_image_size(image_size))),
        ],
        n_jobs=n_jobs,
        cache=cache,
    )
    return Pipeline([("preprocess", preprocess), ("classifier", classifier)])


def unwrap(estimator):
    """Return the estimator inside one wrapper that hands images on, or None.

    Looks inside `FrozenEstimator`, finished searches, classifiers calibrated on one
    split, and fitted meta-estimators with the attribute ``estimator_``.
    """
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if isinstance(estimator, CalibratedClassifierCV):
        calibrated = getattr(estimator, "calibrated_classifiers_", ())
        return calibrated[0].estimator if len(calibrated) == 1 else None
    if hasattr(estimator, "best_estimator_"):
        return estimator.best_estimator_
    # An ensemble's `estimator_`, next to its `estimators_`, is an unfitted template.
    if hasattr(estimator, "estimator_") and not hasattr(estimator, "estimators_"):
        return estimator.estimator_
    return None


def first_member(estimator):
    """Return the first classifier of a vote, a stack or calibration, or None."""
    if isinstance(estimator, CalibratedClassifierCV):
        return estimator.calibrated_classifiers_[0].estimator
    if isinstance(estimator, (VotingClassifier, StackingClassifier)):
        return estimator.estimators_[0]
    return None


def is_left_out(step):
    """Tell whether a step of a pipeline is None or "passthrough"."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def split_image_steps(estimator):
    """Split an estimator into its leading image transformers and what follows them.

    Looks into wrappers that `unwrap` knows and into nested pipelines. What follows is
    a pipeline if other steps than image transformers precede the classifier.
    """
    transformers = []
    while True:
        while (inside := unwrap(estimator)) is not None:
            estimator = inside
        if not isinstance(estimator, Pipeline):
            return transformers, estimator
        for i, (_, step) in enumerate(estimator.steps[:-1]):
            if isinstance(step, ImageTransformer):
                transformers.append(step)
            elif not is_left_out(step):
                return transformers, estimator[i:]
        estimator = estimator.steps[-1][1]
