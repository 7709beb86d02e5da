"""Expectations over posteriors and their gradients, by every way of having them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.posteriors import (
    AllStates,
    DiscretePosterior,
    GaussianEncoder,
    Reparametrized,
    ScoreFunction,
)
from sklvm.testing import binary_states, numerical_gradient

WEIGHTS = np.array([0.5, 0.2, 0.3])


def loss(Z, log_density):
    """ℓ(z, log q), and its slopes in z and in log q."""
    inner = np.sin(Z).sum(axis=-1) + 0.3 * Z.prod(axis=-1)
    others = 0.3 * Z.prod(axis=-1, keepdims=True) / np.where(Z == 0, 1, Z)
    return inner + 0.5 * log_density, np.cos(Z) + others, 0.5


def gradients(way, posterior, n, seed=0):
    """n estimates of the cotangent of the posterior's outputs, for Σ w E_q[ℓ]."""
    rng = np.random.default_rng(seed)
    result = []
    for _ in range(n):
        sample = way.sample(posterior, rng)
        values, slopes, log_slope = loss(sample.Z, sample.log_density)
        shares = WEIGHTS * np.exp(sample.log_shares)
        result.append(
            sample.pull(shares * values, shares * log_slope, shares[..., np.newaxis] * slopes)
        )
    return np.array(result)


def gaussians(rng, full=True):
    encoder = GaussianEncoder(2, 2, (), full=full)
    X = rng.standard_normal((3, 2))
    phi = 0.5 * rng.standard_normal(encoder.layout.size)
    return encoder, phi, X


@pytest.mark.parametrize("n_draws", [1, 3])
@pytest.mark.parametrize("control_variate", [True, False])
def test_the_score_function_has_the_mean_of_the_sum_over_all_states(n_draws, control_variate, rng):
    posterior = DiscretePosterior(rng.standard_normal((3, 2)))
    expected = gradients(AllStates(binary_states(2)), posterior, 1)[0]
    estimates = gradients(ScoreFunction(n_draws, control_variate), posterior, 3000)
    deviation = estimates.std(axis=0) / np.sqrt(3000)
    assert np.all(np.abs(estimates.mean(axis=0) - expected) < 5 * deviation)


def test_the_sum_over_all_states_is_the_gradient(rng):
    logits, states = rng.standard_normal((3, 2)), binary_states(2)

    def value(u):
        posterior = DiscretePosterior(u.reshape(3, 2))
        log_density = posterior.log_density(states[:, np.newaxis])
        values = loss(np.repeat(states[:, np.newaxis], 3, axis=1), log_density)[0]
        return np.sum(WEIGHTS * np.exp(log_density) * values)

    expected = numerical_gradient(value, logits.ravel()).reshape(3, 2)
    actual = gradients(AllStates(states), DiscretePosterior(logits), 1)[0]
    assert_allclose(actual, expected, rtol=1e-6)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("way", [Reparametrized(2), ScoreFunction(2), ScoreFunction(1, False)])
def test_both_estimators_have_the_gradient_of_the_integral_as_mean(way, full, rng):
    encoder, phi, X = gaussians(rng, full)
    places, masses = np.polynomial.hermite_e.hermegauss(40)
    noise = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 1, 2)
    mass = np.outer(masses, masses).reshape(-1, 1) / (2 * np.pi)

    def value(phi):
        posterior = encoder.encode(phi, X)
        Z = posterior.draw(noise)
        return np.sum(WEIGHTS * mass * loss(Z, posterior.log_density(Z))[0])

    posterior = encoder.encode(phi, X)
    estimates = []
    for outputs_bar in gradients(way, posterior, 2000):
        gradient = np.empty_like(phi)
        posterior.pullback(outputs_bar, gradient)
        estimates.append(gradient)
    deviation = np.std(estimates, axis=0) / np.sqrt(2000)
    error = np.mean(estimates, axis=0) - numerical_gradient(value, phi)
    assert np.all(np.abs(error) < 5 * deviation + 1e-6)


def variance(way, posterior):
    return gradients(way, posterior, 1000).var(axis=0).sum()


def test_paths_have_less_noise_than_the_score_function_and_a_control_variate_takes_some(rng):
    encoder, phi, X = gaussians(rng)
    posterior = encoder.encode(phi, X)
    plain = variance(ScoreFunction(4, False), posterior)
    controlled = variance(ScoreFunction(4), posterior)
    assert controlled < 0.8 * plain
    assert variance(Reparametrized(4), posterior) < 0.5 * controlled


def test_with_one_draw_a_row_the_other_rows_are_the_control_variate(rng):
    posterior = DiscretePosterior(rng.standard_normal((3, 2)))

    def shifted(way):
        sample = way.sample(posterior, np.random.default_rng(0))
        shares = WEIGHTS * np.exp(sample.log_shares)
        # A loss that is the same whatever z is has no gradient.
        return sample.pull(np.full_like(shares, 100.0), 0 * shares, None)

    assert_allclose(shifted(ScoreFunction(1)), 0, atol=1e-12)
    assert np.abs(shifted(ScoreFunction(1, False))).max() > 10
