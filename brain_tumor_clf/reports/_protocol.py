"""What a report was computed on."""

import importlib.metadata
import platform
import sys
from dataclasses import asdict, dataclass, field
from numbers import Integral

from brain_tumor_clf import __version__

_PACKAGES = ("keras", "numpy", "pandas", "pillow", "scikit-learn", "scipy")
_BACKENDS = ("tensorflow", "jax", "torch")
RESEARCH_ONLY = "Research only; not a medical device."


def package_versions():
    """Versions of what computes reports, and of deep-learning backends in use.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> from brain_tumor_clf.reports._protocol import package_versions
    >>> sorted(package_versions())[:2]
    ['brain-tumor-clf', 'keras']
    """
    # A backend is asked itself: it may be installed under another name (-cpu, -macos).
    used = {name: sys.modules[name] for name in _BACKENDS if name in sys.modules}
    return {
        "brain-tumor-clf": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        **{name: module.__version__ for name, module in used.items()},
    }


@dataclass(frozen=True)
class Protocol:
    """What a report was computed on, as every report says it.

    Parameters
    ----------
    data : str
        Which images, in words: "4,894 training images, no test images".
    n : int
        Number of images that the scores are of.
    n_groups : int or None
        Number of groups that these are of; None where groups are not known.
    groups : str
        What a group is, in words: "given", "near duplicates", …
    split : str
        How images were split into those learned from and those scored.
    seed : object
        The random state.
    notes : tuple of str, default=()
        What else must be known to read the report rightly.
    versions : dict of str to str
        Package versions; those at hand by default.

    Examples
    --------
    >>> from brain_tumor_clf.reports._protocol import Protocol
    >>> done = Protocol("80 test images", 80, 20, "given", "test set as given", 0)
    >>> print(done.to_markdown().splitlines()[0])
    - Images: 80 test images
    """

    data: str
    n: int
    n_groups: int | None
    groups: str
    split: str
    seed: object
    notes: tuple = ()
    versions: dict = field(default_factory=package_versions)

    def to_dict(self):
        """The protocol as plain data, ready for JSON."""
        return {
            **asdict(self),
            "notes": list(self.notes),
            "seed": _plain_seed(self.seed),
        }

    def rows(self):
        """Pairs of a heading and a text."""
        known = f"{self.n_groups:,} ({self.groups})" if self.n_groups else self.groups
        return [
            ("Images", self.data),
            ("Groups", known),
            ("Split", self.split),
            ("Seed", str(self.seed)),
            *(("Note", note) for note in self.notes),
            ("Versions", ", ".join(f"{k} {v}" for k, v in self.versions.items())),
        ]

    def to_markdown(self):
        """The protocol as a list in Markdown."""
        lines = [f"- {name}: {text}" for name, text in self.rows()]
        return "\n".join([*lines, f"- {RESEARCH_ONLY}"])


def _plain_seed(seed):
    if isinstance(seed, (tuple, list)):
        return [_plain_seed(one) for one in seed]
    if isinstance(seed, Integral):
        return int(seed)
    return seed if seed is None or isinstance(seed, str) else repr(seed)
