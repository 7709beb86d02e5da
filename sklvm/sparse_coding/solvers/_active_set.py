"""Block working sets for the l1 penalty and the elastic net."""

from sklvm.kernels import active_set_codes
from sklvm.sparse_coding.solvers._code_results import CodeResults

__all__ = ["active_set"]


def active_set(problem, correlations, squared_norms, codes, tol, max_iter):
    """Exact minimisation over the support, whose worst violators join in blocks."""
    certificates, objectives, n_iter = active_set_codes(
        problem.gram,
        problem.bound,
        correlations,
        squared_norms,
        codes,
        positive=problem.positive,
        tol=tol,
        max_iter=max_iter,
        rank=problem.rank,
        n_threads=problem.n_threads,
    )
    return CodeResults(codes, certificates, objectives, n_iter)
