"""Orthogonal matching pursuit, for constraints."""

import numpy as np

from sklvm.kernels import matching_pursuit_codes
from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._dense_rows import products
from sklvm.sparse_coding.solvers._needs import needs

__all__ = ["orthogonal_matching_pursuit"]


@needs(dictionary=("gram",), penalty=("greedy",))
def orthogonal_matching_pursuit(problem, X, start, tol, max_iter):
    """The greedy path to its end: so many atoms, or so small a residual. Starts from zero."""
    constraint = problem.penalty
    correlations, squared_norms = products(problem, X)
    codes, certificates, objectives, n_iter = matching_pursuit_codes(
        problem.gram,
        correlations,
        squared_norms,
        max_nonzero=min(problem.rank, constraint.max_nonzero or problem.rank),
        squared_residual=constraint.max_residual**2,
        n_threads=1,
    )
    if constraint.max_nonzero is None:
        # What the residual exceeds its bound by, relative to ‖x‖.
        norms = np.sqrt(squared_norms)
        excess = np.sqrt(2 * objectives) - constraint.max_residual
        excess = np.divide(excess, norms, out=np.zeros_like(norms), where=norms > 0)
        certificates = np.maximum(certificates, excess)
    return CodeResults(codes, certificates, objectives, n_iter)
