"""Products of matrices the first of which may be mostly zero."""

import numpy as np

from sklvm.kernels._arrays import FLOATS
from sklvm.kernels._sparse_product_loops import (
    count_nonzeros,
    list_nonzeros,
    product_loop,
    transpose_lists,
)
from sklvm.kernels._threads import effective_n_threads, threads_for

# Of A's entries; with more of them nonzero BLAS is the faster, if it has no more threads.
MAX_DENSITY = 0.35

# Multiplications of the dense product, below which the search for zeros does not pay.
MIN_MULTIPLICATIONS = 2**20

# A pass over as many elements takes as long.
MULTIPLICATIONS_AN_ELEMENT = 16


def product(A, B, out=None, n_threads=None):
    """A @ B, at a cost in proportion to A's nonzero entries where those are few.

    Binary data, and draws of binary units, mostly are zero: a row of the product is then a sum of
    few rows of B. Numpy's product it is where more than a third of A is not zero (with two threads
    for BLAS a sixth, for it shares out less work than pays here), B is not C-contiguous, dtypes
    differ, or the matrices are small. The two agree to rounding.

    Parameters
    ----------
    A : ndarray of shape (n, m)
    B : ndarray of shape (m, k)
    out : ndarray of shape (n, k) or None, default=None
        Where to write the product; must not overlap A or B.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`; of the sums of rows.

    Returns
    -------
    out : ndarray of shape (n, k)

    Raises
    ------
    ValueError
        If a shape does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import product
    >>> product(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 2.],
           [3., 4.]])
    """
    lists = _nonzeros(A, B, out, 1, n_threads)
    if lists is None:
        return np.matmul(A, B, out=out)
    return _sum_rows(lists, B, A.shape[0], out, n_threads)


def transposed_product(A, B, out=None, n_threads=None):
    """Aᵀ @ B as in :func:`product`, for A of shape (m, n) and B of shape (m, k).

    Parameters
    ----------
    A : ndarray of shape (m, n)
    B : ndarray of shape (m, k)
    out : ndarray of shape (n, k) or None, default=None
        Where to write the product; must not overlap A or B.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`; of the sums of rows.

    Returns
    -------
    out : ndarray of shape (n, k)

    Raises
    ------
    ValueError
        If a shape does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import transposed_product
    >>> transposed_product(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0], [2.0]]))
    array([[3.],
           [0.]])
    """
    lists = _nonzeros(A, B, out, 0, n_threads)
    if lists is None:
        return np.matmul(A.T, B, out=out)
    return _sum_rows(transpose_lists(*lists, A.shape[1]), B, A.shape[1], out, n_threads)


def _nonzeros(A, B, out, summed_axis, n_threads):
    """A's nonzero entries as CSR lists; None where the product is better left to BLAS."""
    n_columns = B.shape[-1]
    if A.size * n_columns < MIN_MULTIPLICATIONS or A.dtype not in FLOATS:
        return None
    shapes = ((B, (A.shape[summed_axis], n_columns)), (out, (A.shape[1 - summed_axis], n_columns)))
    for array, shape in shapes:
        if array is not None and not (
            array.shape == shape and array.dtype == A.dtype and array.flags.c_contiguous
        ):
            return None
    A = np.ascontiguousarray(A)
    starts = count_nonzeros(A)
    share_of_threads = _threads_of_sums(starts, B, n_threads) / effective_n_threads()
    if starts[-1] > MAX_DENSITY * share_of_threads * A.size:
        return None
    return starts, *list_nonzeros(A, starts)


def _sum_rows(lists, B, n_rows, out, n_threads):
    out = np.empty((n_rows, B.shape[1]), B.dtype) if out is None else out
    product_loop(*lists, B, out, _threads_of_sums(lists[0], B, n_threads))
    return out


def _threads_of_sums(starts, B, n_threads):
    return threads_for(int(starts[-1]) * B.shape[1] // MULTIPLICATIONS_AN_ELEMENT, n_threads)
