"""Random numbers of one fit, drawn from `random_state`; no global is changed."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

_MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class FitSeeds:
    """Seeds of what is random in one fit."""

    network: int
    validation: int
    batches: int


def draw_seeds(random_state):
    """Draw the seeds of one fit as scikit-learn's estimators do.

    Parameters
    ----------
    random_state : None, int, RandomState or Generator
        An integer gives the same seeds at each call; the others are drawn from.

    Returns
    -------
    FitSeeds
    """
    if isinstance(random_state, np.random.Generator):
        drawn = random_state.integers(_MAX_SEED, size=3)
    else:
        drawn = check_random_state(random_state).randint(_MAX_SEED, size=3)
    return FitSeeds(*map(int, drawn))
