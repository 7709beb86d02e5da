"""Which solver fits which penalty."""

from sklvm.sparse_coding.penalties import BasisPursuit, Constraint
from sklvm.sparse_coding.solvers._active_set import active_set
from sklvm.sparse_coding.solvers._basis_pursuit import basis_pursuit
from sklvm.sparse_coding.solvers._coordinate_descent import coordinate_descent
from sklvm.sparse_coding.solvers._orthogonal_matching_pursuit import orthogonal_matching_pursuit
from sklvm.sparse_coding.solvers._proximal_gradient import fista, ista

__all__ = ["SOLVER_NAMES", "select_solver"]

_FOR_ALL_PENALTIES = {"coordinate_descent": coordinate_descent, "fista": fista, "ista": ista}
_FOR_CONVEX_PENALTIES = {"active_set": active_set, **_FOR_ALL_PENALTIES}
_FOR_CONSTRAINTS = {"omp": orthogonal_matching_pursuit}
_FOR_BASIS_PURSUIT = {"active_set": basis_pursuit}
SOLVER_NAMES = frozenset({"auto", *_FOR_CONVEX_PENALTIES, *_FOR_CONSTRAINTS})


def select_solver(name, penalty):
    """The function that `name` stands for; "auto" is the first that fits the penalty.

    Raises
    ------
    ValueError
        If that solver does not fit; the message has those that do.
    """
    if isinstance(penalty, BasisPursuit):
        fitting = _FOR_BASIS_PURSUIT
    elif isinstance(penalty, Constraint):
        fitting = _FOR_CONSTRAINTS
    elif penalty.convex:
        fitting = _FOR_CONVEX_PENALTIES
    else:
        fitting = _FOR_ALL_PENALTIES
    if name == "auto":
        return next(iter(fitting.values()))
    if name not in fitting:
        raise ValueError(
            f"solver={name!r} does not fit penalty={penalty!r}; choose one of {sorted(fitting)}."
        )
    return fitting[name]
