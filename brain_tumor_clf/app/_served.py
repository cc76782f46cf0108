"""The model that the app serves: one for all sessions, used by one at a time."""

import contextlib
import threading
from dataclasses import dataclass, field

import numpy as np

from brain_tumor_clf.app._metadata import read_abstention, read_reliability

_served = None
_lock = threading.Lock()


@dataclass(eq=False)
class ServedModel:
    """A fitted classifier of image files, and what its file says about it.

    Parameters
    ----------
    pipeline : fitted classifier
        With ``predict_proba``, of a sequence of files as bytes.
    name : str
        How pages call it.

    Raises
    ------
    TypeError
        If it gives no probabilities.
    """

    pipeline: object
    name: str
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self):
        if not hasattr(self.pipeline, "predict_proba"):
            raise TypeError(
                f"{self.name} gives no probabilities (predict_proba), which the app "
                "shows; calibrate it, or use `predict`."
            )
        metadata = getattr(self.pipeline, "metadata_", None)
        self.metadata = metadata if isinstance(metadata, dict) else {}
        self.abstention = read_abstention(self.metadata)
        self.reliability = read_reliability(self.metadata)
        self.model_id = getattr(self.pipeline, "model_id_", None) or "not saved"
        self.labels = [str(label) for label in self.pipeline.classes_.tolist()]

    @property
    def has_guard(self):
        """Whether it can tell that an image is no brain scan."""
        return getattr(self.pipeline, "guard_", None) is not None

    def predict_proba(self, files):
        """Probabilities ``(n, n_classes)`` of files given as bytes."""
        with self._lock:
            return np.asarray(self.pipeline.predict_proba(files))

    def are_scans(self, files):
        """Which files the guard takes for brain scans; all, if there is no guard."""
        if not self.has_guard:
            return np.ones(len(files), dtype=bool)
        with self._lock:
            return np.asarray(self.pipeline.guard_.predict(files)) == 1

    def explain(self, file, label):
        """Heat map ``(H, W)``, from 0 to 1, of what speaks for a class in a file.

        Raises
        ------
        TypeError
            If the model is no network of this package.
        """
        from brain_tumor_clf.inspection import grad_cam

        target = self.pipeline.classes_[self.labels.index(label)]
        with self._lock:
            return grad_cam(self.pipeline, [file], target)[0]

    def warm_up(self):
        """Do all of it once, so that the first visitor need not wait for it."""
        from brain_tumor_clf.app._phantom import draw_phantom

        file = draw_phantom("glioma", 0)
        self.are_scans([file])
        self.predict_proba([file])
        # That it can't be explained is said where a visitor asks for it.
        with contextlib.suppress(TypeError, NotImplementedError):
            self.explain(file, self.labels[0])


def serve_model(model):
    """Make a `ServedModel` the one that sessions of this process use."""
    global _served
    _served = model


def served_model():
    """The model that is served; the packaged one unless another was chosen."""
    with _lock:
        if _served is None:
            from brain_tumor_clf import load_pretrained

            serve_model(ServedModel(load_pretrained(), "the packaged model"))
    return _served
