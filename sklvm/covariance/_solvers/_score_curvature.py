"""The Hessian of the score matching criterion on the space of matrices with given zeros."""

import numpy as np

__all__ = ["score_curvature"]


def score_curvature(covariance, pattern):
    """The map V → the pattern's entries of ½(CV + VC).

    Where rows have few free entries, each column of CV on them is one small product; otherwise the
    product is dense.

    Parameters
    ----------
    covariance : ndarray of shape (d, d)
        C, symmetric.
    pattern : SymmetricPattern
        The free entries.

    Returns
    -------
    apply : callable
        From the vector of V to that of its image.
    """
    if pattern.degree**2 > 8 * pattern.n_features:
        return lambda v: pattern.gather_symmetrized(covariance @ pattern.dense(v))

    columns, positions, valid = pattern.neighbours
    blocks = covariance[columns[:, :, np.newaxis], columns[:, np.newaxis, :]]
    places = np.full((pattern.n_features, pattern.n_features), -1)
    features, slots = np.nonzero(valid)
    places[features, columns[valid]] = features * pattern.degree + slots
    upper = places[pattern.rows, pattern.columns]
    lower = places[pattern.columns, pattern.rows]

    def apply(v):
        by_column = np.where(valid, v[positions], 0)
        product = np.matmul(blocks, by_column[:, :, np.newaxis]).ravel()
        return (product[upper] + product[lower]) / 2

    return apply
