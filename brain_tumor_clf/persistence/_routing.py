"""Metadata requests (``set_fit_request`` and its kin) as plain data, and back.

scikit-learn keeps them in objects that point back to their estimator, a circle that
skops cannot write.
"""

from contextlib import contextmanager

import numpy as np
import sklearn

from brain_tumor_clf.persistence._trusted import PACKAGE

_LIVE, _PLAIN = "_metadata_request", "_requests_by_method"


@contextmanager
def plain_requests(estimator):
    """While it is saved, have all requests inside an estimator as plain dicts."""
    kept = []
    try:
        for part in list(_iter_parts(estimator, set())):
            if _LIVE in vars(part):
                live = vars(part).pop(_LIVE)
                kept.append((part, live))
                setattr(part, _PLAIN, _as_plain(live))
        yield
    finally:
        for part, live in kept:
            vars(part).pop(_PLAIN, None)
            setattr(part, _LIVE, live)


def restore_requests(estimator):
    """Request again what `plain_requests` wrote down."""
    with sklearn.config_context(enable_metadata_routing=True):
        for part in list(_iter_parts(estimator, set())):
            for method, requests in vars(part).pop(_PLAIN, {}).items():
                getattr(part, f"set_{method}_request")(**requests)


def _as_plain(live):
    """What was requested, by method: ``{"fit": {"sample_weight": True}}``."""
    plain = {}
    for method, of_method in vars(live).items():
        requests = getattr(of_method, "requests", None) or {}
        requests = {key: value for key, value in requests.items() if value is not None}
        if requests:
            plain[method] = requests
    return plain


def _iter_parts(value, seen):
    """Every object of scikit-learn's or this package's inside another, once each."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, (list, tuple, set)):
        inner = value
    elif isinstance(value, np.ndarray) and value.dtype == object:
        inner = value.flat
    elif _is_part(value):
        yield value
        # A copy: whoever iterates may add and remove attributes.
        inner = list(vars(value).values())
    else:
        return
    for item in inner:
        yield from _iter_parts(item, seen)


def _is_part(value):
    root = type(value).__module__.split(".")[0]
    return root in ("sklearn", PACKAGE) and hasattr(value, "__dict__")
