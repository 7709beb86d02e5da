"""Sweeps over binary units that are coupled with each other."""

from numbers import Integral

import numpy as np

from sklvm.kernels._arrays import check_float_array, check_matching_array, check_out
from sklvm.kernels._random import uniform
from sklvm.kernels._site_loops import MAX_LANES, pair_matrix_loop, site_loop, sparse_site_loop
from sklvm.kernels._threads import threads_for

__all__ = ["pair_matrix", "settle_sites", "sweep_sites", "sweep_sparse_sites"]

# What a site costs, in elements of an ordinary pass.
_COST = 16


def pair_matrix(values, n_units):
    """The symmetric matrix with diagonal 0 that has given values above its diagonal.

    Parameters
    ----------
    values : array-like of shape (n_units * (n_units - 1) / 2,), float32 or float64
        Row by row of the upper triangle.
    n_units : int

    Returns
    -------
    matrix : ndarray of shape (n_units, n_units)

    Raises
    ------
    TypeError
        For another dtype.
    ValueError
        For another number of values.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import pair_matrix
    >>> pair_matrix(np.array([1.0, 2.0, 3.0]), 3)
    array([[0., 1., 2.],
           [1., 0., 3.],
           [2., 3., 0.]])
    """
    values = check_float_array(values, "values", 1)
    check_matching_array(values, "values", (n_units * (n_units - 1) // 2,), values.dtype)
    matrix = np.empty((n_units, n_units), dtype=values.dtype)
    if n_units < 2:
        matrix[...] = 0
    else:
        pair_matrix_loop(np.ascontiguousarray(values), matrix)
    return matrix


def sweep_sites(
    states,
    inputs,
    couplings,
    bias,
    seed,
    *,
    sweep=0,
    layer=0,
    scale=1.0,
    free=None,
    n_threads=None,
):
    """A sweep of Gibbs sampling over binary units that are all coupled, in place. ::

        p(x_j = 1 | others) = s(scale u_j + b_j),    u = Jx

    Units are drawn in their order. A unit that changes changes the inputs u of the others, by a row
    of J; what stays costs nothing but its random number.

    Parameters
    ----------
    states : ndarray of shape (n, d), float32 or float64, C-contiguous
        x, a chain a row; overwritten. It may start at any numbers; units that move become 0 or 1.
    inputs : ndarray of shape (n, d), of the same dtype, C-contiguous
        u = x J of the states; brought up to date. Rounding errors add up over sweeps, to 1e-5 of an
        input in 100 sweeps in single precision.
    couplings : array-like of shape (d, d), of the same dtype
        J, symmetric with diagonal 0; neither is checked.
    bias : array-like of shape (d,) or (n, d), of the same dtype
        b.
    seed : int in [0, 2**64)
    sweep, layer : int in [0, 2**32), default=0
        Coordinates of the random numbers, see :func:`uniform`.
    scale : float, default=1.0
        Factor of u: an inverse temperature.
    free : array-like of bool, of shape (d,) or (n, d), default=None
        The units that may move; None: all.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`. Does not change the result.

    Returns
    -------
    states : ndarray
        The same array.

    Raises
    ------
    TypeError
        If a dtype is not as said here.
    ValueError
        If a shape is not, or an array to write to is read-only or not C-contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import sweep_sites
    >>> J = np.array([[0.0, 50.0], [50.0, 0.0]])  # the second unit follows the first
    >>> states = np.ones((4, 2))
    >>> sweep_sites(states, states @ J, J, np.array([-25.0, -25.0]), seed=0)[0]
    array([1., 1.])
    """
    couplings, bias, free = _checked(states, inputs, couplings, bias, free)
    draws = uniform(states.shape, seed, sweep=sweep, layer=layer, dtype=states.dtype)
    n_threads = threads_for(_COST * states.size, n_threads)
    changes = np.ones(len(states), dtype=np.int64)
    if states.size:
        site_loop(
            couplings, bias, float(scale), 0.0, draws, free, states, inputs, changes, 1, n_threads
        )
    return states


def settle_sites(
    states, inputs, couplings, bias, *, low=0, free=None, max_sweeps=100, n_threads=None
):
    """Each unit to its more probable state given the others, until none changes, in place.

    Units are visited in their order; a row ends at a state that no change of a single unit makes
    more probable. A unit of which both states are equally probable stays as it is.

    Parameters
    ----------
    states, inputs, couplings, bias, free, n_threads
        As in :func:`sweep_sites`.
    low : {0, -1}, default=0
        The other state beside 1. Spins of −1 and 1 have p(s_j = 1 | others) = s(2u_j + 2b_j).
    max_sweeps : int, default=100

    Returns
    -------
    has_settled : ndarray of bool, shape (n,)
        Whether the last sweep over a row changed nothing.

    Raises
    ------
    TypeError, ValueError
        As in :func:`sweep_sites`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import settle_sites
    >>> pattern = np.array([1.0, -1.0, 1.0, 1.0])
    >>> J = np.outer(pattern, pattern) - np.eye(4)
    >>> states = pattern * [[1, 1, 1, -1]]
    >>> settle_sites(states, states @ J, J, np.zeros(4), low=-1)
    array([ True])
    >>> states
    array([[ 1., -1.,  1.,  1.]])
    """
    couplings, bias, free = _checked(states, inputs, couplings, bias, free)
    if not isinstance(max_sweeps, Integral) or max_sweeps < 1:
        raise ValueError(f"max_sweeps must be an integer of at least 1, got {max_sweeps!r}.")
    changes = np.ones(len(states), dtype=np.int64)
    if states.size:
        n_threads = threads_for(_COST * states.size, n_threads)
        site_loop(
            couplings,
            bias,
            1.0,
            float(low),
            None,
            free,
            states,
            inputs,
            changes,
            int(max_sweeps),
            n_threads,
        )
    return changes == 0


def sweep_sparse_sites(
    states, graph, weights, bias, seed, *, sweep=0, layer=0, scale=1.0, free=None, n_threads=None
):
    """A sweep of Gibbs sampling over binary units with few neighbours each, in place.

    As :func:`sweep_sites`, one colour of units after the other: those of a colour are not coupled
    with each other. Chains are drawn side by side, sixteen at a time.

    Parameters
    ----------
    states : ndarray of shape (n, d), float32 or float64, C-contiguous
        x, a chain a row; overwritten.
    graph : SiteGraph
        Which units are coupled.
    weights : array-like of shape (n_edges,), of the same dtype
        J of the graph's edges.
    bias, seed, sweep, layer, scale, free, n_threads
        As in :func:`sweep_sites`.

    Returns
    -------
    states : ndarray
        The same array.

    Raises
    ------
    TypeError, ValueError
        As in :func:`sweep_sites`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.graphs import SiteGraph
    >>> from sklvm.kernels import sweep_sparse_sites
    >>> graph = SiteGraph(3, [(0, 1), (1, 2)])
    >>> states, bias = np.array([[1.0, 0.0, 0.0]]), np.full(3, -50.0)
    >>> sweep_sparse_sites(states, graph, np.array([100.0, 0.0]), bias, 0, free=[False, True, True])
    array([[1., 1., 0.]])
    """
    _check_states(states)
    dtype = states.dtype
    weights = check_matching_array(weights, "weights", (graph.n_edges,), dtype)
    bias, free = _rows(bias, "bias", states, dtype), _mask(free, states)
    draws = uniform(states.shape, seed, sweep=sweep, layer=layer, dtype=dtype)
    n_threads = threads_for(states.size, n_threads)
    if states.size:
        sparse_site_loop(
            graph.sites,
            graph.starts,
            graph.neighbours,
            weights[graph.slot_edges],
            bias,
            float(scale),
            draws,
            free,
            np.empty((n_threads, 2 * MAX_LANES * states.shape[1]), dtype=dtype),
            states,
            n_threads,
        )
    return states


def _checked(states, inputs, couplings, bias, free):
    _check_states(states)
    shape, dtype = states.shape, states.dtype
    check_out(inputs, shape, dtype, "inputs")
    if not inputs.flags.c_contiguous:
        raise ValueError("inputs must be C-contiguous.")
    couplings = check_matching_array(couplings, "couplings", (shape[1], shape[1]), dtype)
    return np.ascontiguousarray(couplings), _rows(bias, "bias", states, dtype), _mask(free, states)


def _check_states(states):
    check_out(states, check_float_array(states, "states", 2).shape, states.dtype, "states")
    if not states.flags.c_contiguous:
        raise ValueError("states must be C-contiguous.")


def _rows(values, name, states, dtype):
    """One row for all chains, or one for each, of the states' width."""
    values = np.asarray(values)
    if values.dtype != dtype:
        raise TypeError(f"{name} must be of dtype {dtype}, got {values.dtype}.")
    if values.shape not in (states.shape, states.shape[1:]):
        raise ValueError(
            f"{name} must have shape {states.shape[1:]} or {states.shape}, got {values.shape}."
        )
    return np.ascontiguousarray(np.atleast_2d(values))


def _mask(free, states):
    if free is None:
        return None
    return _rows(free, "free", states, np.dtype(np.bool_)).view(np.uint8)
