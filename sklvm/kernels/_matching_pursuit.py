"""Sparse codes by orthogonal matching pursuit."""

import numpy as np

from sklvm.kernels._matching_pursuit_loops import matching_pursuit_loop
from sklvm.kernels._row_blocks import run_in_row_blocks
from sklvm.kernels._sparse_code_arrays import PASSES, check_problem
from sklvm.kernels._threads import threads_for


def matching_pursuit_codes(
    gram,
    correlations,
    squared_norms,
    *,
    bound=None,
    exponent=0.0,
    positive=False,
    max_nonzero=None,
    squared_residual=0.0,
    n_threads=None,
):
    """Greedy codes: the atom of largest cosine to the residual joins, and all are refitted.

    Parameters
    ----------
    gram, correlations, squared_norms, n_threads
        As of :func:`coordinate_descent_codes`.
    bound : ndarray of float64, shape (K,) or None, default=None
        With it the code of the path that is least in ½‖x − zD‖² + Σ_k bound_k |z_k|^q is returned,
        the empty one included; None: the end of the path.
    exponent : float in [0, 1], default=0.0
        q.
    positive : bool, default=False
        Whether only atoms of positive correlation join, and the path ends where a coefficient would
        turn negative.
    max_nonzero : int, default=None
        The path ends at that many atoms; None: at all.
    squared_residual : float, default=0.0
        The path ends where ‖x − zD‖² is no greater.

    Returns
    -------
    codes : ndarray of shape (n, K)
    certificates : ndarray of shape (n,)
        The largest correlation of the residual with an atom in use, relative to max |c|: zero, but
        for rounding, where the coefficients are the best on their support.
    objectives : ndarray of shape (n,)
        ½‖x − zD‖², plus the penalty if there is one.
    n_iter : ndarray of int, shape (n,)
        Steps.
    """
    codes = np.zeros(np.shape(correlations))
    n_rows, n_atoms = codes.shape
    gram, checked_bound, correlations, squared_norms = check_problem(
        gram, np.zeros(n_atoms) if bound is None else bound, correlations, squared_norms, codes
    )
    bound = None if bound is None else checked_bound
    n_threads = threads_for(PASSES * correlations.size, n_threads)
    norms = np.sqrt(np.diagonal(gram))
    inverse_norms = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
    most = n_atoms if max_nonzero is None else min(max_nonzero, n_atoms)
    room = (
        np.empty((n_threads, most * (most + 1) // 2)),
        np.empty((n_threads, 2 * most + n_atoms)),
        np.empty((n_threads, most), dtype=np.intp),
    )
    certificates, objectives = np.empty(n_rows), np.empty(n_rows)
    n_iter = np.zeros(n_rows, dtype=np.intc)

    def run(rows):
        matching_pursuit_loop(
            gram,
            inverse_norms,
            bound,
            exponent,
            positive,
            squared_residual,
            correlations[rows],
            squared_norms[rows],
            codes[rows],
            certificates[rows],
            objectives[rows],
            n_iter[rows],
            *room,
            n_threads,
        )

    run_in_row_blocks(run, n_rows, n_threads)
    return codes, certificates, objectives, n_iter
