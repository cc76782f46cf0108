"""What an audit found: one thing of it."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that an audit found.

    Attributes
    ----------
    severity : {"severe", "warning", "note", "good"}
        How much it matters.
    title : str
        What was found, in one sentence.
    detail : str
        What it means.
    fix : str
        The call that mends it; empty if none is needed.
    """

    severity: str
    title: str
    detail: str
    fix: str = ""
