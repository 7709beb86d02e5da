"""Grey levels made into bits, drawn anew for every step: dynamic binarisation."""

import numpy as np

from sklvm.kernels import uniform
from sklvm.training.links._base import Link

__all__ = ["DrawnBits"]


class DrawnBits(Link):
    """Independent bits that are 1 with the probabilities X; missing entries stay missing."""

    asked_by = "binarize='dynamic'"
    deterministic = False

    def draw(self, theta, X, state, rng):
        bits = uniform(X.shape, int(rng.integers(2**63)), dtype=X.dtype)
        # x − u is in (−1, 1] and positive where u < x. The ceiling keeps NaN; a comparison would
        # not.
        np.subtract(X, bits, out=bits)
        return np.ceil(bits, out=bits)
