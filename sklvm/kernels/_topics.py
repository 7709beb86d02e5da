"""Passes over documents: expected and drawn topics of their words, and the words' probability.

Documents are rows of a CSR matrix of word counts. Tables over topics have rows that are padded by
zeros to ``padded_width(n_topics)``; tables of words have one row a word.
"""

import numpy as np

from sklvm.kernels._arrays import check_matching_array
from sklvm.kernels._random import check_random_index, uniform
from sklvm.kernels._threads import threads_for
from sklvm.kernels._topic_loops import (
    collapse_loop,
    expect_topics_loop,
    left_to_right_loop,
    sample_topics_loop,
)

__all__ = [
    "collapse_topics",
    "expect_topics",
    "left_to_right_probabilities",
    "padded_width",
    "sample_topics",
]

_LANES = 8


def padded_width(n_topics):
    """Columns of a table over topics: a multiple of 8."""
    return -(-n_topics // _LANES) * _LANES


def expect_topics(
    X,
    table,
    prior,
    counts,
    *,
    digamma=False,
    max_iter=1,
    tol=0.0,
    weights=None,
    statistics=None,
    n_threads=None,
):
    """Expected numbers of words of each topic in each document, by fixed-point iteration.

    ::

        N_dk ← t_dk Σ_w n_dw B_wk / p_dw,      p_dw = Σ_k t_dk B_wk,      t_dk = f(N_dk + α_k),

    with f(c) = c, or f(c) = exp ψ(c) as in variational Bayes. With f(c) = c and α = 0 an iteration
    is one of expectation–maximisation for the document's topic proportions.

    Parameters
    ----------
    X : CSR array of shape (n, V)
        Word counts, of float32 or float64.
    table : ndarray of shape (V, width)
        B, of X's dtype, as all other arrays.
    prior : ndarray of shape (width,)
        α.
    counts : ndarray of shape (n, width)
        N, the start; it is overwritten by the end.
    digamma : bool, default=False
        Whether f(c) = exp ψ(c).
    max_iter : int, default=1
        Largest number of iterations.
    tol : float, default=0.0
        A document ends where Σ_k |ΔN_dk| is at most `tol` times its number of words.
    weights : ndarray of shape (n,), default=None
        v, by which documents count in the statistics; None: one.
    statistics : ndarray of shape (V, width), default=None
        Σ_d v_d n_dw t_dk B_wk / p_dw of the last iteration is added to it, on one thread.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    p : ndarray of shape (nnz,)
        p_dw at the nonzeros of X, in the last iteration.
    shares : ndarray of shape (n, width)
        t in the last iteration.
    n_iter : ndarray of int, shape (n,)
    """
    starts, words, values = _documents(X)
    dtype = values.dtype
    width = np.shape(table)[1]
    table = check_matching_array(table, "table", (X.shape[1], width), dtype)
    check_matching_array(counts, "counts", (X.shape[0], width), dtype)
    if statistics is None:
        n_threads = threads_for(max_iter * X.nnz * width, n_threads)
    else:
        check_matching_array(statistics, "statistics", (X.shape[1], width), dtype)
        n_threads = 1
    p = np.empty(X.nnz, dtype=dtype)
    counts[np.diff(starts) == 0] = 0
    shares = np.array(counts + prior)
    n_iter = np.zeros(X.shape[0], dtype=np.intc)
    expect_topics_loop(
        starts,
        words,
        values,
        _weights(weights, X.shape[0], dtype),
        table,
        check_matching_array(prior, "prior", (width,), dtype),
        digamma,
        max_iter,
        tol,
        counts,
        shares,
        np.empty((n_threads, width), dtype=dtype),
        p,
        statistics,
        n_iter,
        n_threads,
    )
    return p, shares, n_iter


def collapse_topics(X, prior, beta, assignments, counts, table, totals, statistics, weights=None):
    """One pass of collapsed variational Bayes of order zero over documents, one after the other.

    ::

        γ_dwk ∝ (N_dk − γ_dwk + α_k) (M_wk − γ_dwk + β) / (T_k − γ_dwk + βV)

    with N, M and T the sums n_dw γ_dwk over a document, a word, and all, documents at their weight
    in M and T; each is brought up to date after each word of each document (Asuncion, Welling,
    Smyth and Teh, UAI 2009, section 2.3).

    Parameters
    ----------
    X : CSR array of shape (n, V)
        Word counts, of float32 or float64.
    prior : ndarray of shape (width,)
        α, zero where topics are padded.
    beta : float
    assignments : ndarray of shape (nnz, width)
        γ; overwritten.
    counts, table, totals : ndarrays of shape (n, width), (V, width), (width,)
        N, M and T, which hold the share of γ; overwritten.
    statistics : ndarray of shape (V, width)
        Σ_d v_d n_dw γ_dwk of the new γ is added to it.
    weights : ndarray of shape (n,), default=None
        v, by which documents count in M, T and the statistics; None: one.

    Returns
    -------
    p : ndarray of shape (nnz,)
        Σ_k of the right-hand side at each word, over (Σ_w n_dw − 1 + Σ_k α_k): its probability
        given all other words.
    """
    starts, words, values = _documents(X)
    dtype, width = values.dtype, len(prior)
    for name, array, shape in (
        ("assignments", assignments, (X.nnz, width)),
        ("counts", counts, (X.shape[0], width)),
        ("table", table, (X.shape[1], width)),
        ("totals", totals, (width,)),
        ("prior", prior, (width,)),
        ("statistics", statistics, (X.shape[1], width)),
    ):
        check_matching_array(array, name, shape, dtype)
    p = np.empty(X.nnz, dtype=dtype)
    if X.nnz:
        collapse_loop(
            starts,
            words,
            values,
            _weights(weights, X.shape[0], dtype),
            prior,
            prior.sum(),
            beta,
            beta * X.shape[1],
            assignments,
            counts,
            table,
            totals,
            np.empty(width, dtype=dtype),
            p,
            statistics,
        )
    return p


def sample_topics(X, prior, beta, topics, counts, table, totals, seed, *, sweep=0, row_offset=0):
    """One sweep of collapsed Gibbs sampling over the topics of all tokens.

    Each topic is drawn from (Griffiths and Steyvers, PNAS 2004, eq. 5)

    ::

        p(z = k | all others) ∝ (N_dk + α_k) (M_wk + β) / (T_k + βV).

    Parameters
    ----------
    X : CSR array of shape (n, V)
        Word counts, of int32.
    prior : ndarray of float32, shape (width,)
        α, zero where topics are padded.
    beta : float
    topics : ndarray of int32, shape (n_tokens,)
        z of each token, documents one after the other, and in them the words in X's order;
        overwritten.
    counts, table : ndarrays of float32, shape (n, width) and (V, width)
        N and M; overwritten.
    totals : ndarray of float64, shape (width,)
        T; overwritten.
    seed : int in [0, 2**64)
        Token j of row i takes the random number at (row_offset + i, j, sweep).
    sweep, row_offset : int, default=0

    Returns
    -------
    p : ndarray of float32, shape (n_tokens,)
        Σ_k of the right-hand side for each token, over (its document's length − 1 + Σ_k α_k): its
        probability given the topics of all others.
    """
    starts, words, values = _documents(X, np.int32)
    width = len(prior)
    lengths = np.add.reduceat(np.append(values, 0), starts[:-1]) if len(starts) > 1 else []
    lengths = np.where(np.diff(starts) > 0, lengths, 0)
    token_starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    single, double = np.dtype(np.float32), np.dtype(np.float64)
    for name, array, shape, dtype in (
        ("prior", prior, (width,), single),
        ("topics", topics, (token_starts[-1],), np.dtype(np.int32)),
        ("counts", counts, (X.shape[0], width), single),
        ("table", table, (X.shape[1], width), single),
        ("totals", totals, (width,), double),
    ):
        check_matching_array(array, name, shape, dtype)
    p = np.empty(len(topics), dtype=np.float32)
    if not len(topics):
        return p
    seed, row_offset, sweep, _ = check_random_index(X.shape[0], seed, row_offset, sweep, 0)
    uniforms = _ragged_uniform(lengths, seed, sweep, row_offset)
    beta_sum = beta * X.shape[1]
    scale = (1 / (totals + beta_sum)).astype(np.float32)
    sample_topics_loop(
        starts,
        words,
        values,
        token_starts,
        prior,
        prior.sum(),
        beta,
        beta_sum,
        uniforms,
        topics,
        counts,
        table,
        totals,
        scale,
        np.empty(width, dtype=np.float32),
        p,
    )
    return p


def left_to_right_probabilities(
    X, table, prior, *, n_particles=20, n_moved=64, seed=0, n_threads=None
):
    """p(w_i | w_1, …, w_{i−1}) of each token under given topics, by a particle filter.

    Before token i every particle moves the topics of `n_moved` earlier tokens (of all, where they
    are fewer) by Gibbs sampling, and estimates Σ_k B_wk (N_k + α_k)/(i + Σ_k α_k), with N the
    counts of its topics. Particles are weighted by these, and drawn anew where few have most of the
    weight. The product over a document is an unbiased estimate of its probability (Wallach et al.,
    ICML 2009, algorithm 3, with weights that make it so; Gilks and Berzuini, JRSS B 63, 2001). The
    random numbers are the same for every document, whatever its row.

    Parameters
    ----------
    X : CSR array of shape (n, V)
        Word counts. A count that is not whole has a last word that is a fraction of one.
    table : ndarray of float64, shape (V, width)
        B_wk = p(w | topic k).
    prior : ndarray of float64, shape (width,)
        α, zero where topics are padded.
    n_particles : int, default=20
    n_moved : int, default=64
    seed : int in [0, 2**64), default=0
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    p : ndarray of shape (n_tokens,)
        Documents one after the other, and in them the words in X's order.
    fractions : ndarray of shape (n_tokens,)
        1, or the fraction that a word is.
    token_starts : ndarray of int, shape (n + 1,)
        Where each document's tokens begin.
    """
    starts, words, values = _documents(X)
    width = len(prior)
    double = np.dtype(np.float64)
    table = check_matching_array(table, "table", (X.shape[1], width), double)
    prior = check_matching_array(prior, "prior", (width,), double)
    per_entry = np.ceil(values).astype(np.int64)
    tokens = np.repeat(words, per_entry)
    ends = np.concatenate([[0], np.cumsum(per_entry)])
    token_starts = ends[starts].astype(np.int32)
    fractions = np.ones(len(tokens))
    fractions[ends[1:][per_entry > 0] - 1] = (values - per_entry + 1)[per_entry > 0]
    p = np.empty(len(tokens))
    if len(tokens):
        longest = int(np.diff(token_starts).max())
        n_threads = threads_for(
            len(tokens) * width * n_particles * min(n_moved, longest), n_threads
        )
        left_to_right_loop(
            token_starts,
            tokens,
            fractions,
            table,
            prior,
            float(prior.sum()),
            n_particles,
            n_moved,
            seed,
            p,
            np.empty((n_threads, n_particles * (longest + 1)), dtype=np.int32),
            np.empty((n_threads, n_particles * (width + 1) + width)),
            n_threads,
        )
    return p, fractions, token_starts


def _ragged_uniform(lengths, seed, sweep, row_offset):
    """Number j of row i at (row_offset + i, j, sweep), rows one after the other.

    Rows are made in runs of about equal room, for an array has as many columns as its longest.
    """
    parts, start = [], 0
    while start < len(lengths):
        stop, longest = start, 0
        while stop < len(lengths):
            longest = max(longest, int(lengths[stop]))
            if stop > start and (stop + 1 - start) * longest > 2**20:
                break
            stop += 1
        part = lengths[start:stop]
        block = uniform(
            (stop - start, max(int(part.max()), 1)),
            seed,
            sweep=sweep,
            row_offset=row_offset + start,
            dtype=np.float32,
        )
        parts.append(block[np.arange(block.shape[1]) < part[:, np.newaxis]])
        start = stop
    return np.concatenate(parts)


def _weights(weights, n_rows, dtype):
    if weights is None:
        return np.ones(n_rows, dtype=dtype)
    return check_matching_array(weights, "weights", (n_rows,), dtype)


def _documents(X, dtype=None):
    """Starts, words and counts of the rows of X."""
    if dtype is not None and X.dtype != dtype:
        raise TypeError(f"X must be of dtype {np.dtype(dtype)}, got {X.dtype}.")
    if X.nnz >= 2**31:
        raise ValueError(f"X must have fewer than 2**31 nonzeros, got {X.nnz}.")
    return X.indptr.astype(np.int32, copy=False), X.indices.astype(np.int32, copy=False), X.data
