"""How codes are found: functions of a problem, correlations, squared norms and a start."""

from sklvm.sparse_coding.solvers._active_set import active_set
from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._coordinate_descent import coordinate_descent
from sklvm.sparse_coding.solvers._orthogonal_matching_pursuit import (
    best_of_path,
    orthogonal_matching_pursuit,
)
from sklvm.sparse_coding.solvers._proximal_gradient import fista, ista
from sklvm.sparse_coding.solvers._selection import SOLVER_NAMES, select_solver

__all__ = [
    "SOLVER_NAMES",
    "CodeResults",
    "active_set",
    "best_of_path",
    "coordinate_descent",
    "fista",
    "ista",
    "orthogonal_matching_pursuit",
    "select_solver",
]
