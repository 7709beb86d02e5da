"""The logistic sigmoid and its integral, softplus."""

import numpy as np

from sklvm.kernels._activation_loops import sigmoid_loop, softplus_loop
from sklvm.kernels._arrays import check_float_array, check_out
from sklvm.kernels._threads import threads_for


def sigmoid(x, out=None, n_threads=None):
    """Logistic sigmoid s(x) = 1 / (1 + exp(-x)), element by element.

    float32 results agree with the exact ones to a relative 3e-7 where those are normal numbers and
    to one unit in the last place where they are subnormal; float64 results to a few units in the
    last place. They are the same bits for every thread count, chunk and CPU.

    Parameters
    ----------
    x : array-like of float32 or float64, any shape
        Infinities give 0 and 1, NaN gives NaN.
    out : ndarray of the shape and dtype of `x` or None, default=None
        Where to write the result; may be `x` itself.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    out : ndarray of the shape and dtype of `x`

    Raises
    ------
    TypeError
        If `x` is neither float32 nor float64, or `out` is not an array of its dtype.
    ValueError
        If `out` has another shape or is read-only.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import sigmoid
    >>> sigmoid(np.array([-np.inf, 0.0, 2.0]))
    array([0.        , 0.5       , 0.88079708])
    """
    return _elementwise(sigmoid_loop, x, out, n_threads)


def softplus(x, out=None, n_threads=None):
    """Softplus S(x) = log(1 + exp(x)), element by element.

    Accurate everywhere, the far left included, where S(x) approaches exp(x): to the same bounds,
    and with the same reproducibility, as :func:`sigmoid`, which is its derivative.

    Parameters
    ----------
    x : array-like of float32 or float64, any shape
        Infinities give 0 and infinity, NaN gives NaN.
    out : ndarray of the shape and dtype of `x` or None, default=None
        Where to write the result; may be `x` itself.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    out : ndarray of the shape and dtype of `x`

    Raises
    ------
    TypeError
        If `x` is neither float32 nor float64, or `out` is not an array of its dtype.
    ValueError
        If `out` has another shape or is read-only.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import softplus
    >>> softplus(np.array([-40.0, 0.0, 40.0]))
    array([4.24835426e-18, 6.93147181e-01, 4.00000000e+01])
    """
    return _elementwise(softplus_loop, x, out, n_threads)


def _elementwise(loop, x, out, n_threads):
    x = check_float_array(x, "x")
    dense = x.flags.c_contiguous or x.flags.f_contiguous
    if out is None:
        result = np.empty_like(x, order="K" if dense else "C")
    else:
        result = check_out(out, x.shape, x.dtype)
    n_threads = threads_for(x.size, n_threads)
    if dense and x.strides == result.strides and not _overlap(x, result):
        loop(x.ravel(order="K"), result.ravel(order="K"), n_threads)
    else:
        copy = np.array(x, order="C")
        loop(copy.ravel(), copy.ravel(), n_threads)
        result[...] = copy
    return result if out is not None or x.ndim else result[()]


def _overlap(x, result):
    # The loop reads an element before it writes it, so that it can work in place.
    return x is not result and np.may_share_memory(x, result)
