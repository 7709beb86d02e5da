"""Maps of a layer of an adaptive deconvolutional network, and their switches."""

from typing import NamedTuple

import numpy as np

from sklvm.sparse_coding.layered._pooling import pool, pool_at, unpool

__all__ = ["InferredMaps", "infer_maps"]

# How often a step is halved before its row is given up.
_HALVINGS = 40


class InferredMaps(NamedTuple):
    """Maps of rows, and how good they are.

    Attributes
    ----------
    maps : ndarray of shape (n, rows, columns, K)
        With at most one entry in a pool.
    switches : ndarray of int, shape (n, *pooled shape)
    objectives : ndarray of shape (n,)
        ½‖x − R z‖² + α ‖z‖₁.
    certificates : ndarray of shape (n,)
        Duality gap of the lasso on the entries at the switches, relative to the objective.
    n_iter : ndarray of int, shape (n,)
    """

    maps: np.ndarray
    switches: np.ndarray
    objectives: np.ndarray
    certificates: np.ndarray
    n_iter: np.ndarray


def infer_maps(chain, images, alpha, *, positive, start=None, tol, max_iter):
    """ISTA through the chain, in which switches change only where the objective falls.

    A step z̃ = S_{α/L}(z + Rᵀ(x − R z) / L) is pooled and unpooled, which sets the switches anew.
    Where the objective of a row does not fall by that, z̃ is taken at the switches that there are,
    and where that does not help either, the step is halved: at L ≥ ‖R‖² it does. L starts at the
    curvature along the gradient.

    Parameters
    ----------
    chain : SwitchedChain
    images : ndarray of shape (n, rows, columns, channels)
    alpha : float
    positive : bool
    start : tuple of (maps, switches), default=None
        None: zero.
    tol : float
        A row is done with that certificate.
    max_iter : int

    Returns
    -------
    inferred : InferredMaps
    """
    size = chain.layers[-1].pool_size
    n = len(images)
    gradients = chain.correlate(images)
    if start is None:
        maps = np.zeros_like(gradients)
        switches = pool(gradients, size)[1]
        residuals = images.copy()
    else:
        maps, switches = start[0].copy(), start[1].copy()
        residuals = images - chain.synthesize(maps)
    objectives = _objectives(residuals, maps, alpha)
    certificates, n_iter = np.zeros(n), np.zeros(n, dtype=np.intc)
    curvatures = None
    rows = np.arange(n)
    for iteration in range(max_iter + 1):
        part = chain.rows(rows)
        g = part.correlate(residuals[rows])
        here = pool_at(g, switches[rows], size)
        largest = np.max(here if positive else np.abs(here), axis=(1, 2, 3), initial=0)
        certificates[rows] = _gaps(images[rows], residuals[rows], objectives[rows], largest, alpha)
        going = (certificates[rows] > tol) & (iteration < max_iter)
        n_iter[rows] = iteration
        rows, g, part = rows[going], g[going], part.rows(going)
        if not len(rows):
            break
        if curvatures is None:
            curvatures = np.ones(n)
        if iteration == 0:
            curvatures[rows] = _rayleigh(part, g)
        state = maps, switches, residuals, objectives, curvatures
        stuck = _step(part, images, rows, g, *state, alpha, positive)
        rows = rows[~stuck]
        if not len(rows):
            break
    return InferredMaps(maps, switches, objectives, certificates, n_iter)


def _step(
    chain, images, rows, g, maps, switches, residuals, objectives, curvatures, alpha, positive
):
    """One step of these rows, in place; which of them can go no further."""
    size, waiting = chain.layers[-1].pool_size, np.arange(len(rows))
    pools = size != (1, 1, 1)
    for _ in range(_HALVINGS):
        at = rows[waiting]
        L = curvatures[at][:, np.newaxis, np.newaxis, np.newaxis]
        moved = maps[at] + g[waiting] / L
        if positive:
            moved = np.maximum(moved - alpha / L, 0)
        else:
            moved -= np.clip(moved, -alpha / L, alpha / L)
        for refreshes in (True, False) if pools else (True,):
            pooled, new = pool(moved, size)
            if not refreshes:
                new = switches[at]
                pooled = pool_at(moved, new, size)
            candidate = unpool(pooled, new, size)
            part = chain.rows(waiting)
            left = images[at] - part.synthesize(candidate)
            values = _objectives(left, candidate, alpha)
            falls = values < objectives[at]
            done = at[falls]
            maps[done], switches[done] = candidate[falls], new[falls]
            residuals[done], objectives[done] = left[falls], values[falls]
            waiting, at, moved = waiting[~falls], at[~falls], moved[~falls]
            if not len(waiting):
                return np.zeros(len(rows), dtype=bool)
        curvatures[at] *= 2
    stuck = np.zeros(len(rows), dtype=bool)
    stuck[waiting] = True
    return stuck


def _objectives(residuals, maps, alpha):
    values = 0.5 * np.einsum("nijc,nijc->n", residuals, residuals)
    return values + alpha * np.abs(maps).sum(axis=(1, 2, 3))


def _gaps(images, residuals, objectives, largest, alpha):
    """With the dual point a multiple of the residual; `largest` of its products with atoms."""
    product = np.einsum("nijc,nijc->n", residuals, images)
    square = np.einsum("nijc,nijc->n", residuals, residuals)
    best = np.divide(product, square, out=np.zeros(len(square)), where=square > 0)
    bound = np.divide(alpha, largest, out=np.full(len(square), np.inf), where=largest > 0)
    scale = np.clip(best, 0, bound)
    dual = scale * product - 0.5 * scale**2 * square
    floor = 0.5e-6 * np.einsum("nijc,nijc->n", images, images)
    return (objectives - dual) / np.maximum(np.maximum(objectives, floor), 1e-300)


def _rayleigh(chain, g):
    """‖R g‖² / ‖g‖² of each row."""
    images = chain.synthesize(g)
    above = np.einsum("nijc,nijc->n", images, images)
    below = np.einsum("nijk,nijk->n", g, g)
    ratios = np.divide(above, below, out=np.ones(len(g)), where=below > 0)
    return np.where(ratios > 0, ratios, 1.0)
