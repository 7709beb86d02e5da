"""What a solver hands back."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Solution"]


@dataclass(frozen=True)
class Solution:
    """A precision matrix and the proof of its quality.

    Parameters
    ----------
    precision : ndarray of shape (d, d)
        Λ: symmetric, exactly zero off the pattern, positive definite.
    residual : float
        The solver's certificate of optimality; 0 at the optimum, dimensionless.
    n_iter : int
        Newton steps taken; 0 for a closed form.
    """

    precision: np.ndarray
    residual: float
    n_iter: int
