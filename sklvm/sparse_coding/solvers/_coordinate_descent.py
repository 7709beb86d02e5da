"""Coordinate descent, for every penalty."""

from sklvm.kernels import coordinate_descent_codes
from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._dense_rows import dense_rows, products

__all__ = ["coordinate_descent"]


def coordinate_descent(problem, X, start, tol, max_iter):
    """Each coordinate in turn to its exact minimum, on the Gram matrix."""
    correlations, squared_norms = products(problem, X)
    codes = dense_rows(problem, start, correlations, squared_norms)
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
        n_threads=1,
    )
    return CodeResults(codes, certificates, objectives, n_iter)
