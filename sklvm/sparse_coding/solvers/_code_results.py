"""What a solver returns."""

from typing import NamedTuple

import numpy as np

__all__ = ["CodeResults"]


class CodeResults(NamedTuple):
    """Codes and how good they are, one row or value a sample.

    Attributes
    ----------
    codes : ndarray or CSR array of shape (n, n_components)
    certificates : ndarray of shape (n,)
        Relative duality gap, or proximal residual without convexity.
    objectives : ndarray of shape (n,)
    n_iter : ndarray of int, shape (n,)
    """

    codes: np.ndarray
    certificates: np.ndarray
    objectives: np.ndarray
    n_iter: np.ndarray
