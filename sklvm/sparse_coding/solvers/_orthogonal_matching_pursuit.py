"""Orthogonal matching pursuit: constraints, and where non-convex solvers start."""

from sklvm.kernels import matching_pursuit_codes
from sklvm.sparse_coding.solvers._code_results import CodeResults

__all__ = ["best_of_path", "orthogonal_matching_pursuit"]


def orthogonal_matching_pursuit(problem, correlations, squared_norms, codes, tol, max_iter):
    """The greedy path to its end: so many atoms, or so small a residual. Starts from zero."""
    constraint = problem.penalty
    result = matching_pursuit_codes(
        problem.gram,
        correlations,
        squared_norms,
        max_nonzero=min(problem.rank, constraint.max_nonzero or problem.rank),
        squared_residual=constraint.max_residual**2,
        n_threads=problem.n_threads,
    )
    return CodeResults(*result)


def best_of_path(problem, correlations, squared_norms):
    """The codes of the greedy path that are least in the objective."""
    return matching_pursuit_codes(
        problem.gram,
        correlations,
        squared_norms,
        bound=problem.bound,
        exponent=problem.exponent,
        positive=problem.positive,
        max_nonzero=problem.rank,
        n_threads=problem.n_threads,
    )[0]
