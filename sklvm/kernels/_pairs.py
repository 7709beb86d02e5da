"""Products of all pairs of columns."""

import numpy as np

from sklvm.kernels._arrays import check_float_array, check_matching_array
from sklvm.kernels._pair_loops import pair_loop, pair_vjp_loop
from sklvm.kernels._threads import threads_for


def pairwise_products(X, n_threads=None):
    """X_a X_b for all pairs of columns a ≤ b, in the order of ``numpy.triu_indices``.

    Parameters
    ----------
    X : array-like of float32 or float64, shape (n, w)
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    products : ndarray of shape (n, w (w + 1) / 2)

    Raises
    ------
    TypeError
        If `X` is neither float32 nor float64.
    ValueError
        If `X` does not have two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import pairwise_products
    >>> pairwise_products(np.array([[1.0, 2.0, 3.0]]))
    array([[1., 2., 3., 4., 6., 9.]])
    """
    X = np.ascontiguousarray(check_float_array(X, "X", ndim=2))
    products = np.empty((len(X), _n_pairs(X)), dtype=X.dtype)
    if products.size:
        pair_loop(X, products, threads_for(products.size, n_threads))
    return products


def pairwise_products_vjp(X, products_bar, n_threads=None):
    """The pullback of ``pairwise_products``: Σ over pairs of products_bar · ∂(X_a X_b)/∂X.

    Parameters
    ----------
    X : array-like of float32 or float64, shape (n, w)
    products_bar : array-like of X's dtype, shape (n, w (w + 1) / 2)
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    X_bar : ndarray of shape (n, w)

    Raises
    ------
    TypeError
        If a dtype is not as said here.
    ValueError
        If a shape is not.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import pairwise_products_vjp
    >>> pairwise_products_vjp(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 10.0]]))
    array([[ 2., 40.]])
    """
    X = np.ascontiguousarray(check_float_array(X, "X", ndim=2))
    products_bar = np.ascontiguousarray(
        check_matching_array(products_bar, "products_bar", (len(X), _n_pairs(X)), X.dtype)
    )
    X_bar = np.empty_like(X)
    if X.size:
        pair_vjp_loop(X, products_bar, X_bar, threads_for(products_bar.size, n_threads))
    return X_bar


def _n_pairs(X):
    return X.shape[1] * (X.shape[1] + 1) // 2
