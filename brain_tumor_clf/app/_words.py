"""Results in words and as HTML, and foreign text made harmless."""

import unicodedata
from functools import cache
from pathlib import Path

from brain_tumor_clf.selective import CLASSIFIED, NOT_A_SCAN, UNCERTAIN, UNREADABLE

_LONGEST = 80
# Format characters may reverse the reading order, so that "gpj.exe" looks like a
# picture; control characters and halves of characters have no place on the screen.
_UNSHOWABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_SMALL = 64  # pixels a side; less shows hardly more than that there is a head
_CLOSE = 0.3  # probability from which a second class is mentioned
_HEALTHY = "notumor"
# State -> tone and sign; the words say it too, so that color is never alone.
_LOOK = {CLASSIFIED: ("good", ""), NOT_A_SCAN: ("bad", "✕"), UNREADABLE: ("bad", "⚠")}
_DOUBTFUL = ("doubt", "?")  # any other state


def render(name, /, **values):
    """Render a macro of ``fragments.html.j2``."""
    return str(getattr(_macros(), name)(**values))


def headline(result, *, rejected=False):
    """Render the state of a file, or its class.

    `rejected` says that the guard has rejected the image, and that the prediction is
    shown nevertheless.
    """
    tone, sign = _LOOK.get(NOT_A_SCAN if rejected else result.state, _DOUBTFUL)
    kind, what, probability = "No class", result.state.capitalize(), None
    if rejected or result.state == CLASSIFIED:
        kind, what = "Predicted class", result.likeliest
        probability = percent(result.probability)
    if rejected:
        kind = f"{NOT_A_SCAN.capitalize()}; prediction shown anyway"
    return render(
        "headline", tone=tone, sign=sign, kind=kind, what=what, probability=probability
    )


def bars(result, threshold=None):
    """Render the probabilities as a bar chart with the abstention threshold."""
    rows = [
        {
            "label": label,
            "is_first": label == result.likeliest,
            "width": f"{100 * probability:.1f}",
            "value": percent(probability),
        }
        for label, probability in result.probabilities.items()
    ]
    limit = f"{100 * threshold:.0f}" if threshold else None
    return render("bars", rows=rows, threshold=limit)


@cache
def _macros():
    import jinja2

    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=folder, autoescape=True)
    environment.filters["plain"] = plain
    return environment.get_template("fragments.html.j2").module


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
    return next(_warnings(result, model), None)


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


def _warnings(result, model):
    """Yield what is to be said about a scan, what matters most first."""
    yield from map(sentence, result.notes)
    height, width = result.size
    if min(height, width) < _SMALL:
        yield f"The image has only {width}x{height} pixels, too few to show a lesion."
    if result.state != CLASSIFIED:
        yield _of_doubt(result, model)
    ranked = sorted(result.probabilities.items(), key=lambda item: -item[1])
    if len(ranked) > 1 and ranked[1][1] >= _CLOSE:
        yield f"A second class is also likely: {ranked[1][0]}, {percent(ranked[1][1])}."
    if result.label == _HEALTHY:
        yield "A slice without a tumor does not rule out a tumor in other slices."
    if not model.has_guard:
        yield (
            "This model has no guard (out-of-distribution detector): it assigns a "
            "class to any picture."
        )


def _of_doubt(result, model):
    is_below = (result.probability or 1) < (model.threshold or 0)
    if result.state != UNCERTAIN or not is_below:
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


def _rounded(share):
    """Format a measured share with as many digits as its counts support."""
    if 0.1 <= share < 0.995 or share == 1:
        return f"{100 * share:.0f}%"
    return f"{100 * share:.1f}%"
