"""Which solver fits which penalty and dictionary."""

from sklvm.sparse_coding.solvers._active_set import active_set
from sklvm.sparse_coding.solvers._basis_pursuit import basis_pursuit
from sklvm.sparse_coding.solvers._coordinate_descent import coordinate_descent
from sklvm.sparse_coding.solvers._needs import fits, lacks
from sklvm.sparse_coding.solvers._orthogonal_matching_pursuit import orthogonal_matching_pursuit
from sklvm.sparse_coding.solvers._proximal_gradient import fista, ista

__all__ = ["SOLVER_NAMES", "select_solver"]

# In the order in which "auto" prefers them.
_SOLVERS = [
    ("active_set", active_set),
    ("active_set", basis_pursuit),
    ("coordinate_descent", coordinate_descent),
    ("fista", fista),
    ("ista", ista),
    ("omp", orthogonal_matching_pursuit),
]
SOLVER_NAMES = frozenset({"auto", *dict(_SOLVERS)})


def select_solver(name, penalty, dictionary_class):
    """The function that `name` stands for; "auto" is the first that fits.

    Parameters
    ----------
    name : str
    penalty : PowerPenalty or Constraint
    dictionary_class : type

    Returns
    -------
    solver : callable

    Raises
    ------
    ValueError
        If that solver does not fit; the message has those that do.
    """
    for_penalty = {key: solver for key, solver in _SOLVERS if fits(solver, penalty)}
    fitting = {
        key: solver for key, solver in for_penalty.items() if not lacks(solver, dictionary_class)
    }
    if name == "auto" and fitting:
        return next(iter(fitting.values()))
    if name in fitting:
        return fitting[name]
    if name in for_penalty:
        missing = ", ".join(lacks(for_penalty[name], dictionary_class))
        raise ValueError(
            f"solver={name!r} needs a dictionary with {missing}, which {dictionary_class.__name__} "
            f"does not have; choose one of {sorted(fitting)}."
        )
    raise ValueError(
        f"solver={name!r} does not fit penalty={penalty!r}; choose one of {sorted(fitting)}."
    )
