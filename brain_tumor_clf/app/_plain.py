"""Strangers' text, such as a file's name, made harmless for the screen."""

import html
import unicodedata

_LONGEST = 80
# Format characters may turn the reading order round, so that "gpj.exe" looks like a
# picture; control characters, and halves of characters, have no place on the screen.
_UNSHOWABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def plain(text, longest=_LONGEST):
    """A text on one line, without invisible characters and of bounded length.

    Parameters
    ----------
    text : str
    longest : int, default=80
        Characters at most; the middle of a longer text is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> from brain_tumor_clf.app._plain import plain
    >>> plain("scan\\u202egpj.exe"), plain("a" * 30, longest=9)
    ('scangpj.exe', 'aaaa…aaaa')
    """
    kept = "".join(c for c in text if unicodedata.category(c) not in _UNSHOWABLE)
    kept = " ".join(kept.split()) or "unnamed"
    if len(kept) > longest:
        half = longest // 2
        kept = f"{kept[:half]}…{kept[-half:]}"
    return kept


def escaped(text):
    """`plain` text for HTML."""
    return html.escape(plain(text))
