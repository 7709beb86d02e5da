"""Orthogonal matching pursuit, for constraints."""

from sklvm.kernels import matching_pursuit_codes
from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._dense_rows import products
from sklvm.sparse_coding.solvers._needs import needs

__all__ = ["orthogonal_matching_pursuit"]


@needs(dictionary=("gram",), penalty=("greedy",))
def orthogonal_matching_pursuit(problem, X, start, tol, max_iter):
    """The greedy path to its end: so many atoms, or so small a residual. Starts from zero."""
    constraint = problem.penalty
    result = matching_pursuit_codes(
        problem.gram,
        *products(problem, X),
        max_nonzero=min(problem.rank, constraint.max_nonzero or problem.rank),
        squared_residual=constraint.max_residual**2,
        n_threads=1,
    )
    return CodeResults(*result)
