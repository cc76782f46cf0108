"""What to say beside a result, in plain words."""

from brain_tumor_clf._answers import (
    CLASSIFIED,
    NOT_A_SCAN,
    NOT_SURE,
    UNREADABLE,
)

_SMALL = 64  # pixels a side; less shows no more than that there is a head
_CLOSE = 0.3  # a second class this likely is worth a word
_HEALTHY = "notumor"


def percent(share):
    """A probability as people read it; never 0 or 100 %, which it never is.

    Examples
    --------
    >>> from brain_tumor_clf.app._remarks import percent
    >>> percent(0.9312), percent(0.99999), percent(0.0001)
    ('93.1 %', '> 99.9 %', '< 0.1 %')
    """
    if share > 0.999:
        return "> 99.9 %"
    if share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


def warning_of(result, model, *, is_phantom=False):
    """The one warning that matters most for a result, or None.

    Parameters
    ----------
    result : Result
    model : ServedModel
    is_phantom : bool, default=False
        Whether the image was drawn by this package.

    Returns
    -------
    str or None
    """
    if result.state == UNREADABLE:
        return None
    if is_phantom:
        return _of_phantom(result, model)
    if result.state == NOT_A_SCAN:
        return (
            "The guard takes this for something else than an upright slice of a brain "
            "MRI scan. If it is one: is it inverted, or of another kind than the "
            "model was trained on?"
        )
    for warn in (_of_reading, _of_size, _of_doubt, _of_runner_up, _of_class):
        text = warn(result, model)
        if text is not None:
            return text
    return None


def track_record(answer, model):
    """How often predictions of this probability were right; None if not known.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from brain_tumor_clf.app._metadata import Reliability
    >>> from brain_tumor_clf.app._remarks import track_record
    >>> from brain_tumor_clf.app._results import Answer
    >>> reliability = Reliability([0, 0.5, 1], [0.3, 0.9], [5, 40])
    >>> model = SimpleNamespace(reliability=reliability)
    >>> track_record(Answer("glioma", 0.8, {}), model)
    'When this sure of images never seen, the model was right in 90 % of 40 cases.'
    """
    if model.reliability is None:
        return None
    found = model.reliability.at(answer.probability)
    if found is None:
        return "Of images never seen, the model was never this sure."
    share, n = found
    return (
        "When this sure of images never seen, the model was right in "
        f"{_rounded(share)} of {n:,} cases."
    )


def doubt(answer, abstention):
    """Why the model does not answer."""
    text = (
        f"Its likeliest class has {percent(answer.probability)}; the model answers "
        f"from {percent(abstention.threshold)} on"
    )
    if abstention.error_rate is not None:
        text += f", so that at most {_rounded(abstention.error_rate)} of answers err"
    return text + "."


def _of_phantom(result, model):
    if result.state == NOT_A_SCAN:
        return (
            "A phantom is drawn, not scanned, and the guard refuses it: as it should."
        )
    guarded = "The guard let it pass." if model.has_guard else "This model has no guard"
    return f"A phantom is drawn, not scanned. {guarded.rstrip('.')}. " + (
        "What the model says of it tells nothing about patients."
    )


def _of_reading(result, model):
    # Notes are full clauses; the reader's advice to programmers comes after ";".
    if not result.notes:
        return None
    text = result.notes[0].partition(";")[0]
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _of_size(result, model):
    height, width = result.size
    if min(height, width) >= _SMALL:
        return None
    return f"Only {width}x{height} pixels: too few to tell a lesion by."


def _of_doubt(result, model):
    return doubt(result.answer, model.abstention) if result.state == NOT_SURE else None


def _of_runner_up(result, model):
    ranked = sorted(result.answer.probabilities.items(), key=lambda item: -item[1])
    if len(ranked) < 2 or ranked[1][1] < _CLOSE:
        return None
    return f"{ranked[1][0]} is nearly as likely: {percent(ranked[1][1])}."


def _of_class(result, model):
    if result.state == CLASSIFIED and result.label == _HEALTHY:
        return "One slice without a tumor says nothing of the other slices."
    if not model.has_guard:
        return "This model has no guard: it names a class for any picture at all."
    return None


def _rounded(share):
    """A measured share: so many digits as the counts behind it bear."""
    if 0.1 <= share < 0.995 or share == 1:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.1f} %"
