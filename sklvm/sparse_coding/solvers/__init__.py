"""How codes are found: ``solver(problem, X, start, tol, max_iter)`` returns CodeResults.

X is C-contiguous, of float64 and without missing entries; `start` an array or CSR matrix of codes,
or None. A solver runs on one thread, and several at once on parts of the rows. It says what it
needs of the dictionary, in ``requires``, and which penalties it is for, in ``requires_of_penalty``.
"""

from sklvm.sparse_coding.solvers._active_set import active_set
from sklvm.sparse_coding.solvers._basis_pursuit import basis_pursuit
from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._coordinate_descent import coordinate_descent
from sklvm.sparse_coding.solvers._filter_working_set import filter_working_set
from sklvm.sparse_coding.solvers._needs import fits
from sklvm.sparse_coding.solvers._orthogonal_matching_pursuit import orthogonal_matching_pursuit
from sklvm.sparse_coding.solvers._proximal_gradient import fista, ista
from sklvm.sparse_coding.solvers._selection import SOLVER_NAMES, select_solver

__all__ = [
    "SOLVER_NAMES",
    "CodeResults",
    "active_set",
    "basis_pursuit",
    "coordinate_descent",
    "filter_working_set",
    "fista",
    "fits",
    "ista",
    "orthogonal_matching_pursuit",
    "select_solver",
]
