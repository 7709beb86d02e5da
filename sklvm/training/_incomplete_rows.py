"""Rows with missing entries, and sparse rows, made into what an energy understands."""

import numpy as np
from scipy.sparse import issparse

from sklvm.samplers import BlockGibbs

__all__ = ["as_dense", "completed", "starting_rows"]

N_SWEEPS = 10
MAX_STARTING_ROWS = 5000


def as_dense(X):
    """X, as an ndarray."""
    return X.toarray() if issparse(X) else X


def completed(X, energy, theta, means, rng):
    """X dense and of θ's dtype, its missing entries drawn from p(x_missing | x_observed; θ).

    The draws are those of block Gibbs sampling with the observed units clamped, started at the
    running means. With them a likelihood's gradient is, in expectation, that of the observed
    entries' likelihood (Fisher's identity); the entries have to be missing at random.
    """
    X = as_dense(X).astype(theta.dtype, copy=False)
    if means is None or not (missing := np.isnan(X)).any():
        return X
    incomplete = missing.any(axis=1)
    free = missing[incomplete]
    gibbs = BlockGibbs(energy, free)
    start = np.where(free, means.visible, X[incomplete])
    X = X.copy()
    X[incomplete] = gibbs.step(theta, gibbs.init(start, int(rng.integers(2**63))), N_SWEEPS).visible
    return X


def starting_rows(X, weights, rng):
    """Dense and complete rows to start from, and their weights.

    Complete dense data are taken as they are. Of sparse data it is at most 5,000 rows, drawn at
    random. Missing entries are draws from the observed ones of their column.

    Raises
    ------
    ValueError
        Where a feature has no observed value.
    """
    if issparse(X):
        if len(weights) > MAX_STARTING_ROWS:
            rows = np.sort(rng.choice(len(weights), MAX_STARTING_ROWS, replace=False))
            X, weights = X[rows], weights[rows]
        X = X.toarray()
    missing = np.isnan(X)
    if not missing.any():
        return X, weights
    if np.any(empty := missing.all(axis=0)):
        raise ValueError(f"Features {np.flatnonzero(empty).tolist()} have no observed value.")
    X = X.copy()
    for column, gaps in zip(X.T, missing.T, strict=True):
        column[gaps] = rng.choice(column[~gaps], gaps.sum())
    return X, weights
