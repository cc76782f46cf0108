"""A classifier with an out-of-distribution detector and an abstention threshold."""

from numbers import Real

import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def _estimator_has(name):
    return lambda self: hasattr(self._inner(), name)


class SelectiveClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Combine a classifier with a guard and an abstention threshold.

    `predict` and `predict_proba` are those of the classifier and answer for every
    image, so that scikit-learn's tools work unchanged. The guard and the threshold
    take effect in :func:`predict_files`.

    Parameters
    ----------
    estimator : estimator
        Classifier of images, usually a pipeline of `make_mri_pipeline`. A
        :class:`~sklearn.frozen.FrozenEstimator` is not fitted again.
    guard : estimator, default=None
        Out-of-distribution detector, such as `ScanGuard`, whose ``predict`` gives -1
        for an image that is not a brain scan. A guard with a parameter `estimator`
        uses the classifier that `fit` has fitted, unless that parameter or the guard
        itself is a `FrozenEstimator`.
    threshold : float, default=None
        Abstention threshold from 0 to 1: an image whose most probable class is less
        probable than this is uncertain. None never abstains.
        :func:`~brain_tumor_clf.metrics.abstention_threshold` chooses one.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    guard_ : estimator or None
        The fitted guard.
    threshold_ : float or None
        The abstention threshold.
    classes_ : ndarray of shape (n_classes,)
        Class labels, in the order of the columns of `predict_proba`.
    metadata_ : dict
        What the model's file says about it; empty for a model from no file.
    model_id_ : str or None
        Identifier of the model's file; None for a model from no file.

    See Also
    --------
    predict_files : Answers for image files, one row per file.
    brain_tumor_clf.load_pretrained : The packaged model, a `SelectiveClassifier`.

    Examples
    --------
    >>> from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri
    >>> from brain_tumor_clf import make_mri_pipeline
    >>> from brain_tumor_clf.selective import SelectiveClassifier
    >>> X, y = make_brain_mri(24, 48, random_state=0, return_X_y=True)
    >>> cnn = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> model = SelectiveClassifier(make_mri_pipeline(cnn, 24), threshold=0.6)
    >>> model.fit(X, y).predict(X).shape
    (24,)
    >>> model["classifier"].n_iter_
    1
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        "guard": [HasMethods(["fit", "predict"]), None],
        "threshold": [Interval(Real, 0, 1, closed="both"), None],
    }

    def __init__(self, estimator, guard=None, threshold=None):
        self.estimator = estimator
        self.guard = guard
        self.threshold = threshold

    def fit(self, X, y, **params):
        """Fit clones of the classifier and of the guard.

        Parameters
        ----------
        X : sequence of n images
            What `estimator` takes.
        y : array-like of shape (n,)
            Class labels.
        **params : dict
            Passed to the classifier's ``fit``, such as ``classifier__groups``; routed
            to it where metadata routing is enabled.

        Returns
        -------
        self : SelectiveClassifier
            The fitted model.
        """
        self._validate_params()
        if sklearn.get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).estimator.fit
        self.estimator_ = _thawed(clone(self.estimator).fit(X, y, **params))
        self.guard_ = None if self.guard is None else self._fit_guard(X, y)
        self.threshold_ = self.threshold
        self.classes_ = self.estimator_.classes_
        self.metadata_, self.model_id_ = {}, None
        return self

    def predict(self, X):
        """Predict a class for every image.

        Parameters
        ----------
        X : sequence of n images
            What the classifier takes.

        Returns
        -------
        ndarray of shape (n,)
            Class labels.
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Estimate the probability of each class for every image.

        Parameters
        ----------
        X : sequence of n images
            What the classifier takes.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities, columns in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities, as `predict_proba`."""
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Return the decision values of the classifier."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    @property
    def named_steps(self):
        """Steps of the pipeline inside, by name."""
        return self._inner().named_steps

    def __getitem__(self, index):
        """Return a step, or a slice, of the pipeline inside."""
        return self._inner()[index]

    def get_metadata_routing(self):
        """Return how metadata are routed to the classifier."""
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(
            estimator=self.estimator, method_mapping=to_fit
        )

    def _inner(self):
        """Return the classifier: the fitted one if there is one."""
        return getattr(self, "estimator_", _thawed(self.estimator))

    def _fit_guard(self, X, y):
        guard = clone(self.guard)
        takes = guard.get_params(deep=False).get("estimator")
        frozen = isinstance(guard, FrozenEstimator) or isinstance(
            takes, FrozenEstimator
        )
        if takes is not None and not frozen:
            guard.set_params(estimator=FrozenEstimator(self.estimator_))
        return _thawed(guard.fit(X, y))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __setstate__(self, state):
        if "estimator_" in state:  # inside another model a file does not keep them
            state = {"metadata_": {}, "model_id_": None, **state}
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        tags.classifier_tags = inner.classifier_tags
        return tags


def _thawed(estimator):
    """Return what a `FrozenEstimator` holds; any other estimator itself."""
    frozen = isinstance(estimator, FrozenEstimator)
    return estimator.estimator if frozen else estimator
