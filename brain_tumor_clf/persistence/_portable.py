"""Make an estimator fit for a file: nothing of this machine, and no circles.

scikit-learn keeps metadata requests (``set_fit_request`` and its kin) in objects that
point back to their estimator, a circle that skops cannot write: they become plain
dicts, and requests again after loading.
"""

import copy

import numpy as np
import sklearn

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._trusted import PACKAGE

_LIVE, _PLAIN = "_metadata_request", "_requests_by_method"
_FOLDERS = ("cache", "memory")
_FROM_FILE = ("model_id_", "metadata_")
_NETWORK = "_network_state"


def portable_copy(estimator, half_precision=False):
    """A copy of an estimator for a file: its networks are plain data."""
    copied = copy.deepcopy(estimator)
    for part in _iter_parts(copied):
        _forget(part)
        if _LIVE in vars(part):
            setattr(part, _PLAIN, _as_plain(vars(part).pop(_LIVE)))
        network = vars(part).get(_NETWORK)
        if half_precision and network is not None:
            network["weights"] = [
                _halved(i, array) for i, array in enumerate(network["weights"])
            ]
    return copied


def settle(estimator):
    """Undo what `portable_copy` did to metadata requests, on a loaded estimator.

    Folders are forgotten again: a file makes no other machine read or write there.
    """
    with sklearn.config_context(enable_metadata_routing=True):
        for part in _iter_parts(estimator):
            _forget(part)
            for method, requests in vars(part).pop(_PLAIN, {}).items():
                getattr(part, f"set_{method}_request")(**requests)


def _forget(part):
    """Leave out folders of this machine and what another file said."""
    for name in _FOLDERS:
        if name in vars(part):
            setattr(part, name, None)
    for name in _FROM_FILE:
        vars(part).pop(name, None)


def _halved(i, array):
    """A float32 array as float16; Keras makes it float32 again when it is given it."""
    if array.dtype != np.float32:
        return array
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    if (np.isinf(half) & np.isfinite(array)).any():
        raise ModelFileError(
            f"weight {i} of its network holds {np.abs(array).max():.3g}, too large for "
            "half_precision=True"
        )
    return half


def _as_plain(live):
    """What was requested, by method: ``{"fit": {"sample_weight": True}}``."""
    plain = {}
    for method, of_method in vars(live).items():
        requests = getattr(of_method, "requests", None) or {}
        requests = {key: value for key, value in requests.items() if value is not None}
        if requests:
            plain[method] = requests
    return plain


def _iter_parts(estimator):
    """Every object of scikit-learn's or this package's inside another, once each."""
    seen, waiting = set(), [estimator]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, (list, tuple, set)):
            waiting += value
        elif isinstance(value, np.ndarray) and value.dtype == object:
            waiting += value.flat
        elif _is_part(value):
            waiting += vars(value).values()
            yield value


def _is_part(value):
    root = type(value).__module__.split(".")[0]
    return root in ("sklearn", PACKAGE) and hasattr(value, "__dict__")
