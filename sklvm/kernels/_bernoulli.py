"""Binary units drawn given their inputs: the inner step of block Gibbs sampling."""

from numbers import Real

import numpy as np

from sklvm.kernels._arrays import check_float_array, check_matching_array, check_out
from sklvm.kernels._random import check_random_index, uniform
from sklvm.kernels._random_loops import bernoulli_loop
from sklvm.kernels._threads import threads_for


def sample_bernoulli(
    activation,
    bias,
    seed,
    *,
    sweep=0,
    layer=0,
    row_offset=0,
    scale=1.0,
    free=None,
    state=None,
    probabilities=None,
    out=None,
    n_threads=None,
):
    """Draw binary units: 1 with probability p = s(scale * (activation + bias)), else 0.

    One pass adds the bias, takes the :func:`sigmoid` and compares it with :func:`uniform` numbers
    u of the same coordinates: a unit is 1 where u < p.

    Parameters
    ----------
    activation : array-like of shape (rows, units), float32 or float64
        Input to each unit, such as X @ W.T.
    bias : array-like of shape (units,), of the dtype of `activation`
    seed : int in [0, 2**64)
    sweep, layer, row_offset : int in [0, 2**32), default=0
        Coordinates of the random numbers, see :func:`uniform`.
    scale : float, default=1.0
        Factor of the input: an inverse temperature.
    free : array-like of bool, of shape (units,) or (rows, units), or None, default=None
        Where it is False, a unit keeps its `state`: it is clamped. None frees them all.
    state : array-like of shape (rows, units) or None, default=None
        The present units; needed with `free`.
    probabilities : ndarray of shape (rows, units) or None, default=None
        Receives p, that of clamped units included.
    out : ndarray of shape (rows, units) or None, default=None
        Where to write the units; may be `activation` or `state` itself.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`. Does not change the result.

    Returns
    -------
    out : ndarray of shape (rows, units) and of the dtype of `activation`
        0 or 1; the entries of `state` where `free` is False.

    Raises
    ------
    TypeError
        If a dtype is not as said here, or a coordinate or `scale` is no number.
    ValueError
        If a shape does not fit, a coordinate is out of its range, `free` comes without `state`, or
        an array to write to is read-only.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import sample_bernoulli
    >>> activation = np.array([[-50.0, -50.0, 50.0]])
    >>> sample_bernoulli(activation, np.zeros(3), seed=0)
    array([[0., 0., 1.]])
    >>> free = np.array([False, True, True])
    >>> sample_bernoulli(activation, np.zeros(3), seed=0, free=free, state=np.ones((1, 3)))
    array([[1., 0., 1.]])
    """
    activation = check_float_array(activation, "activation", ndim=2)
    shape, dtype = activation.shape, activation.dtype
    bias = check_matching_array(bias, "bias", shape[1:], dtype)
    index = check_random_index(shape[0], seed, row_offset, sweep, layer)
    if not isinstance(scale, Real):
        raise TypeError(f"scale must be a number, got {scale!r}.")
    free, state = _check_clamping(free, state, shape, dtype)
    if probabilities is not None:
        check_out(probabilities, shape, dtype, "probabilities")
    if out is not None:
        check_out(out, shape, dtype)
    n_threads = threads_for(activation.size, n_threads)

    units = _target(out, activation, state, probabilities, shape=shape, dtype=dtype)
    p = None
    if probabilities is not None:
        p = _target(probabilities, activation, state, shape=shape, dtype=dtype)
    if activation.size:
        bernoulli_loop(
            np.ascontiguousarray(activation),
            np.ascontiguousarray(bias),
            index,
            float(scale),
            free,
            state,
            p,
            units,
            n_threads,
        )
    if p is not probabilities:
        probabilities[...] = p
    if out is None or units is out:
        return units
    out[...] = units
    return out


def draw_bernoulli(probabilities, seed, *, sweep=0, layer=0):
    """Draw binary units of given probabilities: 1 where u < p, for :func:`uniform` numbers u.

    The draws are those of :func:`sample_bernoulli` at the same coordinates.

    Parameters
    ----------
    probabilities : ndarray of shape (rows, units), float32 or float64
    seed : int in [0, 2**64)
    sweep, layer : int in [0, 2**32), default=0
        Coordinates of the random numbers, see :func:`uniform`.

    Returns
    -------
    units : ndarray of shape (rows, units) and of the dtype of `probabilities`
        0 or 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import draw_bernoulli
    >>> draw_bernoulli(np.array([[0.0, 1.0, 1.0]]), seed=0)
    array([[0., 1., 1.]])
    """
    dtype = probabilities.dtype
    units = uniform(probabilities.shape, seed, sweep=sweep, layer=layer, dtype=dtype)
    return np.less(units, probabilities, out=units)


def _check_clamping(free, state, shape, dtype):
    if free is None:
        return None, None
    free = np.asarray(free)
    if free.dtype != np.bool_:
        raise TypeError(f"free must be of dtype bool, got {free.dtype}.")
    if free.shape not in (shape, shape[1:]):
        raise ValueError(f"free must have shape {shape[1:]} or {shape}, got {free.shape}.")
    if state is None:
        raise ValueError("state must be given with free: it holds the units that are not free.")
    state = np.ascontiguousarray(check_matching_array(state, "state", shape, dtype))
    return np.ascontiguousarray(np.atleast_2d(free)).view(np.uint8), state


def _target(wanted, *inputs, shape, dtype):
    """`wanted` itself if the kernel can write there, else a new array to be copied from."""
    if wanted is None or not wanted.flags.c_contiguous:
        return np.empty(shape, dtype)
    for array in inputs:
        if array is not None and array is not wanted and np.may_share_memory(wanted, array):
            return np.empty(shape, dtype)
    return wanted
