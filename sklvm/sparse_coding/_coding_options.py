"""How rows are coded, as one value."""

from dataclasses import dataclass

from joblib import effective_n_jobs

from sklvm.settings import resolve
from sklvm.sparse_coding._problem import CodingProblem
from sklvm.sparse_coding._relative_alpha import resolve_alpha
from sklvm.sparse_coding.dictionaries import DenseDictionary
from sklvm.sparse_coding.penalties import PENALTIES
from sklvm.sparse_coding.solvers import select_solver

__all__ = ["CodingOptions"]


@dataclass(frozen=True)
class CodingOptions:
    """Penalty, solver and stopping rule, which an estimator fixes when it is fitted.

    Attributes
    ----------
    penalty : PowerPenalty or Constraint
    alpha : float
    positive : bool
        Whether z ≥ 0.
    solver : str
    tol, max_iter : float, int
    sparse_output : bool
        Whether users get CSR codes.
    n_jobs : int or None
    """

    penalty: object
    alpha: float
    positive: bool
    solver: str
    tol: float
    max_iter: int
    sparse_output: bool
    n_jobs: int | None

    @classmethod
    def of(cls, estimator, *, tol, max_iter, X=None, dictionary=None):
        """Those of an estimator's parameters, α being that of the rows X where it is relative.

        Raises
        ------
        ValueError
            If penalty, solver and `positive` do not go together, or a penalty's own parameters are
            out of range.
        """
        penalty = resolve(estimator.penalty, PENALTIES, "penalty", type(estimator).__name__)
        if estimator.positive and not penalty.allows_positive:
            raise ValueError(f"positive=True does not go with penalty={penalty!r}, a constraint.")
        alpha = resolve_alpha(estimator.alpha, penalty, X, dictionary)
        options = cls(
            penalty,
            alpha,
            estimator.positive,
            estimator.solver,
            tol,
            max_iter,
            estimator.sparse_output,
            estimator.n_jobs,
        )
        select_solver(options.solver, penalty, DenseDictionary)
        return options

    def problem(self, dictionary, *, n_threads=None):
        """The problem on a dictionary, and the solver for it.

        Parameters
        ----------
        dictionary : object
            A dictionary, see :mod:`sklvm.sparse_coding.dictionaries`.
        n_threads : int, default=None
            None: that of `n_jobs`.

        Returns
        -------
        problem : CodingProblem
        solver : callable
        """
        if n_threads is None and self.n_jobs is not None:
            n_threads = effective_n_jobs(self.n_jobs)
        problem = CodingProblem(dictionary, self.penalty, self.alpha, self.positive, n_threads)
        return problem, select_solver(self.solver, self.penalty, type(dictionary))
