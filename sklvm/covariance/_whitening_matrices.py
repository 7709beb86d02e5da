"""The matrices of a whitening, from principal directions."""

from typing import NamedTuple

import numpy as np

__all__ = ["WhiteningMatrices", "whitening_matrices"]


class WhiteningMatrices(NamedTuple):
    """A whitening W and the way back.

    Attributes
    ----------
    whitening : ndarray of shape (m, d)
        W.
    mixing : ndarray of shape (d, m)
        The pseudo-inverse of W.
    variances : ndarray of shape (n_kept,)
        λ of the kept directions.
    scales : ndarray of shape (n_kept,)
        √(λ + regularization).
    """

    whitening: np.ndarray
    mixing: np.ndarray
    variances: np.ndarray
    scales: np.ndarray


def whitening_matrices(principal, n_kept, regularization, method):
    """The whitening that keeps so many directions.

    Parameters
    ----------
    principal : PrincipalDirections
    n_kept : int
    regularization : float
        Added to the variances λ.
    method : {"zca", "pca"}
        Whether outputs are features again, or the principal directions.

    Returns
    -------
    matrices : WhiteningMatrices
    """
    rank = len(principal.variances)
    kept = np.zeros(n_kept)
    kept[:rank] = principal.variances[:n_kept]
    directions = principal.directions[:n_kept]
    if n_kept > rank and regularization > 0:
        directions = _completed(directions, n_kept)
    scales = np.sqrt(kept + regularization)
    inverse_scales = np.divide(1, scales, out=np.zeros_like(scales), where=scales > 0)
    whitening = inverse_scales[: len(directions), np.newaxis] * directions
    mixing = scales[: len(directions)] * directions.T
    if principal.whitening is not None:
        # As exact in each feature's units; what is added to λ shrinks the one.
        n_exact = min(rank, n_kept)
        shrinkage = np.sqrt(kept[:n_exact]) * inverse_scales[:n_exact]
        whitening[:n_exact] = shrinkage[:, np.newaxis] * principal.whitening[:n_exact]
        mixing[:, :n_exact] = principal.mixing[:, :n_exact] / shrinkage
    if method == "zca":
        return WhiteningMatrices(directions.T @ whitening, mixing @ directions, kept, scales)
    # The largest entry of a direction is positive, as in scikit-learn.
    largest = np.argmax(np.abs(directions), axis=1)
    signs = np.sign(np.take_along_axis(directions, largest[:, np.newaxis], axis=1))[:, 0]
    return WhiteningMatrices(whitening * signs[:, np.newaxis], mixing * signs, kept, scales)


def _completed(directions, n_directions):
    """Further directions, orthogonal to these."""
    complement, _ = np.linalg.qr(directions.T, mode="complete")
    return np.vstack([directions, complement.T[len(directions) : n_directions]])
