"""Results as HTML, rendered by an escaping template."""

from functools import cache
from pathlib import Path

from brain_tumor_clf.app._words import percent, plain
from brain_tumor_clf.selective import CLASSIFIED, NOT_A_SCAN, UNCERTAIN, UNREADABLE

# State -> tone and sign; the words say it too, so that color is never alone.
_LOOK = {
    CLASSIFIED: ("good", ""),
    UNCERTAIN: ("doubt", "?"),
    NOT_A_SCAN: ("bad", "✕"),
    UNREADABLE: ("bad", "⚠"),
}


def render(name, /, **values):
    """Render a macro of ``fragments.html.j2``."""
    return str(getattr(_macros(), name)(**values))


def headline(result, *, rejected=False):
    """Render the state of a file, or its class.

    `rejected` says that the guard has rejected the image, and that the prediction is
    shown nevertheless.
    """
    tone, sign = _LOOK[NOT_A_SCAN if rejected else result.state]
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
