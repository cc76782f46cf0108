"""The metrics as scorers, for `GridSearchCV` and `cross_val_score`.

They expect the healthy class to be called "notumor". For another name, use
``make_scorer(tumor_miss_rate, greater_is_better=False, healthy="healthy")`` or
``ProbabilityScorer(sensitivity_at_specificity, healthy="healthy")``.
"""

from sklearn.metrics import make_scorer

from brain_tumor_clf.metrics._confidence import expected_calibration_error
from brain_tumor_clf.metrics._rates import (
    false_alarm_rate,
    sensitivity_at_specificity,
    tumor_miss_rate,
)


class ProbabilityScorer:
    """Score predicted probabilities, passing the classes of their columns on.

    Unlike scikit-learn's scorers of probabilities, it works on folds in which a class
    does not occur.

    Parameters
    ----------
    metric : callable
        Called as ``metric(y_true, y_proba, classes=estimator.classes_, **options)``.
    greater_is_better : bool, default=True
        Whether the score is the metric or its negative.
    **options : dict
        Further arguments of the metric.

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
