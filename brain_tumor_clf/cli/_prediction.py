"""Predictions over many files: in chunks, and the unreadable ones kept apart."""

from dataclasses import dataclass, field

# Large enough to fill a network's batches, small enough that memory stays flat.
_CHUNK = 256


@dataclass
class Predictions:
    """Labels and probabilities per file, and why the others have none.

    `failures` could not be read; `refused` the guard takes for no brain scans.
    """

    paths: list = field(default_factory=list)
    labels: list = field(default_factory=list)
    probabilities: list = field(default_factory=list)
    failures: dict = field(default_factory=dict)
    refused: list = field(default_factory=list)

    def raise_failures(self):
        """Raise an ImageReadError of all files that could not be read, if any."""
        if self.failures:
            from brain_tumor_clf.exceptions import ImageReadError, ReadFailure

            n_images = len(self.paths) + len(self.failures)
            failures = map(ReadFailure._make, self.failures.items())
            raise ImageReadError(dict(enumerate(failures)), n_images)


def load_classifier(path):
    """The classifier in a model file; a ModelFileError if it holds anything else."""
    from brain_tumor_clf import load

    return check_classifier(path, load(path))


def check_classifier(path, model):
    """What was in a file, if it is a classifier; else a ModelFileError."""
    from brain_tumor_clf.exceptions import ModelFileError

    if not hasattr(model, "classes_"):
        raise ModelFileError(
            f"{path} holds a {type(model).__name__}, which is no classifier."
        )
    return model


def predict_in_chunks(pipeline, paths, advance=lambda n: None, guard=None):
    """Predict all files that can be read.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, of paths.
    paths : list of str
        Files.
    advance : callable
        Called with the number of files after each chunk.
    guard : ScanGuard, optional
        What it takes for no brain scan is not predicted.

    Returns
    -------
    Predictions
        In the order of `paths`; `probabilities` are None where the pipeline has none.
    """
    from brain_tumor_clf.exceptions import ImageReadError

    found = Predictions()
    for start in range(0, len(paths), _CHUNK):
        chunk = paths[start : start + _CHUNK]
        try:
            _predict(pipeline, chunk, found, guard)
        except ImageReadError as error:
            found.failures.update(error.failures.values())
            readable = [p for i, p in enumerate(chunk) if i not in error.failures]
            if readable:
                _predict(pipeline, readable, found, guard)
        advance(len(chunk))
    return found


def _predict(pipeline, paths, found, guard):
    if guard is not None:
        verdicts = list(zip(paths, guard.predict(paths), strict=True))
        found.refused += [path for path, verdict in verdicts if verdict == -1]
        paths = [path for path, verdict in verdicts if verdict == 1]
    if paths:
        _classify(pipeline, paths, found)


def _classify(pipeline, paths, found):
    if hasattr(pipeline, "predict_proba"):
        probabilities = pipeline.predict_proba(paths)
        labels = pipeline.classes_[probabilities.argmax(axis=1)]
        found.probabilities += probabilities.tolist()
    else:
        labels = pipeline.predict(paths)
        found.probabilities += [None] * len(paths)
    found.labels += labels.tolist()
    found.paths += paths
