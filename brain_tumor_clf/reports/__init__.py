"""Reports: whether a data set, and a score on it, can be believed."""

from brain_tumor_clf.reports._audit import audit_dataset
from brain_tumor_clf.reports._compare import Comparison, compare
from brain_tumor_clf.reports._dataset_audit import DatasetAudit
from brain_tumor_clf.reports._evaluate import EvaluationReport, evaluate
from brain_tumor_clf.reports._protocol import RESEARCH_ONLY

__all__ = [
    "RESEARCH_ONLY",
    "Comparison",
    "DatasetAudit",
    "EvaluationReport",
    "audit_dataset",
    "compare",
    "evaluate",
]
