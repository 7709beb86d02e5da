"""What solvers work on that keep whole rows of codes."""

import numpy as np
from scipy import sparse

from sklvm.kernels import matching_pursuit_codes

__all__ = ["dense_rows", "products"]


def products(problem, X):
    """Correlations x Dᵀ and ‖x‖² of each row."""
    return problem.dictionary.correlate(X), np.einsum("ij,ij->i", X, X)


def dense_rows(problem, start, correlations, squared_norms):
    """The codes to start from, to be overwritten. Without given ones they are zero for a convex
    penalty, and for others the code of the greedy path that is least in the objective, or zero
    where the dictionary has no Gram matrix to follow it on."""
    if start is not None:
        dense = start.toarray() if sparse.issparse(start) else start
        return np.array(dense, dtype=np.float64, order="C")
    if problem.exponent == 1 or not problem.has_gram:
        return np.zeros_like(correlations)
    return matching_pursuit_codes(
        problem.gram,
        correlations,
        squared_norms,
        bound=problem.bound,
        exponent=problem.exponent,
        positive=problem.positive,
        max_nonzero=problem.rank,
        n_threads=1,
    )[0]
