"""numpy generators from what scikit-learn accepts as ``random_state``."""

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["generator_from"]


def generator_from(random_state):
    """A numpy ``Generator`` from an int, a ``RandomState`` or None."""
    seed = check_random_state(random_state).randint(2**32, size=4, dtype=np.uint32)
    return np.random.default_rng(seed)
