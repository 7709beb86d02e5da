"""Sparse Bayesian codes by fast marginal likelihood."""

from typing import NamedTuple

import numpy as np

from sklvm.kernels._arrays import finite_squared_norms, squared_norms_of
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
    dictionary,
    X,
    *,
    noise_variance=None,
    least_noise_variance=0.0,
    tol=1e-6,
    max_iter=1000,
    n_threads=None,
):
    """Maximise log N(x; 0, σ²I + Σ_k d_k d_kᵀ / α_k) over α, and over σ² if it is not given.

    A step sets one 1/α_k to its optimum, that which gains most, and σ² to its own at fixed α_k σ²:
    both are in closed form, and never lower the evidence. At the end mean, variances, determinant
    and, by ``xᵀC⁻¹x = ‖x − zD‖² + σ² Σ_k α_k z_k²`` at the mean z, the quadratic form of the
    evidence are computed anew: without differences of large numbers it exceeds no bound.

    Parameters
    ----------
    dictionary : ndarray of float64, shape (K, m)
        D.
    X : ndarray of float64, shape (n, m)
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

    Raises
    ------
    ValueError
        Where the square of a row's or an atom's norm leaves the range of double precision.
    """
    D = np.ascontiguousarray(dictionary, dtype=np.float64)
    X = np.ascontiguousarray(X, dtype=np.float64)
    (n_rows, n_features), n_atoms = X.shape, len(D)
    squared_norms = finite_squared_norms(X, "data")
    finite_squared_norms(D, "dictionary")
    gram, correlations = D @ D.T, X @ D.T
    n_threads = threads_for(_PASSES * correlations.size, n_threads)
    largest = min(n_atoms, 2 * n_features)
    doubles = np.empty((n_threads, 4 * n_atoms + 3 * largest + largest * largest))
    places = np.empty((n_threads, 2 * n_atoms), dtype=np.intp)
    means, variances, prior_variances = (np.zeros((n_rows, n_atoms)) for _ in range(3))
    log_dets, gains = np.empty(n_rows), np.empty(n_rows)
    n_iter = np.zeros(n_rows, dtype=np.intc)

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
            means[rows],
            variances[rows],
            prior_variances[rows],
            log_dets[rows],
            gains[rows],
            n_iter[rows],
            doubles,
            places,
            largest,
            n_threads,
        )

    run_in_row_blocks(run, n_rows, n_threads)
    quadratic = squared_norms_of(X - means @ D)
    quadratic += np.divide(
        means**2, prior_variances, out=np.zeros_like(means), where=prior_variances > 0
    ).sum(axis=1)
    if noise_variance is None:
        noise = np.maximum(quadratic / n_features, least_noise_variance)
    else:
        noise = np.full(n_rows, float(noise_variance))
    variances *= noise[:, np.newaxis]
    prior_variances *= noise[:, np.newaxis]
    evidences = -0.5 * (n_features * np.log(2 * np.pi * noise) + log_dets + quadratic / noise)
    return RelevanceResults(means, variances, prior_variances, noise, evidences, gains, n_iter)
