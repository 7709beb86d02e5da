"""Power penalties, their proximal maps, and proximal gradient steps."""

import numpy as np

from sklvm.kernels._arrays import check_float_array, check_matching_array
from sklvm.kernels._proximal_loops import penalty_loop, proximal_map_loop, proximal_step_loop
from sklvm.kernels._threads import threads_for


def proximal_map(X, thresholds, exponent=1.0, positive=False, n_threads=None):
    """argmin_z ½(z − x)² + t_k |z|^q for each entry x of column k, 0 ≤ q ≤ 1.

    Closed forms for q = 0 (hard threshold), ½, ⅔ and 1 (soft threshold), Newton's method otherwise.
    Of two minima, at the threshold, it is zero.

    Parameters
    ----------
    X : array-like of float64, shape (n, K)
    thresholds : array-like of float64, shape (K,)
        t, non-negative.
    exponent : float in [0, 1], default=1.0
        q.
    positive : bool, default=False
        Whether z ≥ 0.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    Z : ndarray of shape (n, K)

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import proximal_map
    >>> proximal_map(np.array([[3.0, -0.5]]), np.ones(2))
    array([[2., 0.]])
    """
    X = _rows(X, "X")
    thresholds = _per_column(thresholds, "thresholds", X)
    out = np.empty_like(X)
    if X.size:
        proximal_map_loop(X, thresholds, exponent, positive, out, threads_for(X.size, n_threads))
    return out


def power_penalty(Z, bound, exponent=1.0, n_threads=None):
    """Σ_k bound_k |z_k|^q for each row, with |0|⁰ = 0.

    Parameters
    ----------
    Z : array-like of float64, shape (n, K)
    bound : array-like of float64, shape (K,)
    exponent : float in [0, 1], default=1.0
        q.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    values : ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import power_penalty
    >>> power_penalty(np.array([[3.0, -0.5]]), np.ones(2), exponent=0.0)
    array([2.])
    """
    Z = _rows(Z, "Z")
    bound = _per_column(bound, "bound", Z)
    values = np.zeros(len(Z))
    if Z.size:
        penalty_loop(Z, bound, exponent, values, threads_for(Z.size, n_threads))
    return values


def proximal_step(
    correlations,
    squared_norms,
    codes,
    last_codes,
    products,
    last_products,
    momenta,
    objectives,
    *,
    bound,
    exponent,
    positive,
    lipschitz,
    tol,
    n_threads=None,
):
    """Certify codes and compute the next ones, by ISTA or FISTA, in one pass over the rows.

    With the products z G of these codes and of the last, that of a code extrapolated from the two
    is a combination: an iteration takes this pass and one matrix product.

    Parameters
    ----------
    correlations, squared_norms, bound, exponent, positive, lipschitz
        As of :func:`coordinate_descent_codes`.
    codes, products : ndarray of float64, shape (n, K), C-contiguous
        z and z G. Where momentum led uphill, without convexity, they go back to the last.
    last_codes, last_products : ndarray of float64, shape (n, K), C-contiguous
        Those before. `last_codes` is overwritten by the next codes, or by `codes` where these are
        within `tol`.
    momenta : ndarray of shape (n,)
        FISTA's t, 1 at the start; 0 for ISTA. Updated.
    objectives : ndarray of shape (n,)
        Those of the last codes; overwritten by those of `codes`.
    tol : float
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    certificates : ndarray of shape (n,)
    """
    certificates = np.empty(len(codes))
    proximal_step_loop(
        correlations,
        squared_norms,
        codes,
        last_codes,
        products,
        last_products,
        momenta,
        objectives,
        certificates,
        np.empty_like(codes),
        bound,
        exponent,
        positive,
        lipschitz,
        tol,
        threads_for(codes.size, n_threads),
    )
    return certificates


def _rows(X, name):
    return np.ascontiguousarray(check_float_array(X, name, ndim=2), dtype=np.float64)


def _per_column(values, name, X):
    values = np.ascontiguousarray(values, dtype=np.float64)
    return check_matching_array(values, name, (X.shape[1],), np.dtype(np.float64))
