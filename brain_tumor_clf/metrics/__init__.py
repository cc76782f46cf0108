"""Clinical rates, calibration, selective risk, and intervals for all of them."""

from brain_tumor_clf.metrics._confidence import (
    abstention_threshold,
    expected_calibration_error,
    reliability_curve,
    risk_coverage_curve,
)
from brain_tumor_clf.metrics._intervals import bootstrap_interval, wilson_interval
from brain_tumor_clf.metrics._rates import (
    check_proba,
    column_of,
    false_alarm_rate,
    per_class_rates,
    sensitivity_at_specificity,
    tumor_miss_rate,
)
from brain_tumor_clf.metrics._scorers import (
    ProbabilityScorer,
    expected_calibration_error_scorer,
    false_alarm_rate_scorer,
    sensitivity_at_specificity_scorer,
    tumor_miss_rate_scorer,
)

__all__ = [
    "ProbabilityScorer",
    "abstention_threshold",
    "bootstrap_interval",
    "check_proba",
    "column_of",
    "expected_calibration_error",
    "expected_calibration_error_scorer",
    "false_alarm_rate",
    "false_alarm_rate_scorer",
    "per_class_rates",
    "reliability_curve",
    "risk_coverage_curve",
    "sensitivity_at_specificity",
    "sensitivity_at_specificity_scorer",
    "tumor_miss_rate",
    "tumor_miss_rate_scorer",
    "wilson_interval",
]
