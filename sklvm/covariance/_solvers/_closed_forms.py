"""Structures for which maximum likelihood and score matching are one and have a closed form."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

from sklvm.covariance._solvers._solution import Solution

__all__ = ["solve_diagonal", "solve_full"]


def solve_full(covariance, min_precision=0.0):
    """The inverse covariance, its eigenvalues raised to `min_precision`.

    Both criteria depend on Λ and C through tr ΛC, tr ΛCΛ, tr Λ and log det Λ only, which do not
    change when the eigenvectors of C change their signs; so the minimum over Λ ⪰ εI has the
    eigenvectors of C, and the criterion separates into one of each eigenvalue.
    """
    if min_precision == 0:
        factor = cho_factor(covariance, lower=True)
        inverse = cho_solve(factor, np.eye(len(covariance)))
        return Solution((inverse + inverse.T) / 2, 0.0, 0)
    variances, directions = eigh(covariance)
    precisions = np.maximum(1 / variances, min_precision)
    precision = (directions * precisions) @ directions.T
    return Solution((precision + precision.T) / 2, 0.0, 0)


def solve_diagonal(covariance, min_precision=0.0):
    """The inverse variances, raised to `min_precision`."""
    return Solution(np.diag(np.maximum(1 / np.diag(covariance), min_precision)), 0.0, 0)
