"""Sparse Bayesian codes by fast marginal likelihood."""

from typing import NamedTuple

import numpy as np

from sklvm.kernels._automatic_relevance_loops import automatic_relevance_loop
from sklvm.kernels._row_blocks import run_in_row_blocks
from sklvm.kernels._threads import threads_for

__all__ = ["RelevanceResults", "automatic_relevance_codes"]

_PASSES = 64


class RelevanceResults(NamedTuple):
    """What is known of the codes of n rows.

    Attributes
    ----------
    means, variances, prior_variances : ndarray of shape (n, K)
        Of the posterior, and 1 / α; zero for atoms that are ruled out.
    noise_variances : ndarray of shape (n,)
    log_evidences : ndarray of shape (n,)
        In nats.
    gains : ndarray of shape (n,)
        What the best further step would add to the evidence.
    n_iter : ndarray of int, shape (n,)
    """

    means: np.ndarray
    variances: np.ndarray
    prior_variances: np.ndarray
    noise_variances: np.ndarray
    log_evidences: np.ndarray
    gains: np.ndarray
    n_iter: np.ndarray


def automatic_relevance_codes(
    gram,
    correlations,
    squared_norms,
    n_features,
    *,
    noise_variance=None,
    least_noise_variance=0.0,
    tol=1e-6,
    max_iter=1000,
    n_threads=None,
):
    """Maximise log N(x; 0, σ²I + Σ_k d_k d_kᵀ / α_k) over α, and over σ² if it is not given.

    A step sets one 1/α_k to its optimum, that which gains most, and σ² to its own at fixed α_k σ²:
    both are in closed form, and never lower the evidence.

    Parameters
    ----------
    gram : ndarray of float64, shape (K, K)
        D Dᵀ.
    correlations : ndarray of float64, shape (n, K)
        x Dᵀ.
    squared_norms : ndarray of float64, shape (n,)
        ‖x‖².
    n_features : int
    noise_variance : float, default=None
        σ²; None: one for each row, that of greatest evidence.
    least_noise_variance : float, default=0.0
        What that is at least.
    tol : float, default=1e-6
        Gain, in nats, of a step that is not worth it.
    max_iter : int, default=1000
        Greatest number of steps.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    results : RelevanceResults
    """
    gram = np.ascontiguousarray(gram, dtype=np.float64)
    correlations = np.ascontiguousarray(correlations, dtype=np.float64)
    squared_norms = np.ascontiguousarray(squared_norms, dtype=np.float64)
    n_rows, n_atoms = correlations.shape
    n_threads = threads_for(_PASSES * correlations.size, n_threads)
    largest = min(n_atoms, 2 * n_features)
    doubles = np.empty((n_threads, 3 * n_atoms + 3 * largest + largest * largest))
    places = np.empty((n_threads, 2 * n_atoms), dtype=np.intp)
    results = RelevanceResults(
        *(np.zeros((n_rows, n_atoms)) for _ in range(3)),
        *(np.empty(n_rows) for _ in range(3)),
        np.zeros(n_rows, dtype=np.intc),
    )

    def run(rows):
        automatic_relevance_loop(
            gram,
            correlations[rows],
            squared_norms[rows],
            n_features,
            noise_variance or 0.0,
            least_noise_variance,
            tol,
            max_iter,
            *(array[rows] for array in results),
            doubles,
            places,
            largest,
            n_threads,
        )

    run_in_row_blocks(run, n_rows, n_threads)
    return results
