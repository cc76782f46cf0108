"""What is said beside a result, in plain words, and foreign text made harmless."""

import unicodedata

from brain_tumor_clf.selective import CLASSIFIED, NOT_A_SCAN, UNCERTAIN, UNREADABLE

_LONGEST = 80
# Format characters may reverse the reading order, so that "gpj.exe" looks like a
# picture; control characters and halves of characters have no place on the screen.
_UNSHOWABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_SMALL = 64  # pixels a side; less shows hardly more than that there is a head
_CLOSE = 0.3  # probability from which a second class is mentioned
_HEALTHY = "notumor"


def plain(text, longest=_LONGEST):
    r"""Put a text on one line, without invisible characters, at most `longest` long.

    Examples
    --------
    >>> from brain_tumor_clf.app._words import plain
    >>> plain("scan\u202egpj.exe"), plain("a" * 30, longest=9)
    ('scangpj.exe', 'aaaa…aaaa')
    """
    kept = "".join(c for c in text if unicodedata.category(c) not in _UNSHOWABLE)
    kept = " ".join(kept.split()) or "unnamed"
    if len(kept) > longest:
        half = longest // 2
        kept = f"{kept[:half]}…{kept[-half:]}"
    return kept


def percent(share):
    """Format a probability; none is shown as 0 or 100%.

    Examples
    --------
    >>> from brain_tumor_clf.app._words import percent
    >>> percent(0.9312), percent(0.99999), percent(0.0001)
    ('93.1%', '> 99.9%', '< 0.1%')
    """
    if share > 0.999:
        return "> 99.9%"
    if share < 0.001:
        return "< 0.1%"
    return f"{100 * share:.1f}%"


def without_advice(reason):
    """Return a reason of the image reader without its advice to programmers."""
    return reason.partition(";")[0].replace("max_pixels=", "")


def sentence(reason):
    """Write a reason as a sentence, without advice to programmers."""
    text = without_advice(reason)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def warning_of(result, model, *, is_phantom=False):
    """Return the one warning that matters most for a result, or None."""
    if result.state == UNREADABLE:
        return None
    if is_phantom:
        return _of_phantom(result, model)
    if result.state == NOT_A_SCAN:
        return (
            "The guard, an out-of-distribution detector, rejected this image: it does "
            "not look like an upright slice of a brain MRI scan. If it is one, check "
            "whether it is inverted, or of a kind that the model was not trained on."
        )
    for warn in (_of_reading, _of_size, _of_doubt, _of_runner_up, _of_class):
        text = warn(result, model)
        if text is not None:
            return text
    return None


def track_record(result, model):
    """Say how often predictions of this probability were right; None if not known."""
    if model.reliability is None:
        return None
    found = model.reliability.at(result.probability)
    if found is None:
        return "On images not used for training, no prediction had such a probability."
    share, n = found
    return (
        "On images not used for training, predictions with a probability like this "
        f"were right in {_rounded(share)} of {n:,} cases."
    )


def _of_phantom(result, model):
    if result.state == NOT_A_SCAN:
        return "A phantom is drawn, not scanned. The guard rejected it, as it should."
    guarded = (
        "The guard accepted it." if model.has_guard else "This model has no guard."
    )
    return (
        f"A phantom is drawn, not scanned. {guarded} The prediction says nothing about "
        "patients."
    )


def _of_reading(result, model):
    return sentence(result.notes[0]) if result.notes else None


def _of_size(result, model):
    height, width = result.size
    if min(height, width) >= _SMALL:
        return None
    return f"The image has only {width}x{height} pixels, too few to show a lesion."


def _of_doubt(result, model):
    if result.state != UNCERTAIN:
        return None
    if model.threshold is None or not (result.probability or 1) < model.threshold:
        return sentence(result.reason)
    text = (
        f"The most likely class, {result.likeliest}, has a probability of "
        f"{percent(result.probability)}, below the abstention threshold of "
        f"{percent(model.threshold)}. Ask a radiologist."
    )
    if model.abstention is not None and model.abstention.error_rate is not None:
        rate = _rounded(model.abstention.error_rate)
        text += f" The threshold was chosen to keep wrong answers to at most {rate}."
    return text


def _of_runner_up(result, model):
    ranked = sorted(result.probabilities.items(), key=lambda item: -item[1])
    if len(ranked) < 2 or ranked[1][1] < _CLOSE:
        return None
    return f"A second class is also likely: {ranked[1][0]}, {percent(ranked[1][1])}."


def _of_class(result, model):
    if result.state == CLASSIFIED and result.label == _HEALTHY:
        return "A slice without a tumor does not rule out a tumor in other slices."
    if not model.has_guard:
        return (
            "This model has no guard (out-of-distribution detector): it assigns a "
            "class to any picture."
        )
    return None


def _rounded(share):
    """Format a measured share with as many digits as its counts support."""
    if 0.1 <= share < 0.995 or share == 1:
        return f"{100 * share:.0f}%"
    return f"{100 * share:.1f}%"
