"""Block working sets for the l1 penalty and the elastic net."""

import numpy as np
from scipy import sparse

from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._needs import needs

__all__ = ["active_set"]


@needs(dictionary=("gram", "atoms"), penalty=("separable", "convex"))
def active_set(problem, X, start, tol, max_iter):
    """Exact minimisation over the support, whose worst violators join in blocks."""
    if start is not None:
        start = sparse.csr_array(start, dtype=np.float64)
        start.sort_indices()
    rows = problem.active_set.codes(X, start, tol=tol, max_iter=max_iter)
    indptr = np.concatenate([[0], rows.ends]).astype(np.int32)
    codes = sparse.csr_array(
        (rows.values, rows.atoms, indptr), shape=(len(X), problem.n_components)
    )
    return CodeResults(codes, rows.gaps, rows.objectives, rows.n_iter)


active_set.takes_gaps = True
