"""Score matching of a precision matrix with given zeros, over a cone of definite matrices."""

import numpy as np
from scipy.linalg import eigh

from sklvm.covariance._solvers._clique_sum import CliqueSum
from sklvm.covariance._solvers._conjugate_gradients import conjugate_gradients
from sklvm.covariance._solvers._score_curvature import score_curvature
from sklvm.covariance._solvers._solution import Solution

__all__ = ["solve_score_matching"]

_MAX_CONJUGATE_GRADIENTS = 1000
_SHRINKAGE_ASKED_OF_INFEASIBILITY = 0.25
_PENALTY_GROWTH = 5.0


def solve_score_matching(covariance, pattern, *, min_precision, tol, max_iter):
    """Minimise f(Λ) = ½ tr ΛCΛ − tr Λ over the Λ ⪰ εI with the pattern's zeros.

    f is the Hyvärinen criterion of N(μ, Λ⁻¹). Without the cone its minimum is one linear system;
    where that is not in the cone, the method of multipliers puts it there: with Y ⪰ 0 the
    multiplier of Λ ⪰ εI,

        minimise over Λ:  f(Λ) + (σ/2) ‖(Y/σ + εI − Λ)₊‖²,   then  Y ← σ (Y/σ + εI − Λ)₊,

    (·)₊ the projection on the positive semi-definite cone. The inner problem is smooth and convex;
    it is solved by Newton's method with the generalised Hessian and conjugate gradients. Few
    eigenvalues meet the bound, so few directions are added to the Hessian of f.

    Parameters
    ----------
    covariance : ndarray of shape (d, d)
        C, symmetric; its blocks on the pattern's cliques must be positive definite.
    pattern : SymmetricPattern
        The free entries.
    min_precision : float
        ε > 0.
    tol : float
        Bound on the residual: the largest of the pattern's entries of ½(CΛ + ΛC) − I − Y, the part
        of ε by which the least eigenvalue of Λ falls short, and the duality gap in proportion to
        |f|.
    max_iter : int
        Greatest number of Newton steps.

    Returns
    -------
    solution : Solution
        What falls short of the cone is made up by a multiple of the identity, so that the precision
        lies in it.

    References
    ----------
    Hyvärinen (2005), "Estimation of non-normalized statistical models by score matching", section
    3.1. Zhao, Sun and Toh (2010), "A Newton-CG augmented Lagrangian method for semidefinite
    programming".
    """
    unit = np.trace(covariance) / len(covariance)
    problem = _ScaledProblem(covariance / unit, pattern, min_precision * unit)
    free, residual, n_iter = problem.solve(tol, max_iter)
    precision = pattern.dense(free)
    return Solution(precision / unit, residual, n_iter)


class _ScaledProblem:
    """The problem in units in which the mean variance is one."""

    def __init__(self, covariance, pattern, bound):
        self.pattern, self.bound = pattern, bound
        self.curvature = score_curvature(covariance, pattern)
        self.precondition = CliqueSum(pattern).invert_anticommutator(covariance)
        last = len(covariance) - 1
        self.penalty = eigh(covariance, eigvals_only=True, subset_by_index=[last, last])[0]
        self.multiplier = np.zeros((pattern.n_features, pattern.n_features))

    def solve(self, tol, max_iter):
        """Free entries of Λ in the cone, the residual of optimality, the number of Newton steps."""
        pattern = self.pattern
        free = conjugate_gradients(
            self.curvature,
            pattern.identity,
            self.precondition,
            pattern.dot,
            tol=1e-2 * tol,
            max_iter=_MAX_CONJUGATE_GRADIENTS,
        )
        violation = _Violation(self, free)
        infeasibility, n_iter = np.inf, 0
        while True:
            free, violation, steps = self._minimize_inner(free, violation, tol, max_iter - n_iter)
            n_iter += steps
            residual, shortfall = self._residual(free, violation)
            if residual <= tol or n_iter >= max_iter:
                break
            n_iter += steps == 0  # an update of the multiplier alone counts too
            self.multiplier = self.penalty * violation.positive_part()
            if shortfall > _SHRINKAGE_ASKED_OF_INFEASIBILITY * infeasibility:
                self.penalty *= _PENALTY_GROWTH
            infeasibility = shortfall
            violation = _Violation(self, free)
        return free + shortfall * pattern.identity, float(residual), n_iter

    def _residual(self, free, violation):
        """The certificate, and by how much the least eigenvalue falls short of the bound."""
        pattern, curvature = self.pattern, self.curvature
        least = eigh(pattern.dense(free), eigvals_only=True, subset_by_index=[0, 0])[0]
        shortfall = max(0.0, self.bound - least)
        image = curvature(free)
        multiplier = pattern.gather(self.penalty * violation.positive_part())
        stationarity = np.abs(image - pattern.identity - multiplier).max()
        value = pattern.dot(free, image) / 2 - pattern.dot(free, pattern.identity)
        slack = free - self.bound * pattern.identity
        gap = abs(pattern.dot(multiplier, slack))
        return max(stationarity, shortfall / self.bound, gap / abs(value)), shortfall

    def _minimize_inner(self, free, violation, tol, max_iter):
        """Newton's method on the smooth penalised criterion, from `free`."""
        pattern = self.pattern
        value = self._value(free, violation)
        steps = 0
        while True:
            gradient = self._gradient(free, violation)
            if np.abs(gradient).max() <= 0.5 * tol or steps >= max_iter:
                break
            step = conjugate_gradients(
                lambda v, violation=violation: self.curvature(v) + violation.curvature(v),
                -gradient,
                self.precondition,
                pattern.dot,
                tol=1e-2,
                max_iter=_MAX_CONJUGATE_GRADIENTS,
            )
            slope = pattern.dot(gradient, step)
            length = 1.0
            while length > 1e-6:
                candidate = free + length * step
                candidate_violation = _Violation(self, candidate)
                candidate_value = self._value(candidate, candidate_violation)
                if candidate_value <= value + 1e-4 * length * slope + 1e-13 * abs(value):
                    break
                length /= 2
            else:
                break
            free, violation, value = candidate, candidate_violation, candidate_value
            steps += 1
        return free, violation, steps

    def _value(self, free, violation):
        linear = self.curvature(free) / 2 - self.pattern.identity
        return self.pattern.dot(free, linear) + self.penalty / 2 * violation.squared_norm

    def _gradient(self, free, violation):
        multiplier = self.pattern.gather(self.penalty * violation.positive_part())
        return self.curvature(free) - self.pattern.identity - multiplier


class _Violation:
    """T = Y/σ + εI − Λ by its eigenvalues, those of the positive part first."""

    def __init__(self, problem, free):
        shifted = problem.multiplier / problem.penalty - problem.pattern.dense(free)
        shifted[np.diag_indices_from(shifted)] += problem.bound
        values, vectors = eigh(shifted, driver="evd", check_finite=False, overwrite_a=True)
        n_positive = int((values > 0).sum())
        self.values, self.vectors = values[::-1], vectors[:, ::-1]
        self.active_values = self.values[:n_positive]
        self.active_vectors = np.ascontiguousarray(self.vectors[:, :n_positive])
        self.squared_norm = float(self.active_values @ self.active_values)
        self._pattern, self._penalty = problem.pattern, problem.penalty

    def positive_part(self):
        """T₊."""
        return (self.active_vectors * self.active_values) @ self.active_vectors.T

    def curvature(self, v):
        """σ times the derivative of T₊ along V, on the pattern.

        With T = Q diag(t) Qᵀ it is Q (Ω ∘ QᵀVQ) Qᵀ, Ω_ij = (max(t_i, 0) − max(t_j, 0)) / (t_i −
        t_j).
        """
        n_active = len(self.active_values)
        if n_active == 0:
            return np.zeros_like(v)
        rotated = (self._pattern.sparse(v) @ self.active_vectors).T @ self.vectors
        # Rows are active, columns are all; the block of the active ones is met from both sides.
        weights = self.active_values[:, np.newaxis] - np.minimum(self.values, 0)
        weights = self.active_values[:, np.newaxis] / weights
        weights[:, :n_active] = 0.5
        one_side = self.active_vectors @ ((rotated * weights) @ self.vectors.T)
        return 2 * self._penalty * self._pattern.gather_symmetrized(one_side)
