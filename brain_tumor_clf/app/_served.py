"""The model that the app serves: one for all sessions, used by one at a time."""

import contextlib
import threading
from collections import deque

from brain_tumor_clf.app._images import draw_phantom
from brain_tumor_clf.app._metadata import read_reliability
from brain_tumor_clf.selective import as_selective, predict_files, read_abstention

_served = None
_lock = threading.Lock()


class Queue:
    """Admit one visitor's work at a time, first come, first served."""

    def __init__(self):
        self._tickets = deque()  # the first one is at work
        self._moved = threading.Condition()

    @contextlib.contextmanager
    def turn(self, on_wait=lambda n_ahead: None):
        """Wait for a turn, and hold it.

        `on_wait` is called about once a second with the number of those ahead. What it
        raises, as Streamlit does when a visitor leaves, gives up the place.
        """
        ticket = object()
        with self._moved:
            self._tickets.append(ticket)
        try:
            while n_ahead := self._count_ahead(ticket):
                on_wait(n_ahead)
                with self._moved:
                    if self._tickets[0] is not ticket:
                        self._moved.wait(timeout=1)
            yield
        finally:
            with self._moved:
                self._tickets.remove(ticket)
                self._moved.notify_all()

    def _count_ahead(self, ticket):
        with self._moved:
            return self._tickets.index(ticket)


class ServedModel:
    """A fitted classifier of image files, and what its file says about it.

    Its methods are called in a turn of `queue`. The model needs ``predict_proba``.
    """

    def __init__(self, model, name):
        if not hasattr(model, "predict_proba"):
            raise TypeError(
                f"{name} gives no probabilities (predict_proba), which the app shows; "
                "calibrate it, or use `predict`."
            )
        self.model = as_selective(model)
        self.name = name
        self.labels = [str(label) for label in self.model.classes_.tolist()]
        self.metadata = self.model.metadata_
        self.model_id = self.model.model_id_ or "not saved"
        self.threshold = self.model.threshold_
        self.abstention = read_abstention(self.metadata)
        self.reliability = read_reliability(self.metadata)
        self.has_guard = self.model.guard_ is not None
        self.queue = Queue()

    def predict_files(self, files, *, guard=True):
        """Return the answers to files, bytes or arrays, as `predict_files` does."""
        return predict_files(self.model, files, guard=guard)

    def explain(self, file, label):
        """Compute the heat map ``(H, W)``, from 0 to 1, of a class in a file."""
        from brain_tumor_clf.inspection import grad_cam

        target = self.model.classes_[self.labels.index(label)]
        return grad_cam(self.model, [file], target)[0]

    def warm_up(self):
        """Do everything once, so that the first visitor does not wait for it."""
        file = draw_phantom("glioma", 0)
        self.predict_files([file])
        self.predict_files([file], guard=False)
        # A visitor who asks for a heat map is told that there is none.
        with contextlib.suppress(TypeError, NotImplementedError):
            self.explain(file, self.labels[0])


def serve_model(model):
    """Make a `ServedModel` the one that the sessions of this process use."""
    global _served
    _served = model


def served_model():
    """Return the model that is served: the packaged one unless another was chosen."""
    with _lock:
        if _served is None:
            from brain_tumor_clf import load_pretrained

            serve_model(ServedModel(load_pretrained(), "The packaged model"))
    return _served
