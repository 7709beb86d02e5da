"""Codes within the bounds of every layer: a convex feasibility problem."""

from typing import NamedTuple

import numpy as np

__all__ = ["FeasibleResults", "feasible_codes", "violations"]

_BETWEEN_CHECKS = 10


class FeasibleResults(NamedTuple):
    """Codes of all layers, one row a sample.

    Attributes
    ----------
    codes : list of ndarray of shape (n, n_components of a layer)
    violations : ndarray of shape (n,)
        The greatest part by which a bound is exceeded; 0: none is.
    is_infeasible : ndarray of bool, shape (n,)
        Whether it is proved that no codes keep the bounds.
    n_iter : ndarray of int, shape (n,)
    """

    codes: list
    violations: np.ndarray
    is_infeasible: np.ndarray
    n_iter: np.ndarray


def feasible_codes(chain, X, max_residual, max_norm, *, positive=False, tol, max_iter):
    """Codes with ‖z_{l−1} − z_l D_l‖ ≤ ε_l and ‖z_l‖₁ ≤ μ_l on every layer, z_0 = x, if there are.

    All constraints are convex in all codes together. The primal-dual method of Chambolle and Pock
    (2011) has multipliers y_l of the residuals: ::

        z_l ← Π_l(z_l − τ (y_{l+1} − y_l D_lᵀ)),   y_l ← shrunken by σ ε_l: y_l + σ r_l,

    where Π_l projects onto the ball of norm μ_l. For all codes that keep the bounds, ::

        0 ≥ ⟨y_1, x⟩ − Σ_l ε_l ‖y_l‖ − Σ_l μ_l ‖y_l D_lᵀ − y_{l+1}‖_∞,

    and multipliers at which the right side is positive prove that there are none.

    Parameters
    ----------
    chain : ComposedDictionary
    X : ndarray of float64, shape (n, n_features)
    max_residual, max_norm : ndarray of shape (n_layers,)
        ε and μ.
    positive : bool, default=False
        Whether z_l ≥ 0.
    tol : float
        By what part of it a bound may be exceeded.
    max_iter : int

    Returns
    -------
    results : FeasibleResults
    """
    layers, n = chain.layers, len(X)
    out = FeasibleResults(
        [np.zeros((n, layer.n_components)) for layer in layers],
        np.zeros(n),
        np.zeros(n, dtype=bool),
        np.zeros(n, dtype=np.intc),
    )
    # The operator of all residuals: the identity of the layer below, and the dictionary.
    norm = max(np.sqrt(layer.lipschitz) for layer in layers) + (len(layers) > 1)
    step = 0.99 / max(norm, 1e-300)
    rows, codes = np.arange(n), [code.copy() for code in out.codes]
    y = [np.zeros((n, layer.n_features)) for layer in layers]
    residuals = _residuals(layers, X, codes)
    for iteration in range(max_iter + 1):
        gradients = [
            layer.correlate(y[k]) - (y[k + 1] if k + 1 < len(layers) else 0)
            for k, layer in enumerate(layers)
        ]
        if iteration % _BETWEEN_CHECKS == 0 or iteration == max_iter:
            excess = violations(residuals, codes, max_residual, max_norm)
            bound = np.einsum("ij,ij->i", y[0], X)
            for k, gradient in enumerate(gradients):
                largest = np.max(gradient if positive else np.abs(gradient), axis=1, initial=0)
                bound -= max_residual[k] * np.linalg.norm(y[k], axis=1) + max_norm[k] * largest
            # Rounding must not prove anything.
            size = np.linalg.norm(y[0], axis=1) * np.linalg.norm(X, axis=1)
            impossible = bound > 1e-9 * size
            goes = (excess <= tol) | impossible | (iteration == max_iter)
            if goes.any():
                done = rows[goes]
                for array, code in zip(out.codes, codes, strict=True):
                    array[done] = code[goes]
                out.violations[done], out.is_infeasible[done] = excess[goes], impossible[goes]
                out.n_iter[done] = iteration
                if goes.all():
                    break
                rows, X = rows[~goes], X[~goes]
                codes, y, residuals, gradients = (
                    [array[~goes] for array in arrays]
                    for arrays in (codes, y, residuals, gradients)
                )
        codes = [
            _onto_ball(code + step * gradient, norm, positive)
            for code, gradient, norm in zip(codes, gradients, max_norm, strict=True)
        ]
        before, residuals = residuals, _residuals(layers, X, codes)
        for k, epsilon in enumerate(max_residual):
            moved = y[k] + step * (2 * residuals[k] - before[k])
            lengths = np.linalg.norm(moved, axis=1, keepdims=True)
            y[k] = moved * np.maximum(0, 1 - step * epsilon / np.maximum(lengths, 1e-300))
    return out


def violations(residuals, codes, max_residual, max_norm):
    """The greatest part by which each row exceeds a bound."""
    excess = np.zeros(len(codes[0]))
    for r, code, epsilon, mu in zip(residuals, codes, max_residual, max_norm, strict=True):
        np.maximum(excess, np.linalg.norm(r, axis=1) / epsilon - 1, out=excess)
        np.maximum(excess, np.abs(code).sum(axis=1) / mu - 1, out=excess)
    return excess


def _residuals(layers, X, codes):
    below = [X, *codes]
    return [below[k] - layer.synthesize(codes[k]) for k, layer in enumerate(layers)]


def _onto_ball(U, radius, positive):
    """The nearest codes of norm ‖u‖₁ ≤ radius (Duchi et al., 2008)."""
    sizes = np.maximum(U, 0) if positive else np.abs(U)
    outside = sizes.sum(axis=1) > radius
    threshold = np.zeros((len(U), 1))
    if outside.any():
        ordered = -np.sort(-sizes[outside], axis=1)
        means = (np.cumsum(ordered, axis=1) - radius) / np.arange(1, U.shape[1] + 1)
        count = np.maximum((ordered > means).sum(axis=1), 1)  # 0 by rounding
        threshold[outside, 0] = np.take_along_axis(means, count[:, np.newaxis] - 1, axis=1)[:, 0]
    shrunken = np.maximum(sizes - threshold, 0)
    return shrunken if positive else np.copysign(shrunken, U)
