"""The tree of binary units: normalised, the best of all trees, and drawn from as it says."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from sklvm.densities import ChowLiuDensity, IndependentBernoulliDensity
from sklvm.testing import binary_states

STATES = binary_states(4)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def dependent_bits(n_samples, rng):
    """Draws from a random distribution of four bits, which is no tree."""
    distribution = rng.dirichlet(np.full(16, 0.5))
    return STATES[rng.choice(16, n_samples, p=distribution)]


def smoothed_distribution(X, weights=None):
    """The rows and one row of fair coins, as probabilities of the 16 states."""
    counts = np.bincount((X @ 2 ** np.arange(4)).astype(int), weights, minlength=16)
    return (counts + 1 / 16) / (counts.sum() + 1)


def spanning_trees():
    """All 4² trees of four units, as sets of edges."""
    pairs = list(combinations(range(4), 2))
    for edges in combinations(pairs, 3):
        reached = {0}
        for _ in range(3):
            reached |= {v for edge in edges for v in edge if reached & set(edge)}
        if len(reached) == 4:
            yield edges


def divergence_of_tree(distribution, edges):
    """KL from a distribution to the tree with its pairwise marginals, by the definition."""
    log_tree = np.zeros(16)
    for j in range(4):
        marginal = np.array([distribution[STATES[:, j] == value].sum() for value in (0, 1)])
        n_edges = sum(j in edge for edge in edges)
        log_tree += (1 - n_edges) * np.log(marginal[STATES[:, j].astype(int)])
    for pair in edges:
        codes = (STATES[:, pair] @ [1, 2]).astype(int)
        log_tree += np.log(np.bincount(codes, distribution)[codes])
    return distribution @ (np.log(distribution) - log_tree)


def test_there_are_sixteen_trees():
    assert len(set(spanning_trees())) == 16


def test_it_is_the_tree_that_is_closest_to_the_data():
    rng = np.random.default_rng(0)
    chosen = set()
    for _ in range(20):
        X = dependent_bits(200, rng)
        distribution = smoothed_distribution(X)
        divergences = {edges: divergence_of_tree(distribution, edges) for edges in spanning_trees()}
        density = ChowLiuDensity.fit(X)
        divergence = distribution @ (np.log(distribution) - density.log_density(STATES))
        assert divergence == pytest.approx(min(divergences.values()), abs=1e-10)
        edges = {tuple(sorted(edge)) for edge in enumerate(density.parents) if edge[1] >= 0}
        assert edges == set(min(divergences, key=divergences.get))
        chosen.add(frozenset(edges))
    assert len(chosen) > 5


@dtypes
def test_probabilities_sum_to_one_over_all_states(dtype, rng):
    states = binary_states(7).astype(dtype)
    X = states[rng.choice(128, 300, p=rng.dirichlet(np.full(128, 0.1)))]
    log_density = ChowLiuDensity.fit(X).log_density(states)
    assert log_density.dtype == dtype
    assert_allclose(np.exp(log_density).sum(), 1, rtol=1e-5 if dtype == np.float32 else 1e-12)


@dtypes
def test_draws_are_those_of_the_density_and_come_with_their_log_densities(dtype, rng):
    density = ChowLiuDensity.fit(dependent_bits(500, rng).astype(dtype))
    X, log_density = density.sample_with_log_density(20_000, rng)
    assert X.dtype == dtype and X.flags.c_contiguous
    assert_allclose(log_density, density.log_density(X))
    expected = len(X) * np.exp(density.log_density(STATES.astype(dtype)).astype(np.float64))
    observed = np.bincount((X @ 2 ** np.arange(4)).astype(int), minlength=16)
    assert chisquare(observed, expected * len(X) / expected.sum()).pvalue > 1e-4


def test_marginals_and_those_of_its_edges_are_the_smoothed_ones_of_the_data(rng):
    X = dependent_bits(100, rng)
    distribution, density = smoothed_distribution(X), ChowLiuDensity.fit(X)
    p = np.exp(density.log_density(STATES))
    assert_allclose(p @ STATES, distribution @ STATES)
    assert_allclose(p @ STATES, IndependentBernoulliDensity.fit(X).means)
    for j, k in enumerate(density.parents):
        if k >= 0:
            both = STATES[:, j] * STATES[:, k]
            assert_allclose(p @ both, distribution @ both)


def test_a_weight_counts_like_as_many_rows(rng):
    X, weights = dependent_bits(60, rng), rng.integers(0, 4, 60)
    weighted = ChowLiuDensity.fit(X, weights.astype(np.float64))
    repeated = ChowLiuDensity.fit(np.repeat(X, weights, axis=0))
    assert_array_equal(weighted.parents, repeated.parents)
    assert_allclose(weighted.conditional_means, repeated.conditional_means)


def test_it_finds_the_tree_that_made_the_data(rng):
    parents = np.array([-1, 0, 0, 1, 1, 2, 5, 6])
    means = np.stack([rng.uniform(0.1, 0.3, 8), rng.uniform(0.7, 0.9, 8)])
    truth = ChowLiuDensity(parents, means)
    fitted = ChowLiuDensity.fit(truth.sample(20_000, rng))
    assert_array_equal(fitted.parents, parents)
    assert_allclose(fitted.conditional_means[:, 1:], means[:, 1:], atol=0.03)


@pytest.mark.parametrize(
    "X", [np.ones((5, 3)), np.eye(3)[:1], np.zeros((4, 1)), np.repeat([[0.0], [1.0]], 3, axis=1)]
)
def test_a_degenerate_fit_is_a_density_all_the_same(X, rng):
    density = ChowLiuDensity.fit(X)
    states = binary_states(X.shape[1])
    assert_allclose(np.exp(density.log_density(states)).sum(), 1, rtol=1e-12)
    assert set(np.unique(density.sample(50, rng))) <= {0, 1}
