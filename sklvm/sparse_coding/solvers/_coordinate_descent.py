"""Coordinate descent, for every penalty."""

from sklvm.kernels import coordinate_descent_codes
from sklvm.sparse_coding.solvers._code_results import CodeResults

__all__ = ["coordinate_descent"]


def coordinate_descent(problem, correlations, squared_norms, codes, tol, max_iter):
    """Each coordinate in turn to its exact minimum, on the Gram matrix."""
    certificates, objectives, n_iter = coordinate_descent_codes(
        problem.gram,
        problem.bound,
        correlations,
        squared_norms,
        codes,
        exponent=problem.exponent,
        positive=problem.positive,
        lipschitz=problem.lipschitz if problem.exponent < 1 else 1.0,
        tol=tol,
        max_iter=max_iter,
        n_threads=problem.n_threads,
    )
    return CodeResults(codes, certificates, objectives, n_iter)
