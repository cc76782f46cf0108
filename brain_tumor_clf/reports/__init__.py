"""Reports: whether a data set, and a score on it, can be believed."""

from brain_tumor_clf.reports._audit import DatasetAudit, audit_dataset
from brain_tumor_clf.reports._comparison import Comparison
from brain_tumor_clf.reports._evaluation import EvaluationReport
from brain_tumor_clf.reports._folds import fit_parameters
from brain_tumor_clf.reports._models import compare, evaluate
from brain_tumor_clf.reports._render import RESEARCH_ONLY, SEVERITIES
from brain_tumor_clf.reports._report import Protocol

__all__ = [
    "RESEARCH_ONLY",
    "SEVERITIES",
    "Comparison",
    "DatasetAudit",
    "EvaluationReport",
    "Protocol",
    "audit_dataset",
    "compare",
    "evaluate",
    "fit_parameters",
]
