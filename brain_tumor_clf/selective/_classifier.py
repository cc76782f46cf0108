"""A classifier with an out-of-distribution detector and an abstention threshold."""

from numbers import Real

import numpy as np
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
    """Combine a classifier with what makes it abstain: guards, threshold, reject class.

    `predict` and `predict_proba` answer for every image, so that scikit-learn's tools
    work unchanged. The guards and the threshold take effect in :func:`predict_files`.

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
    reject : label, default=None
        Class of `estimator` that stands for everything that is none of the others, such
        as other diseases. It is never predicted: its probability is spread evenly over
        the other classes, and an image for which it is the most probable one is "none
        of these" in :func:`predict_files`. Scorers of probabilities, and
        ``cross_val_predict`` for probabilities, need a column for each label of `y`:
        where `reject` is among them, use them on `estimator`.
    familiarity : estimator, default=None
        Novelty detector, such as `FamiliarityGuard`, whose ``predict`` gives -1 for a
        scan unlike those of training. `fit` treats it as it treats `guard`.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    guard_ : estimator or None
        The fitted guard.
    familiarity_ : estimator or None
        The fitted novelty detector.
    threshold_ : float or None
        The abstention threshold.
    classes_ : ndarray of shape (n_classes,)
        Class labels without `reject`, in the order of the columns of `predict_proba`.
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
        "reject": "no_validation",
        "familiarity": [HasMethods(["fit", "predict"]), None],
    }

    def __init__(
        self, estimator, guard=None, threshold=None, *, reject=None, familiarity=None
    ):
        self.estimator = estimator
        self.guard = guard
        self.threshold = threshold
        self.reject = reject
        self.familiarity = familiarity

    def fit(self, X, y, **params):
        """Fit clones of the classifier and of the guards.

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

        Raises
        ------
        ValueError
            If a parameter is out of range, or `reject` is not a class of `estimator`.
        """
        self._validate_params()
        if sklearn.get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).estimator.fit
        self.estimator_ = _thawed(clone(self.estimator).fit(X, y, **params))
        classes = self.estimator_.classes_
        if self.reject is not None and self.reject not in classes.tolist():
            numbered = np.array_equal(classes, np.arange(len(classes)))
            hint = (
                " If cross_val_predict numbered the labels, as it does for "
                "probabilities, give it the classifier inside."
            )
            raise ValueError(
                f"reject={self.reject!r} is not a class of the estimator: "
                f"{classes.tolist()}.{hint if numbered else ''}"
            )
        self.guard_ = self._fit_guard(self.guard, X, y)
        self.familiarity_ = self._fit_guard(self.familiarity, X, y)
        self.threshold_ = self.threshold
        self.classes_ = classes[self._is_known()]
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
        if self.reject is None:
            return self.estimator_.predict(X)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

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
        return self.predict_with_rejection(X)[:, :-1]

    @available_if(_estimator_has("predict_proba"))
    def predict_with_rejection(self, X):
        """Estimate the probability of each class, and of the reject class.

        Parameters
        ----------
        X : sequence of n images
            What the classifier takes.

        Returns
        -------
        ndarray of shape (n, n_classes + 1)
            The columns of `predict_proba`, then the probability of `reject` that is
            spread over them: 0 without a reject class.
        """
        check_is_fitted(self)
        proba = self.estimator_.predict_proba(X)
        known = self._is_known()
        rejected = proba[:, ~known].sum(axis=1, keepdims=True)
        return np.hstack([proba[:, known] + rejected / known.sum(), rejected])

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities, as `predict_proba`."""
        check_is_fitted(self)
        if self.reject is None:
            return self.estimator_.predict_log_proba(X)
        return np.log(self.predict_proba(X))

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Return the decision values of the classifier, of `classes_`."""
        check_is_fitted(self)
        values = self.estimator_.decision_function(X)
        return values if self.reject is None else values[:, self._is_known()]

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

    def _is_known(self):
        """Tell which columns of the classifier are classes of this model."""
        return np.array([label != self.reject for label in self.estimator_.classes_])

    def _fit_guard(self, guard, X, y):
        if guard is None:
            return None
        guard = clone(guard)
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
        # Older files have no reject class and no novelty detector, and a file does
        # not keep metadata of a model inside another.
        state = {"reject": None, "familiarity": None, **state}
        if "estimator_" in state:
            fitted = {"familiarity_": None, "metadata_": {}, "model_id_": None}
            state = {**fitted, **state}
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
