"""The metrics as scorers, for ``GridSearchCV(scoring=…)`` and its kin.

Each takes the healthy class to be "notumor". For another name make one's own:
``make_scorer(tumor_miss_rate, greater_is_better=False, healthy="healthy")``, or
``ProbabilityScorer(sensitivity_at_specificity, healthy="healthy")``.
"""

from sklearn.metrics import make_scorer

from brain_tumor_clf.metrics._calibration import expected_calibration_error
from brain_tumor_clf.metrics._clinical import (
    false_alarm_rate,
    sensitivity_at_specificity,
    tumor_miss_rate,
)


class ProbabilityScorer:
    """A scorer of probabilities that knows the classes of their columns.

    scikit-learn's own takes the columns to be the classes of `y_true`, and a fold may
    lack one.

    Parameters
    ----------
    metric : callable
        Called as ``metric(y_true, y_proba, classes=estimator.classes_, **options)``.
    greater_is_better : bool, default=True
        Whether the score is the metric, or its negative.
    **options : dict
        Given to the metric.

    Examples
    --------
    >>> from brain_tumor_clf.metrics import (
    ...     ProbabilityScorer, sensitivity_at_specificity
    ... )
    >>> ProbabilityScorer(sensitivity_at_specificity, specificity=0.99)
    ProbabilityScorer(sensitivity_at_specificity, specificity=0.99)
    """

    def __init__(self, metric, *, greater_is_better=True, **options):
        self.metric = metric
        self.greater_is_better = greater_is_better
        self.options = options

    def __call__(self, estimator, X, y_true):
        value = self.metric(
            y_true,
            estimator.predict_proba(X),
            classes=estimator.classes_,
            **self.options,
        )
        return value if self.greater_is_better else -value

    def __repr__(self):
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"{type(self).__name__}({self.metric.__name__}{options})"


tumor_miss_rate_scorer = make_scorer(tumor_miss_rate, greater_is_better=False)
false_alarm_rate_scorer = make_scorer(false_alarm_rate, greater_is_better=False)
sensitivity_at_specificity_scorer = ProbabilityScorer(sensitivity_at_specificity)
expected_calibration_error_scorer = ProbabilityScorer(
    expected_calibration_error, greater_is_better=False
)
