"""Sparse codes by coordinate descent."""

import numpy as np

from sklvm.kernels._coordinate_descent_loops import coordinate_descent_loop
from sklvm.kernels._row_blocks import run_in_row_blocks
from sklvm.kernels._sparse_code_arrays import PASSES, check_problem
from sklvm.kernels._threads import threads_for


def coordinate_descent_codes(
    gram,
    bound,
    correlations,
    squared_norms,
    codes,
    *,
    exponent=1.0,
    positive=False,
    lipschitz,
    tol=1e-6,
    max_iter=1000,
    n_threads=None,
):
    """Minimise ½ z G zᵀ − c zᵀ + Σ_k bound_k |z_k|^q for each row c, coordinate by coordinate.

    Each coordinate goes to its exact minimum, z_k ← prox(z_k + g_k / G_kk), so that the objective
    never increases. With q < 1 the end is a point that no coordinate alone can improve.

    Parameters
    ----------
    gram : ndarray of float64, shape (K, K)
        G, positive semi-definite: that of the atoms, plus the ridge of an elastic net.
    bound : ndarray of float64, shape (K,)
        Non-negative.
    correlations : ndarray of float64, shape (n, K)
        c = x Dᵀ.
    squared_norms : ndarray of float64, shape (n,)
        ‖x‖².
    codes : ndarray of float64, shape (n, K), C-contiguous
        The codes to start from; overwritten by the result.
    exponent : float in [0, 1], default=1.0
        q.
    positive : bool, default=False
        Whether z ≥ 0.
    lipschitz : float
        The largest eigenvalue of `gram`, the scale of the proximal residual.
    tol : float, default=1e-6
        Certificate at which a row ends: the relative duality gap if q = 1, and otherwise the
        proximal residual max |z − prox(z + g / L)| relative to the larger of max |z|, max |c| / L.
    max_iter : int, default=1000
        Greatest number of epochs.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    certificates, objectives : ndarray of shape (n,)
    n_iter : ndarray of int, shape (n,)
        Epochs.
    """
    gram, bound, correlations, squared_norms = check_problem(
        gram, bound, correlations, squared_norms, codes
    )
    n_rows, n_atoms = correlations.shape
    n_threads = threads_for(PASSES * correlations.size, n_threads)
    room = np.empty((n_threads, n_atoms)), np.empty((n_threads, n_atoms), dtype=np.intp)
    certificates, objectives = np.empty(n_rows), np.empty(n_rows)
    n_iter = np.zeros(n_rows, dtype=np.intc)

    def run(rows):
        coordinate_descent_loop(
            gram,
            bound,
            exponent,
            positive,
            lipschitz,
            correlations[rows],
            squared_norms[rows],
            codes[rows],
            certificates[rows],
            objectives[rows],
            n_iter[rows],
            tol,
            max_iter,
            *room,
            n_threads,
        )

    run_in_row_blocks(run, n_rows, n_threads)
    return certificates, objectives, n_iter
