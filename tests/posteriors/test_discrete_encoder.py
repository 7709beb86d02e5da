"""Distributions of discrete latent variables, over all binary states and over listed ones."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp

from sklvm.posteriors import DiscreteEncoder, DiscretePosterior
from sklvm.testing import binary_states

LISTED = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])


@pytest.fixture(params=["all", "listed"])
def distribution(request, rng):
    """A distribution for each of four rows, and the states that z takes."""
    states = None if request.param == "all" else LISTED
    log_odds = 1.5 * rng.standard_normal((4, 3))
    return DiscretePosterior(log_odds, states), binary_states(3) if states is None else states


def probabilities(distribution, states):
    exponents = distribution.outputs @ states.T
    return np.exp(exponents - logsumexp(exponents, axis=1, keepdims=True))


def test_densities_and_means_are_those_of_the_normalised_exponentials(distribution):
    distribution, states = distribution
    expected = probabilities(distribution, states)
    assert_allclose(np.exp(distribution.log_density(states[:, np.newaxis])).T, expected, rtol=1e-12)
    assert_allclose(distribution.mean, expected @ states, rtol=1e-12)
    repeated = np.repeat(states[:, np.newaxis], 4, axis=1)
    assert_allclose(
        distribution.log_density(repeated), distribution.log_density(states[:, np.newaxis])
    )


def test_draws_have_these_frequencies(distribution, rng):
    distribution, states = distribution
    expected, draws = (
        probabilities(distribution, states),
        distribution.draw(distribution.noise(4000, rng)),
    )
    counts = (draws[:, :, np.newaxis] == states).all(axis=-1).mean(axis=0)
    deviation = np.sqrt(expected * (1 - expected) / 4000)
    assert np.all(np.abs(counts - expected) <= 5 * deviation)
    assert_allclose(counts.sum(axis=1), 1)


def test_at_the_start_all_states_are_about_as_likely(rng):
    encoder = DiscreteEncoder(2, 3, (20,))
    X = (5 + 3 * rng.standard_normal((50, 2))).astype(np.float32)
    theta = encoder.init_parameters(X, rng)
    assert theta.dtype == np.float32
    assert_allclose(encoder.encode(theta, X).mean, 0.5, atol=0.15)
