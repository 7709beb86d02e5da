"""Maximum likelihood of a precision matrix with given zeros (covariance selection)."""

from itertools import pairwise

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky

from sklvm.covariance._solvers._clique_sum import CliqueSum
from sklvm.covariance._solvers._conjugate_gradients import conjugate_gradients
from sklvm.covariance._solvers._solution import Solution

__all__ = ["solve_maximum_likelihood"]

_MAX_CONJUGATE_GRADIENTS = 250


def solve_maximum_likelihood(covariance, pattern, *, tol, max_iter):
    """Minimise tr ΛC − log det Λ over the precision matrices Λ with the pattern's zeros.

    At the minimum Λ⁻¹ agrees with C on the pattern. Newton's method with conjugate gradients: the
    Hessian takes V to the pattern's entries of Λ⁻¹VΛ⁻¹, and its inverses on the cliques
    precondition. All of it in units in which C has a unit diagonal.

    Parameters
    ----------
    covariance : ndarray of shape (d, d)
        C, symmetric; its blocks on the pattern's cliques must be positive definite.
    pattern : SymmetricPattern
        The free entries.
    tol : float
        Bound on the residual max |(Λ⁻¹ − C)_ij| / √(C_ii C_jj) over the pattern.
    max_iter : int
        Greatest number of Newton steps.

    Returns
    -------
    solution : Solution
        `residual` is the one that `tol` bounds.

    References
    ----------
    Dempster (1972), "Covariance selection". Dahl, Vandenberghe and Roychowdhury (2008), "Covariance
    selection for non-chordal graphs via chordal embedding", section 5, for Newton's method with
    conjugate gradients.
    """
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    entries = pattern.gather(correlation)
    cliques = CliqueSum(pattern)
    free = cliques.mean_precision(correlation)
    factor = _factorize(pattern.dense(free))
    value = _objective(free, factor, entries, pattern)
    n_iter = 0
    while True:
        modelled = cho_solve((factor, True), np.eye(pattern.n_features), check_finite=False)
        gradient = entries - pattern.gather_symmetrized(modelled)
        residual = float(np.abs(gradient).max())
        if residual <= tol or n_iter == max_iter:
            break
        step = _newton_step(modelled, gradient, residual, pattern, cliques)
        moved = _line_search(free, factor, value, step, gradient, entries, pattern)
        if moved is None:
            break
        free, factor, value = moved
        n_iter += 1
    precision = pattern.dense(free) / np.outer(scale, scale)
    return Solution(precision, residual, n_iter)


def _newton_step(modelled, gradient, residual, pattern, cliques):
    """−(Hessian)⁻¹ gradient, the more exactly the closer to the minimum."""
    return conjugate_gradients(
        lambda v: _sandwich(modelled, v, pattern),
        -gradient,
        cliques.invert_sandwich(modelled),
        pattern.dot,
        tol=min(0.1, np.sqrt(residual)),
        max_iter=_MAX_CONJUGATE_GRADIENTS,
    )


def _line_search(free, factor, value, step, gradient, entries, pattern):
    """The first of the steps 1, ½, ¼ … that is sufficient; None if rounding leaves none."""
    decrease = -pattern.dot(gradient, step)
    length = 1.0
    while length > 1e-10:
        candidate = free + length * step
        candidate_factor = _factorize(pattern.dense(candidate))
        if candidate_factor is not None:
            candidate_value = _objective(candidate, candidate_factor, entries, pattern)
            slack = 1e-13 * abs(value)
            if candidate_value <= value - 1e-4 * length * decrease + slack:
                return candidate, candidate_factor, candidate_value
        length /= 2
    return None


def _objective(free, factor, entries, pattern):
    """tr ΛC − log det Λ."""
    return pattern.dot(free, entries) - 2 * np.log(np.diag(factor)).sum()


def _factorize(matrix):
    try:
        factor = cholesky(matrix, lower=True, check_finite=False)
    except LinAlgError:
        return None
    return factor if np.isfinite(factor[-1, -1]) else None


def _sandwich(dense, v, pattern):
    """The pattern's entries of S V S, for a dense symmetric S."""
    product = np.ascontiguousarray((pattern.sparse(v) @ dense).T)
    if pattern.degree > pattern.n_features // 4:
        return pattern.gather_symmetrized(product @ dense)
    entries = np.empty_like(v)
    starts = np.searchsorted(pattern.rows, np.arange(pattern.n_features + 1))
    for i, (start, stop) in enumerate(pairwise(starts)):
        entries[start:stop] = dense[pattern.columns[start:stop]] @ product[i]
    return entries
