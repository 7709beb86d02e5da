"""Exact inference on chains: forward–backward and Viterbi's recursion."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from sklvm.kernels._arrays import check_matching_array
from sklvm.kernels._chain_loops import chain_marginal_loop, chain_path_loop
from sklvm.kernels._threads import threads_for

__all__ = ["ChainMarginals", "chain_best_path", "chain_marginals"]

# Range of the log-potentials, in nats, beyond which probabilities would underflow: e^-600 is well
# above the smallest normal number.
MAX_RANGE = 600.0
_FLOAT64 = np.dtype(np.float64)
_LANES = 8
_MAX_BLOCKS = 64


class ChainMarginals(NamedTuple):
    """What forward–backward tells of sequences.

    Attributes
    ----------
    log_partition : ndarray of shape (n_sequences,)
    marginals : ndarray of shape (n, n_labels)
        P(y_t = j).
    pair_sums : ndarray of shape (n_labels, n_labels)
        Σ over sequences and neighbouring rows of weight · P(y_t = i, y_{t+1} = j).
    """

    log_partition: np.ndarray
    marginals: np.ndarray
    pair_sums: np.ndarray


def chain_marginals(unary, transitions, starts, weights=None, n_threads=None):
    """Marginals and log Z of chains P(y) = exp(Σ_t u_t(y_t) + Σ_t A(y_t, y_{t+1})) / Z.

    Parameters
    ----------
    unary : array-like of float64, shape (n, n_labels)
        u, the rows of all sequences one after the other.
    transitions : array-like of float64, shape (n_labels, n_labels)
        A.
    starts : array-like of int, shape (n_sequences + 1,)
        Rows ``starts[i]`` to ``starts[i + 1]`` are sequence i; rising, from 0 to n.
    weights : array-like of float64, shape (n_sequences,), default=None
        Of each sequence in ``pair_sums``; None: 1.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    result : ChainMarginals

    Raises
    ------
    TypeError
        If a dtype is not as said here.
    ValueError
        If a shape is not, or `starts` does not rise from 0 to n.

    Notes
    -----
    Where log-potentials range over more than 600 nats, all is done again with logarithms, by numpy:
    slower by far, but nothing underflows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import chain_marginals
    >>> result = chain_marginals(np.zeros((3, 2)), np.array([[np.log(3), 0.0], [0.0, 0.0]]), [0, 3])
    >>> np.exp(result.log_partition).round(6)  # 9 + 3 + 3 + five times 1
    array([20.])
    >>> (20 * result.marginals[0]).round(6)
    array([14.,  6.])
    """
    unary, transitions, starts = _checked(unary, transitions, starts)
    n, n_labels = unary.shape
    n_sequences = len(starts) - 1
    if weights is None:
        weights = np.ones(n_sequences)
    weights = np.ascontiguousarray(
        check_matching_array(weights, "weights", (n_sequences,), _FLOAT64)
    )
    top = transitions.max()
    factors = np.exp(transitions - top)
    blocks = _blocks(n_sequences, n, n_labels)
    stride = _stride(n_labels)
    n_threads = threads_for(unary.size * n_labels, n_threads)
    marginals = np.empty((n, n_labels))
    pairs = np.zeros((len(blocks) - 1, n_labels, stride))
    partitions = np.empty((n_sequences, 4))
    chain_marginal_loop(
        unary,
        starts,
        weights,
        _padded(factors),
        _padded(factors.T),
        blocks,
        np.empty((n_threads, 2 + 2 * np.diff(starts).max(), stride)),
        marginals,
        pairs,
        partitions,
        n_threads,
    )
    mantissa, exponent, offset, spread = partitions.T
    wide = spread + (top - transitions.min()) > MAX_RANGE
    if np.any(wide):
        return _in_logarithms(unary, transitions, starts, weights)
    log_partition = np.log(mantissa) + exponent * np.log(2) + offset
    log_partition += (np.diff(starts) - 1) * top
    pair_sums = pairs[:, :, :n_labels].sum(axis=0) * factors
    return ChainMarginals(log_partition, marginals, pair_sums)


def chain_best_path(unary, transitions, starts, n_threads=None):
    """The labels of greatest Σ_t u_t(y_t) + Σ_t A(y_t, y_{t+1}), by Viterbi's recursion.

    Parameters
    ----------
    unary, transitions, starts, n_threads
        As in :func:`chain_marginals`.

    Returns
    -------
    labels : ndarray of int32, shape (n,)
        Of equally good ones those with the lowest labels, from the last row on.

    Raises
    ------
    TypeError, ValueError
        As in :func:`chain_marginals`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import chain_best_path
    >>> unary = np.array([[2.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    >>> chain_best_path(unary, np.eye(2), [0, 3]), chain_best_path(unary, np.eye(2), [0, 1, 2, 3])
    (array([0, 0, 0], dtype=int32), array([0, 1, 0], dtype=int32))
    """
    unary, transitions, starts = _checked(unary, transitions, starts)
    n, n_labels = unary.shape
    stride = _stride(n_labels)
    n_threads = threads_for(unary.size * n_labels, n_threads)
    labels = np.empty(n, dtype=np.int32)
    chain_path_loop(
        unary,
        starts,
        _padded(transitions),
        np.empty((n_threads, 2, stride)),
        np.empty((n_threads, np.diff(starts).max(), stride), dtype=np.int32),
        labels,
        n_threads,
    )
    return labels


def _checked(unary, transitions, starts):
    unary, starts = np.asarray(unary), np.asarray(starts)
    if unary.ndim != 2 or 0 in unary.shape:
        raise ValueError(f"unary must have 2 dimensions and entries, got shape {unary.shape}.")
    check_matching_array(unary, "unary", unary.shape, _FLOAT64)
    transitions = check_matching_array(transitions, "transitions", (unary.shape[1],) * 2, _FLOAT64)
    if not np.issubdtype(starts.dtype, np.integer):
        raise TypeError(f"starts must hold integers, got dtype {starts.dtype}.")
    if (
        starts.ndim != 1
        or len(starts) < 2
        or starts[0] != 0
        or starts[-1] != len(unary)
        or np.any(np.diff(starts) < 1)
    ):
        raise ValueError(f"starts must rise from 0 to {len(unary)}, got {starts}.")
    return (
        np.ascontiguousarray(unary),
        np.ascontiguousarray(transitions),
        np.ascontiguousarray(starts, dtype=np.int64),
    )


def _blocks(n_sequences, n_rows, n_labels):
    """Limits of blocks of sequences; they depend on the data alone, and so does their sum."""
    n_blocks = max(1, min(_MAX_BLOCKS, n_sequences, n_rows // (4 * n_labels)))
    return np.linspace(0, n_sequences, n_blocks + 1).astype(np.int64)


def _stride(n_labels):
    return -(-n_labels // _LANES) * _LANES


def _padded(matrix):
    padding = ((0, 0), (0, _stride(len(matrix)) - len(matrix)))
    return np.ascontiguousarray(np.pad(matrix, padding))


def _in_logarithms(unary, transitions, starts, weights):
    log_partition = np.empty(len(starts) - 1)
    marginals = np.empty_like(unary)
    pair_sums = np.zeros_like(transitions)
    for i, (start, end) in enumerate(pairwise(starts)):
        u = unary[start:end]
        forward, backward = u.copy(), np.zeros_like(u)
        for t in range(1, len(u)):
            forward[t] += logsumexp(forward[t - 1][:, np.newaxis] + transitions, axis=0)
        for t in range(len(u) - 1, 0, -1):
            backward[t - 1] = logsumexp(transitions + (u[t] + backward[t]), axis=1)
        log_z = log_partition[i] = logsumexp(forward[-1])
        marginals[start:end] = np.exp(forward + backward - log_z)
        for t in range(1, len(u)):
            log_pair = forward[t - 1][:, np.newaxis] + transitions + (u[t] + backward[t] - log_z)
            pair_sums += weights[i] * np.exp(log_pair)
    return ChainMarginals(log_partition, marginals, pair_sums)
