"""The passes over documents do what plain numpy does, the same bits for every thread count."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.special import gammaln, psi

from sklvm.kernels import (
    collapse_topics,
    expect_topics,
    left_to_right_probabilities,
    padded_width,
    sample_topics,
)

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
N_TOPICS, ALPHA, BETA = 11, 0.3, 0.05


@pytest.fixture
def corpus(rng):
    """Nine documents over 20 words, one of them empty."""
    X = rng.poisson(0.8, (9, 20))
    X[4] = 0
    return csr_array(X)


def padded(array):
    wide = np.zeros((*array.shape[:-1], padded_width(array.shape[-1])), array.dtype)
    wide[..., : array.shape[-1]] = array
    return wide


def table_and_prior(rng, dtype):
    table = rng.dirichlet(np.ones(20), N_TOPICS).T
    return padded(table.astype(dtype)), padded(np.full(N_TOPICS, ALPHA, dtype))


@dtypes
@pytest.mark.parametrize("digamma", [False, True])
def test_expected_topics_are_those_of_numpy(dtype, digamma, corpus, rng):
    X = corpus.astype(dtype)
    table, prior = table_and_prior(rng, dtype)
    N = rng.random((9, N_TOPICS))
    counts, statistics = padded(N.astype(dtype)), np.zeros_like(table)
    weights = rng.random(9).astype(dtype)
    p, shares, n_iter = expect_topics(
        X, table, prior, counts, digamma=digamma, max_iter=3, weights=weights, statistics=statistics
    )
    B, dense = table[:, :N_TOPICS].astype(float), X.toarray().astype(float)
    for _ in range(3):
        t = np.exp(psi(N + ALPHA)) if digamma else N + ALPHA
        expected_p = t @ B.T
        ratio = dense / expected_p
        N = t * (ratio @ B)
    rtol = 2e-5 if dtype == np.float32 else 1e-12
    assert_allclose(counts[:, :N_TOPICS], N, rtol=rtol, atol=1e-12)
    assert_allclose(p, expected_p[dense > 0], rtol=rtol)
    assert_allclose(shares[dense.any(axis=1), :N_TOPICS], t[dense.any(axis=1)], rtol=rtol)
    expected = np.einsum("d,dw,dk,wk->wk", weights, ratio, t, B)
    assert_allclose(statistics[:, :N_TOPICS], expected, rtol=10 * rtol, atol=1e-7)
    assert not statistics[:, N_TOPICS:].any() and not counts[:, N_TOPICS:].any()
    assert_array_equal(n_iter, np.where(dense.any(axis=1), 3, 0))


def test_the_exponential_of_digamma_is_exact_to_rounding():
    x = np.concatenate([np.geomspace(2e-3, 1e6, 999), [0.0]])
    X = csr_array(np.ones((1000, 1)))
    table = padded(np.ones((1, 1)))
    _, shares, _ = expect_topics(X, table, np.zeros(8), padded(x[:, np.newaxis]), digamma=True)
    assert_allclose(shares[:-1, 0], np.exp(psi(x[:-1])), rtol=2e-12)
    assert shares[-1, 0] == 0


def test_documents_end_where_their_counts_no_longer_change(corpus, rng):
    X = corpus.astype(float)
    table, prior = table_and_prior(rng, float)
    counts = padded(np.ones((9, N_TOPICS)))
    n_iter = expect_topics(X, table, prior, counts, max_iter=5000, tol=1e-10)[2]
    assert 10 < n_iter.max() < 5000
    again = counts.copy()
    expect_topics(X, table, prior, again)
    assert_allclose(again, counts, atol=1e-8)


@pytest.mark.parametrize("n_threads", [2, 5])
def test_threads_do_not_change_the_bits(n_threads, corpus, rng):
    X = corpus.astype(float)
    table, prior = table_and_prior(rng, float)
    results = []
    for n in (1, n_threads):
        counts = padded(np.ones((9, N_TOPICS)))
        p, _, _ = expect_topics(X, table, prior, counts, max_iter=9, n_threads=n)
        q = left_to_right_probabilities(X, table, prior, n_particles=3, n_threads=n)[0]
        results.append((counts, p, q))
    for one, many in zip(*results, strict=True):
        assert_array_equal(one, many)


@dtypes
def test_a_collapsed_pass_is_that_of_numpy(dtype, corpus, rng):
    X = corpus.astype(dtype)
    gamma = rng.dirichlet(np.ones(N_TOPICS), X.nnz)
    weights = rng.uniform(0.5, 2, 9)
    documents = np.repeat(np.arange(9), np.diff(X.indptr))
    N, M = np.zeros((9, N_TOPICS)), np.zeros((20, N_TOPICS))
    np.add.at(N, documents, X.data[:, np.newaxis] * gamma)
    np.add.at(M, X.indices, (weights[documents] * X.data)[:, np.newaxis] * gamma)
    M += rng.random(M.shape)
    arrays = [padded(a.astype(dtype)) for a in (gamma, N, M, M.sum(axis=0))]
    arrays[3][N_TOPICS:] = 1
    statistics = np.zeros_like(arrays[2])
    prior = padded(np.full(N_TOPICS, ALPHA, dtype))
    p = collapse_topics(X, prior, BETA, *arrays, statistics, weights.astype(dtype))
    T, expected_p = M.sum(axis=0), np.empty(X.nnz)
    for e, (d, w, c) in enumerate(zip(documents, X.indices, X.data, strict=True)):
        own = min(weights[d], 1) * gamma[e]
        new = (N[d] - gamma[e] + ALPHA) * (M[w] - own + BETA) / (T - own + 20 * BETA)
        n_words = X.data[X.indptr[d] : X.indptr[d + 1]].sum()
        expected_p[e] = new.sum() / (n_words - 1 + N_TOPICS * ALPHA)
        change = c * (new / new.sum() - gamma[e])
        gamma[e] = new / new.sum()
        N[d] += change
        M[w] += weights[d] * change
        T += weights[d] * change
    rtol = 3e-4 if dtype == np.float32 else 1e-11
    for got, expected in zip(arrays, (gamma, N, M, T), strict=True):
        assert_allclose(got[..., :N_TOPICS], expected, rtol=rtol, atol=1e-6)
    assert_allclose(p, expected_p, rtol=rtol)
    sums = np.zeros((20, N_TOPICS))
    np.add.at(sums, X.indices, (weights[documents] * X.data)[:, np.newaxis] * gamma)
    assert_allclose(statistics[:, :N_TOPICS], sums, rtol=rtol, atol=1e-6)


def log_joint(z, words, documents, n_topics, n_words, alpha, beta):
    """log p(w, z), the proportions and the topics integrated out."""
    N = np.zeros((documents.max() + 1, n_topics))
    M = np.zeros((n_topics, n_words))
    np.add.at(N, (documents, z), 1)
    np.add.at(M, (z, words), 1)

    def evidence(counts, prior):
        k = counts.shape[1]
        return np.sum(
            gammaln(k * prior)
            - gammaln(counts.sum(axis=1) + k * prior)
            + (gammaln(counts + prior) - gammaln(prior)).sum(axis=1)
        )

    return evidence(N, alpha) + evidence(M, beta)


def test_gibbs_sampling_leaves_the_posterior_of_all_topics_unchanged():
    """All 64 assignments of six words in two documents, against their frequency in a chain."""
    X = csr_array(np.array([[2, 1, 0], [0, 1, 2]], dtype=np.int32))
    words, documents = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 1, 1])
    states = np.array(list(product(range(2), repeat=6)))
    log_p = [log_joint(z, words, documents, 2, 3, 0.4, 0.3) for z in states]
    p = np.exp(log_p - np.logaddexp.reduce(log_p))
    topics = np.zeros(6, dtype=np.int32)
    prior = padded(np.full(2, 0.4, np.float32))
    counts, table = np.zeros((2, 8), np.float32), np.zeros((3, 8), np.float32)
    counts[:, 0], table[:, 0] = 3, 2
    totals = table.sum(axis=0).astype(float)
    visits = np.zeros(64)
    n_sweeps, thinning = 40_000, 4
    for sweep in range(n_sweeps):
        sample_topics(X, prior, 0.3, topics, counts, table, totals, seed=1, sweep=sweep)
        if sweep % thinning == 0:
            visits[int("".join(map(str, topics)), 2)] += 1
    chi_squared = ((visits - visits.sum() * p) ** 2 / (visits.sum() * p)).sum()
    assert chi_squared < 63 + 5 * np.sqrt(2 * 63)
    assert_array_equal(counts.sum(axis=1), [3, 3])
    assert_array_equal(table.sum(axis=1), [2, 2, 2])


def test_the_probability_of_a_token_given_all_others_is_that_of_the_urn():
    X = csr_array(np.array([[2, 1]], dtype=np.int32))
    counts, table = np.zeros((1, 8), np.float32), np.zeros((2, 8), np.float32)
    counts[0, 0], table[:, 0] = 3, [2, 1]
    prior = padded(np.full(1, 0.5, np.float32))
    p = sample_topics(
        X, prior, 0.1, np.zeros(3, np.int32), counts, table, table.sum(axis=0).astype(float), 0
    )
    assert_allclose(p, [1.1 / 2.2, 1.1 / 2.2, 0.1 / 2.2 + 0], rtol=1e-6)


@pytest.mark.parametrize("words", [[0], [0, 0, 1, 3], [2, 2, 3, 0, 1, 1]])
def test_left_to_right_is_the_sum_over_all_topics(words, rng):
    table = rng.dirichlet(np.full(4, 0.4), 3).T
    alpha = np.array([0.2, 0.5, 1.1])
    total = 0.0
    for z in product(range(3), repeat=len(words)):
        N = np.bincount(z, minlength=3)
        log_p = gammaln(alpha.sum()) - gammaln(len(words) + alpha.sum())
        log_p += (gammaln(N + alpha) - gammaln(alpha)).sum()
        total += np.exp(log_p) * np.prod(table[words, z])
    X = csr_array(np.bincount(words, minlength=4)[np.newaxis].astype(float))
    p, fractions, starts = left_to_right_probabilities(
        X, padded(table), padded(alpha), n_particles=40_000
    )
    assert_array_equal(fractions, np.ones(len(words)))
    assert_array_equal(starts, [0, len(words)])
    assert np.log(p).sum() == pytest.approx(np.log(total), abs=0.015)


def test_left_to_right_does_not_depend_on_the_other_documents(corpus, rng):
    table, prior = table_and_prior(rng, float)
    X = corpus.astype(float)
    p, _, starts = left_to_right_probabilities(X, table, prior)
    for row in range(9):
        alone = left_to_right_probabilities(X[[row]], table, prior)[0]
        assert_array_equal(p[starts[row] : starts[row + 1]], alone)


def test_wrong_shapes_and_types_are_named(corpus, rng):
    X = corpus.astype(float)
    table, prior = table_and_prior(rng, float)
    with pytest.raises(ValueError, match="counts must have shape"):
        expect_topics(X, table, prior, np.zeros((3, 16)))
    with pytest.raises(TypeError, match="prior must be of dtype float64"):
        expect_topics(X, table, prior.astype(np.float32), np.zeros((9, 16)))
    with pytest.raises(TypeError, match="X must be of dtype int32"):
        sample_topics(X, prior, 0.1, None, None, None, None, 0)
