"""Whether a learned σ has come down to its floor."""

import numpy as np

from sklvm.diagnostics._diagnosis import Diagnosis

__all__ = ["collapsed_scale"]

# σ is at its floor where it is no more than this many times it.
NEAR_FLOOR = 1.1


def collapsed_scale(sigma, floor):
    """The smallest learned σ, in units of its floor.

    Parameters
    ----------
    sigma : float or ndarray
    floor : float
    """
    ratio = float(np.min(sigma)) / floor
    return Diagnosis.of(
        ratio,
        ratio < NEAR_FLOOR,
        f"A learned sigma has come down to sigma_floor={floor:g}: the data lie on points or in a "
        "subspace, where a density has no upper bound, and scores depend on the floor. Raise "
        "sigma_floor, or leave out features that others determine.",
    )
