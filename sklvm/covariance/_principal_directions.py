"""Eigenvalues and eigenvectors of a covariance, with a rank that does not depend on units."""

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dgejsv

__all__ = ["PrincipalDirections", "of_covariance", "of_rows"]

_EPSILON = float(np.finfo(np.float64).eps)
# Variances of features whose ratio is below this are so alike that an error relative to the
# largest is one relative to each.
_ALIKE = 1e-4


class PrincipalDirections(NamedTuple):
    """The directions that have some variance, C = U diag(λ) Uᵀ.

    Attributes
    ----------
    variances : ndarray of shape (rank,)
        λ, decreasing and positive.
    directions : ndarray of shape (rank, d)
        Uᵀ.
    whitening : ndarray of shape (rank, d), default=None
        diag(λ)^(−½) Uᵀ, each column exact in its own units; None where units are alike, and it is
        as well computed from the others.
    mixing : ndarray of shape (d, rank), default=None
        U diag(λ)^½, each row exact in its own units; None as `whitening`.
    """

    variances: np.ndarray
    directions: np.ndarray
    whitening: np.ndarray = None
    mixing: np.ndarray = None


def of_covariance(covariance, location=0.0, epsilon=_EPSILON):
    """Of a covariance matrix C.

    A direction counts where the *correlation* matrix R has one more eigenvalue above rounding: with
    C = SRS, S the standard deviations, whether features depend on each other has nothing to do with
    their units. Where units differ much, the eigenvalues are those of AAᵀ with A = S V diag(w)^½ of
    R's eigenvectors V and eigenvalues w, by Jacobi's method, which finds the small ones to the same
    relative accuracy as the large ones (Drmač and Veselić, 2008, "New fast and accurate Jacobi SVD
    algorithm"). Data whitened by R, with P = diag(w)^(−½) Vᵀ S⁻¹, differ from those whitened by C
    by a rotation, which is all that the singular vectors of A are needed for.

    Parameters
    ----------
    covariance : ndarray of shape (d, d)
    location : ndarray of shape (d,), default=0.0
        Mean of the data, in proportion to which they were rounded.
    epsilon : float, default=2**-52
        Spacing of the data's floating-point numbers at 1.

    Returns
    -------
    principal : PrincipalDirections
    """
    covariance = np.asarray(covariance, dtype=np.float64)
    scale = np.sqrt(np.maximum(np.diag(covariance), 0))
    varies = np.flatnonzero(scale > 0)
    if not len(varies):
        return PrincipalDirections(np.zeros(0), np.zeros((0, len(scale))))
    scale = scale[varies]
    rounding = _rounding(scale, np.broadcast_to(location, len(covariance))[varies], epsilon)
    block = covariance if len(varies) == len(covariance) else covariance[np.ix_(varies, varies)]
    correlation = block / scale / scale[:, np.newaxis]
    if scale.min() ** 2 >= _ALIKE * scale.max() ** 2:
        variances, vectors = np.linalg.eigh(block)
        rank = len(variances)
        if variances[0] <= rounding / _ALIKE * variances[-1]:
            shares = np.linalg.eigvalsh(correlation)
            rank = np.count_nonzero(shares > rounding * shares[-1])
        kept = slice(None, -rank - 1, -1)
        return _embedded(variances[kept], vectors.T[kept], varies, len(covariance))
    shares, vectors = np.linalg.eigh(correlation)
    kept = shares > rounding * shares[-1]
    roots = np.sqrt(shares[kept])
    half = scale[:, np.newaxis] * vectors[:, kept] * roots
    standard = (vectors[:, kept] / roots).T / scale
    return _embedded(*_in_mixed_units(half, standard), varies, len(covariance))


def of_rows(statistics):
    """Of the centred rows that ``GaussianStatistics`` keep of wide data; by products of rows."""
    rows = statistics.rows / np.sqrt(statistics.weight)
    variances = statistics.variances()
    n_features = len(variances)
    varies = np.flatnonzero(variances > 0)
    if not len(varies):
        return PrincipalDirections(np.zeros(0), np.zeros((0, n_features)))
    if len(varies) < n_features:
        rows = rows[:, varies]
    scale = np.sqrt(variances[varies])
    standard = rows / scale
    shares, vectors = np.linalg.eigh(standard @ standard.T)
    rounding = _rounding(scale, statistics.mean[varies], statistics.epsilon)
    kept = shares > rounding * shares[-1]
    # The part of the rows that is no rounding, as few rows as there are directions.
    core = vectors[:, kept].T @ standard
    if scale.min() ** 2 >= _ALIKE * scale.max() ** 2:
        _, values, directions = np.linalg.svd(core * scale, full_matrices=False)
        return _embedded(values**2, directions, varies, n_features)
    half = (core * scale).T
    return _embedded(
        *_in_mixed_units(half, core / shares[kept, np.newaxis] / scale), varies, n_features
    )


def _rounding(scale, mean, epsilon):
    """Eigenvalues of a correlation matrix below this part of the largest are rounding: of the
    products, which are in double precision, or of the data, the square of whose error it is."""
    of_data = 4 * epsilon**2 * (1 + np.square(mean / scale)).mean()
    return max(len(scale) * _EPSILON, of_data)


def _in_mixed_units(half, standard):
    """λ, Uᵀ, whitening and mixing by A = `half` and P = `standard`, with PA = 1."""
    largest = np.abs(half).max()
    values, directions, rotation, work, _, _ = dgejsv(half / largest, joba=2, jobu=0, jobv=0)
    rank = half.shape[1]
    variances = (values * (work[0] / work[1]) * largest) ** 2
    return variances, directions[:, :rank].T, rotation.T @ standard, half @ rotation


def _embedded(variances, directions, *others):
    """The directions of some features as directions of all."""
    *mixed_units, features, n_features = others
    if len(features) == n_features:
        return PrincipalDirections(variances, directions, *mixed_units)

    def embed(array):
        embedded = np.zeros((len(array), n_features))
        embedded[:, features] = array
        return embedded

    if not mixed_units:
        return PrincipalDirections(variances, embed(directions))
    whitening, mixing = mixed_units
    return PrincipalDirections(variances, embed(directions), embed(whitening), embed(mixing.T).T)
