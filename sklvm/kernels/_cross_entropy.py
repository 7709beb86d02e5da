"""The cross-entropy of bits with their log-odds: minus the Bernoulli log-likelihood."""

import numpy as np

from sklvm.kernels._arrays import check_float_array, check_matching_array, check_out
from sklvm.kernels._cross_entropy_loops import cross_entropy_loop
from sklvm.kernels._threads import threads_for


def cross_entropy(log_odds, X, residual=None, n_threads=None):
    """Σ_j S(u_j) − x_j u_j for each row, S the :func:`softplus`; s(u) − x beside it.

    It is −log p(x) of independent bits that are 1 with probability s(u_j), s the :func:`sigmoid`,
    and s(u_j) − x_j its derivative in u_j. Both come from one exponential, in one pass, and are
    the same bits for every thread count, chunk of rows and CPU.

    Parameters
    ----------
    log_odds : array-like of shape (rows, units), float32 or float64
        u.
    X : array-like of shape (rows, units), of the dtype of `log_odds`
        x. An entry that is NaN is missing: it adds 0, and its derivative is 0.
    residual : ndarray of shape (rows, units) or None, default=None
        Receives s(u) − x. Contiguous.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    values : ndarray of shape (rows,)
        Summed in float64.

    Raises
    ------
    TypeError
        If a dtype is not as said here.
    ValueError
        If a shape is not, or `residual` is read-only or not contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import cross_entropy
    >>> cross_entropy(np.array([[0.0, 2.0]]), np.array([[1.0, np.nan]]))
    array([0.69314718])
    """
    log_odds = np.ascontiguousarray(check_float_array(log_odds, "log_odds", ndim=2))
    shape, dtype = log_odds.shape, log_odds.dtype
    X = np.ascontiguousarray(check_matching_array(X, "X", shape, dtype))
    if residual is not None:
        check_out(residual, shape, dtype, "residual")
        if not residual.flags.c_contiguous:
            raise ValueError("residual must be contiguous, as it is written to directly.")
    values = np.zeros(shape[0], dtype=dtype)
    if log_odds.size:
        cross_entropy_loop(log_odds, X, values, residual, threads_for(X.size, n_threads))
    return values
