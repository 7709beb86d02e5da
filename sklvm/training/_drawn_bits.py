"""Grey levels made into bits, drawn anew for every step: dynamic binarisation."""

import numpy as np

from sklvm.kernels import uniform

__all__ = ["drawn_bits"]


def drawn_bits(X, rng):
    """Independent bits that are 1 with the probabilities X, of X's dtype; NaN stays NaN."""
    bits = uniform(X.shape, int(rng.integers(2**63)), dtype=X.dtype)
    # x − u is in (−1, 1] and positive where u < x. The ceiling takes NaN along, a comparison not.
    np.subtract(X, bits, out=bits)
    return np.ceil(bits, out=bits)
