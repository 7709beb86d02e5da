"""Importance weights of a variational posterior: what bounds log p(x) from below."""

import numpy as np

from sklvm.energies import prior_energy
from sklvm.kernels import standard_normal
from sklvm.rows import slices

__all__ = ["log_importance_weights"]

# Of the widest layer, for all draws and rows that are decoded at a time.
MAX_ENTRIES = 2**19


def log_importance_weights(energy, theta, encoder, phi, X, n_draws, width):
    """log w_s(x) = log p(x, z_s) − log q(z_s|x) at z_s = μ(x) + L(x)ε_s, shape (n, n_draws).

    The ε_s are the same draws from N(0, I) for every row and every call. The mean of w_s is an
    unbiased estimate of p(x); hence the mean of log w_s and the log of the mean of w_s are, in
    expectation, lower bounds of log p(x), the second the tighter one, increasing in S (Burda,
    Grosse & Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, theorem 1). A weight
    whose parts overflow is zero, with which they are lower bounds still.

    Parameters
    ----------
    energy : Decoder
    theta : ndarray
        Its parameters.
    encoder : GaussianEncoder
    phi : ndarray
        Its parameters.
    X : ndarray of shape (n, d)
    n_draws : int
        S.
    width : int
        Of the widest layer: decoded rows are taken so many at a time that it takes 4 MB.
    """
    noise = standard_normal((n_draws, energy.n_components), seed=0, dtype=theta.dtype)
    log_weights = np.empty((len(X), n_draws), dtype=theta.dtype)
    n_decoded = max(1, MAX_ENTRIES // width)
    for draws in slices(n_draws, n_decoded):
        some = noise[draws, np.newaxis]
        for rows in slices(len(X), max(1, n_decoded // len(some))):
            encoding = encoder.encode(phi, X[rows])
            Z = encoding.draw(some)
            given = np.tile(X[rows], (len(some), 1))
            errors, _ = energy.evaluate_given(theta, given, Z.reshape(len(given), -1))
            log_ratio = -prior_energy(Z) - encoding.log_density(Z, some)
            log_weights[rows, draws] = (log_ratio - errors.reshape(Z.shape[:2])).T
    log_weights[np.isnan(log_weights)] = -np.inf
    return log_weights
