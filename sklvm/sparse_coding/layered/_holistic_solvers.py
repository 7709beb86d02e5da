"""Solvers of the holistic problem."""

from typing import NamedTuple

import numpy as np

from sklvm.sparse_coding.layered._holistic_admm import SplitSystem, balanced, split_step

__all__ = ["HOLISTIC_SOLVERS", "HolisticResults", "solve_holistic"]

# Iterations between two certificates, each of which takes a pass or two of its own.
_BETWEEN_CERTIFICATES = 10
# Iterations of ML-FISTA before the primal-dual method goes on to the minimum.
_FIRST_ITERATIONS = 100
# Rows that are done leave the batch when they are at least this part of it.
_LEAVING = 0.125
# ADMM converges for penalties that are constant from some iteration on.
_LAST_BALANCE = 500
# Components of the last layer up to which a chain is written out as matrices.
_MOST_WRITTEN_OUT = 2048
# A step of ML-ISTA this part of the tolerance ends a row: its fixed point has been reached.
_STILL = 1e-2


class HolisticResults(NamedTuple):
    """Codes of the last layer, one row a sample.

    Attributes
    ----------
    codes : ndarray of shape (n, n_components)
    multipliers : list of ndarray of shape (n, n_components of a layer)
        Those of all layers but the last.
    certificates, objectives : ndarray of shape (n,)
    n_iter : ndarray of int, shape (n,)
    is_done : ndarray of bool, shape (n,)
        Whether the certificate, or the step of ML-ISTA, came down to the tolerance.
    """

    codes: np.ndarray
    multipliers: list
    certificates: np.ndarray
    objectives: np.ndarray
    n_iter: np.ndarray
    is_done: np.ndarray


def ml_ista(problem, X, start, tol, max_iter):
    """Multi-layer ISTA (Sulam, Aberdam, Beck and Elad, 2019, algorithm 2). ::

        γ_l ← S_{t_l α_l}(γ̂_l − (t_l / t_{l−1}) (γ̂_{l−1} − γ_{l−1}) D_lᵀ),   γ_0 = x,

    where γ̂ are the codes that z stands for, and t_l = t_{l−1} / ‖D_l‖². Its fixed point is near
    the minimum, not at it.
    """
    return _multi_layer(problem, X, start, tol, max_iter, momentum=False)


def ml_fista(problem, X, start, tol, max_iter):
    """ML-ISTA at a point extrapolated as by Beck and Teboulle (2009), restarted uphill."""
    return _multi_layer(problem, X, start, tol, max_iter, momentum=True)


def primal_dual(problem, X, start, tol, max_iter):
    """The primal-dual method of Condat (2013) and Vũ (2013), which converges to the minimum. ::

        z' = S_{τ α_K}(z + τ v_K),   v_l ← clip(v_l + σ (2 γ_l' − γ_l)),

    with 1/τ ≥ ‖D_K … D_1‖² / 2 + σ Σ_l ‖D_K … D_{l+1}‖².
    """
    chain, alphas = problem.chain, problem.alphas
    bounds = np.cumprod([layer.lipschitz for layer in chain.layers[::-1]])
    largest, among = bounds[-1], bounds[:-1].sum()
    # Either half of 1/τ as large as the other.
    tau = 1 / max(largest, 1e-300)
    sigma = 0.5 * largest / among if among else 0.0
    batch = _Batch(problem, X, start)
    codes = chain.codes_below(batch.codes)
    for iteration in range(max_iter + 1):
        leftover = problem.leftover(batch.X - codes[0], batch.multipliers)
        if iteration % _BETWEEN_CERTIFICATES == 0 or iteration == max_iter:
            kept = batch.certify(codes, leftover, tol, iteration, is_last=iteration == max_iter)
            if kept is None:
                break
            leftover, codes = leftover[kept], [code[kept] for code in codes]
        batch.codes = problem.shrink(batch.codes + tau * leftover, tau * alphas[-1])
        before, codes = codes, chain.codes_below(batch.codes)
        for layer, v in enumerate(batch.multipliers):
            step = v + sigma * (2 * codes[layer + 1] - before[layer + 1])
            batch.multipliers[layer] = problem.clip(step, alphas[layer])
    return batch.results


def admm(problem, X, start, tol, max_iter):
    """Alternating directions on the codes of all layers (Boyd et al., 2011), with penalties that
    are balanced row by row. The chain is written out as one matrix a layer."""
    system = SplitSystem(problem.chain)
    batch = _Batch(problem, X, start)
    correlations, rho = X @ system.data.T, np.ones(len(X))
    codes = problem.chain.codes_below(batch.codes)
    splits = [code.copy() for code in codes[1:]]
    leftover = problem.leftover(X - codes[0], batch.multipliers)
    scaled = [*(v.copy() for v in batch.multipliers), problem.clip(leftover, problem.alphas[-1])]
    primal = dual = np.ones(len(X))
    for iteration in range(max_iter + 1):
        if iteration % _BETWEEN_CERTIFICATES == 0 or iteration == max_iter:
            batch.codes = splits[-1]
            batch.multipliers = [rho[:, np.newaxis] * u for u in scaled[:-1]]
            codes = problem.chain.codes_below(batch.codes)
            kept = batch.certify(codes, None, tol, iteration, is_last=iteration == max_iter)
            if kept is None:
                break
            correlations, rho = correlations[kept], rho[kept]
            splits, scaled = [w[kept] for w in splits], [u[kept] for u in scaled]
            if 0 < iteration <= _LAST_BALANCE:
                rho = balanced(rho, primal[kept], dual[kept], scaled, splits)
        primal, dual = split_step(problem, system, correlations, splits, scaled, rho)
    return batch.results


def ml_fista_then_primal_dual(problem, X, start, tol, max_iter):
    """ML-FISTA, which is fast at first, and from there the primal-dual method to the minimum."""
    first = ml_fista(problem, X, start, tol, min(max_iter, _FIRST_ITERATIONS))
    left = max_iter - int(first.n_iter.max(initial=0))
    rows = np.flatnonzero(first.certificates > tol)
    if left <= 0 or not len(rows):
        return first
    begin = first.codes[rows], [v[rows] for v in first.multipliers]
    then = primal_dual(problem, X[rows], begin, tol, left)
    for v, new in zip(first.multipliers, then.multipliers, strict=True):
        v[rows] = new
    first.n_iter[rows] += then.n_iter
    for name in ("codes", "certificates", "objectives", "is_done"):
        getattr(first, name)[rows] = getattr(then, name)
    return first


def automatic(problem, X, start, tol, max_iter):
    """Alternating directions where the chain is small enough to be written out."""
    is_small = problem.chain.n_components <= _MOST_WRITTEN_OUT
    solve = admm if is_small else ml_fista_then_primal_dual
    return solve(problem, X, start, tol, max_iter)


HOLISTIC_SOLVERS = {
    "auto": automatic,
    "admm": admm,
    "ml_fista": ml_fista,
    "ml_ista": ml_ista,
    "primal_dual": primal_dual,
}


def solve_holistic(problem, name, X, *, start=None, tol, max_iter):
    """Results of the solver of that name, from codes and multipliers or from zero.

    Parameters
    ----------
    problem : HolisticProblem
    name : str
        A key of ``HOLISTIC_SOLVERS``.
    X : ndarray of float64, shape (n, n_features)
    start : tuple of (codes, multipliers), default=None
    tol, max_iter : float, int

    Returns
    -------
    results : HolisticResults
    """
    return HOLISTIC_SOLVERS[name](problem, X, start, tol, max_iter)


def _multi_layer(problem, X, start, tol, max_iter, momentum):
    chain, alphas = problem.chain, problem.alphas
    steps = 1 / np.maximum(np.cumprod([layer.lipschitz for layer in chain.layers]), 1e-300)
    batch = _Batch(problem, X, start)
    point, momenta = batch.codes, np.ones(len(X))
    for iteration in range(max_iter + 1):
        last, before = 1.0, batch.X
        codes = chain.codes_below(point)
        for k, layer in enumerate(chain.layers):
            pull = layer.correlate(codes[k] - before)
            moved = codes[k + 1] - (steps[k] / last) * pull
            before, last = problem.shrink(moved, steps[k] * alphas[k]), steps[k]
            if k < len(chain.layers) - 1:
                batch.multipliers[k] = (moved - before) / steps[k]
        if iteration % _BETWEEN_CERTIFICATES == 0 or iteration == max_iter:
            largest = np.abs(before - point).max(axis=1, initial=0)
            is_still = largest <= _STILL * tol * np.abs(before).max(axis=1, initial=0)
            if momentum:
                codes = chain.codes_below(batch.codes)
            kept = batch.certify(
                codes, None, tol, iteration, is_last=iteration == max_iter, is_still=is_still
            )
            if kept is None:
                break
            before, point, momenta = before[kept], point[kept], momenta[kept]
        if momentum:
            change = before - batch.codes
            momenta[np.einsum("ij,ij->i", point - before, change) > 0] = 1
            following = (1 + np.sqrt(1 + 4 * momenta**2)) / 2
            point = before + ((momenta - 1) / following)[:, np.newaxis] * change
            momenta = following
        else:
            point = before
        batch.codes = before
    return batch.results


class _Batch:
    """The rows that are not done yet, and the results of those that are.

    What is noted of a row is what it is when it is first done, whatever rows are beside it.
    """

    def __init__(self, problem, X, start):
        self.problem, self.X, n = problem, X, len(X)
        widths = [layer.n_components for layer in problem.chain.layers]
        if start is None:
            self.codes = np.zeros((n, widths[-1]))
            self.multipliers = [np.zeros((n, width)) for width in widths[:-1]]
        else:
            self.codes, self.multipliers = start[0], list(start[1])
        self._rows, self._is_open = np.arange(n), np.ones(n, dtype=bool)
        self.results = HolisticResults(
            np.empty((n, widths[-1])),
            [np.empty((n, width)) for width in widths[:-1]],
            np.empty(n),
            np.empty(n),
            np.zeros(n, dtype=np.intc),
            np.zeros(n, dtype=bool),
        )

    def certify(self, codes, leftover, tol, iteration, *, is_last, is_still=False):
        """Note the rows that are done. Which stay: a mask, or None when all are done."""
        objectives, certificates = self.problem.certificates(
            self.X, codes, self.multipliers, leftover
        )
        is_done = (certificates <= tol) | is_still
        noted = self._is_open & (is_done | is_last)
        rows, results = self._rows[noted], self.results
        results.codes[rows], results.certificates[rows] = self.codes[noted], certificates[noted]
        results.objectives[rows], results.is_done[rows] = objectives[noted], is_done[noted]
        results.n_iter[rows] = iteration
        for out, v in zip(results.multipliers, self.multipliers, strict=True):
            out[rows] = v[noted]
        self._is_open &= ~noted
        if not self._is_open.any():
            return None
        if 1 - self._is_open.mean() < _LEAVING:
            return np.ones_like(self._is_open)
        kept = self._is_open
        self._rows, self.X, self.codes = self._rows[kept], self.X[kept], self.codes[kept]
        self.multipliers = [v[kept] for v in self.multipliers]
        self._is_open = self._is_open[kept]
        return kept
