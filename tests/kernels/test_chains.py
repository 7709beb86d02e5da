"""Inference on chains, against sums over all label sequences and against logarithms by numpy."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from sklvm.kernels import chain_best_path, chain_marginals


def enumerate_paths(u, A):
    """log Z, marginals, sums of pair probabilities, and the best path of one sequence."""
    paths = np.array(list(product(range(u.shape[1]), repeat=len(u))))
    scores = u[np.arange(len(u)), paths].sum(axis=1) + A[paths[:, :-1], paths[:, 1:]].sum(axis=1)
    log_z = logsumexp(scores)
    p = np.exp(scores - log_z)
    one_hot = np.eye(u.shape[1])[paths]
    pairs = np.einsum("p,pti,ptj->ij", p, one_hot[:, :-1], one_hot[:, 1:])
    return log_z, np.einsum("p,pti->ti", p, one_hot), pairs, paths[scores.argmax()]


def twin(u, A):
    """Forward–backward in logarithms: log Z and marginals."""
    forward, backward = u.copy(), np.zeros_like(u)
    for t in range(1, len(u)):
        forward[t] += logsumexp(forward[t - 1][:, np.newaxis] + A, axis=0)
    for t in range(len(u) - 1, 0, -1):
        backward[t - 1] = logsumexp(A + u[t] + backward[t], axis=1)
    log_z = logsumexp(forward[-1])
    return log_z, np.exp(forward + backward - log_z)


@pytest.mark.parametrize("scale", [1, 30, 300], ids=lambda s: f"potentials of {s} nats")
@pytest.mark.parametrize("n_labels", [1, 2, 3, 9])
def test_all_is_as_by_enumeration(rng, n_labels, scale):
    lengths = [1, 4, 2, 3, 1] if n_labels < 9 else [1, 3, 2]
    starts = np.cumsum([0, *lengths])
    u = scale * rng.standard_normal((starts[-1], n_labels))
    A = scale * rng.standard_normal((n_labels, n_labels))
    weights = rng.random(len(lengths))
    result, best = chain_marginals(u, A, starts, weights), chain_best_path(u, A, starts)
    pair_sums = np.zeros_like(A)
    for i, weight in enumerate(weights):
        rows = slice(starts[i], starts[i + 1])
        log_z, marginals, pairs, path = enumerate_paths(u[rows], A)
        assert result.log_partition[i] == pytest.approx(log_z, rel=1e-12)
        np.testing.assert_allclose(result.marginals[rows], marginals, atol=1e-11)
        np.testing.assert_array_equal(best[rows], path)
        pair_sums += weight * pairs
    np.testing.assert_allclose(result.pair_sums, pair_sums, atol=1e-11)


def test_long_sequences_are_as_in_logarithms(rng):
    starts = np.array([0, 1500, 1507])
    u, A = 5 * rng.standard_normal((1507, 11)), 20 * rng.standard_normal((11, 11))
    result = chain_marginals(u, A, starts)
    for i, rows in enumerate([slice(1500), slice(1500, 1507)]):
        log_z, marginals = twin(u[rows], A)
        assert result.log_partition[i] == pytest.approx(log_z, rel=1e-13)
        np.testing.assert_allclose(result.marginals[rows], marginals, atol=1e-10)
    np.testing.assert_allclose(result.pair_sums.sum(), 1499 + 6)


def test_transitions_that_are_all_but_forbidden_do_not_underflow():
    # The labels alternate, which each transition forbids by 2,000 nats.
    u = np.array([[0.0, -9000.0], [-9000.0, 0.0], [0.0, -9000.0]])
    A = np.array([[0.0, -2000.0], [-2000.0, 0.0]])
    result = chain_marginals(u, A, [0, 3])
    assert result.log_partition == pytest.approx(-4000)
    np.testing.assert_allclose(result.marginals, [[1, 0], [0, 1], [1, 0]])
    np.testing.assert_allclose(result.pair_sums, [[0, 1], [1, 0]])


def test_the_bits_are_the_same_for_every_thread_count(rng):
    starts = np.cumsum(np.concatenate([[0], rng.integers(1, 9, 300)]))
    u, A = rng.standard_normal((starts[-1], 5)), rng.standard_normal((5, 5))
    weights = rng.random(300)
    one, two = (chain_marginals(u, A, starts, weights, n_threads=n) for n in (1, 2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(
        chain_best_path(u, A, starts, n_threads=1), chain_best_path(u, A, starts, n_threads=2)
    )


def test_bad_arguments_are_named():
    u, A = np.zeros((4, 2)), np.zeros((2, 2))
    with pytest.raises(TypeError, match="unary must be of dtype float64"):
        chain_marginals(u.astype(np.float32), A, [0, 4])
    with pytest.raises(ValueError, match="unary must have 2 dimensions"):
        chain_marginals(u[0], A, [0, 4])
    with pytest.raises(ValueError, match=r"transitions must have shape \(2, 2\)"):
        chain_best_path(u, np.zeros((3, 3)), [0, 4])
    with pytest.raises(ValueError, match="starts must rise from 0 to 4"):
        chain_marginals(u, A, [0, 2, 2, 4])
    with pytest.raises(TypeError, match="starts must hold integers"):
        chain_marginals(u, A, [0.0, 4.0])
    with pytest.raises(ValueError, match=r"weights must have shape \(1,\)"):
        chain_marginals(u, A, [0, 4], np.ones(2))
