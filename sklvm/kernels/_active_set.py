"""Sparse codes of an l1 penalty by block active sets."""

import numpy as np

from sklvm.kernels._active_set_loops import active_set_loop
from sklvm.kernels._row_blocks import run_in_row_blocks
from sklvm.kernels._sparse_code_arrays import PASSES, check_problem
from sklvm.kernels._threads import threads_for


def active_set_codes(
    gram,
    bound,
    correlations,
    squared_norms,
    codes,
    *,
    positive=False,
    tol=1e-6,
    max_iter=1000,
    rank=None,
    n_threads=None,
):
    """Minimise ½ z G zᵀ − c zᵀ + Σ_k bound_k |z_k| for each row c by block working sets.

    A round adds the atoms of largest violation and minimises over the support directly, by a
    Cholesky factor that is kept and changed. It ends at a relative duality gap of `tol`, the
    minimum up to rounding, or after `max_iter` rounds.

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
    positive : bool, default=False
        Whether z ≥ 0.
    tol : float, default=1e-6
        Relative duality gap at which a row ends.
    max_iter : int, default=1000
        Greatest number of rounds.
    rank : int, default=None
        What the rank of `gram` cannot exceed; None: K.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    gaps : ndarray of shape (n,)
        Relative duality gap that each row reached.
    objectives : ndarray of shape (n,)
        ½‖x − zD‖² + Σ_k bound_k |z_k| (and the ridge).
    n_iter : ndarray of int, shape (n,)
        Rounds.
    """
    gram, bound, correlations, squared_norms = check_problem(
        gram, bound, correlations, squared_norms, codes
    )
    n_rows, n_atoms = correlations.shape
    n_threads = threads_for(PASSES * correlations.size, n_threads)
    inverse = np.divide(1, bound, out=np.zeros_like(bound), where=bound > 0)
    largest = n_atoms if rank is None else min(rank, n_atoms)
    room = (
        np.empty((n_threads, largest * (largest + 1) // 2)),
        np.empty((n_threads, 4 * largest + 2 * n_atoms)),
        np.empty((n_threads, largest), dtype=np.intp),
        np.zeros((n_threads, n_atoms), dtype=np.int8),
    )
    gaps, objectives = np.empty(n_rows), np.empty(n_rows)
    n_iter = np.zeros(n_rows, dtype=np.intc)

    def run(rows):
        active_set_loop(
            gram,
            bound,
            inverse,
            positive,
            correlations[rows],
            squared_norms[rows],
            codes[rows],
            gaps[rows],
            objectives[rows],
            n_iter[rows],
            tol,
            max_iter,
            *room,
            n_threads,
        )

    run_in_row_blocks(run, n_rows, n_threads)
    return gaps, objectives, n_iter
