"""Variational noise-contrastive estimation: a bound of the plain one, tight at the posterior."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, logsumexp

from sklvm.energies import ExactPosterior
from sklvm.objectives import (
    NoiseContrastiveEstimation,
    VariationalNoiseContrastiveEstimation,
)
from sklvm.optimizers import LBFGS
from sklvm.posteriors import DiscreteEncoder
from sklvm.testing import (
    FlatObjective,
    assert_is_gradient,
    binary_states,
    small_models,
)

NU = 3
NCE = NoiseContrastiveEstimation(NU, frozen_noise=True)
# Those of which z has a posterior in closed form, and that are no conditional models.
LATENT_VARIABLE_MODELS = sorted(
    name
    for name, (energy, _, _) in small_models().items()
    if isinstance(energy, ExactPosterior) and not getattr(energy, "n_inputs", 0)
)


def vnce(**parameters):
    return VariationalNoiseContrastiveEstimation(NU, frozen_noise=True, **parameters)


ENUMERATED = vnce(posterior="encoder", hidden_layer_sizes=(5,), n_importance_samples="all")


class Run:
    """A criterion set up on a small model, with unequal weights and the same noise for all."""

    def __init__(self, objective, energy, theta, X):
        self.objective, self.energy, self.X = objective, energy, X
        self.weights = (1.0 + np.arange(len(X)) % 3) / np.sum(1 + np.arange(len(X)) % 3)
        extra, self.state = FlatObjective(objective).init(
            energy, theta, X, self.weights, np.random.default_rng(0)
        )
        # log Z is of no account for what is compared, so long as it is the same.
        extra[0] = 0.3
        self.theta = np.concatenate([theta, extra])
        plain = FlatObjective(NCE).init(energy, theta, X, self.weights, np.random.default_rng(0))[1]
        self.state = self.state if plain is None else plain

    def __call__(self, theta=None, seed=0):
        theta = self.theta if theta is None else theta
        rng = np.random.default_rng(seed)
        return FlatObjective(self.objective).step(
            self.energy, theta, self.X, self.weights, self.state, rng
        )[:2]

    def with_encoder(self, phi):
        size = self.energy.layout.size + 1
        return np.concatenate([self.theta[:size], phi])


def against_plain(name, objective):
    model = small_models()[name]
    return Run(objective, *model), Run(NCE, *model)


# -- the exact posterior ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", LATENT_VARIABLE_MODELS)
def test_with_the_exact_posterior_it_is_noise_contrastive_estimation(name):
    variational, plain = against_plain(name, vnce())
    (value, gradient), (expected, expected_gradient) = variational(), plain()
    assert_allclose(value, expected, rtol=1e-10)
    assert_allclose(gradient, expected_gradient, rtol=1e-9, atol=1e-10)


def exact_encoder(name):
    """An energy whose posterior a perceptron can be, that perceptron, and its φ."""
    energy, theta, X = small_models()[name]
    views = energy.layout.views(theta)
    precision = 1.0 if name == "bernoulli_rbm" else 1 / energy.variances(theta)
    encoder = DiscreteEncoder(energy.n_features, energy.n_components)
    phi = encoder.layout.pack(
        coefs_0=views["weights"] * precision, intercepts_0=views["hidden_bias"]
    )
    return (energy, theta, X), encoder, phi


@pytest.mark.parametrize("name", ["bernoulli_rbm", "gaussian_rbm"])
def test_with_an_encoder_that_is_the_posterior_the_sum_over_all_states_is_the_same(name):
    model, encoder, phi = exact_encoder(name)
    run = Run(vnce(posterior=encoder, n_importance_samples="all"), *model)
    expected, expected_gradient = Run(NCE, *model)()
    value, gradient = run(run.with_encoder(phi))
    assert_allclose(value, expected, rtol=1e-10)
    size = model[0].layout.size + 1
    assert_allclose(gradient[:size], expected_gradient, rtol=1e-9, atol=1e-10)
    assert_allclose(gradient[size:], 0, atol=1e-10)


@pytest.mark.parametrize("name", ["bernoulli_rbm", "gaussian_rbm"])
def test_with_draws_from_the_posterior_the_value_has_no_noise_and_the_gradient_no_bias(name):
    model, encoder, phi = exact_encoder(name)
    run = Run(vnce(posterior=encoder, n_importance_samples=3), *model)
    expected, expected_gradient = Run(NCE, *model)()
    draws = [run(run.with_encoder(phi), seed) for seed in range(200)]
    assert_allclose([value for value, _ in draws], expected, rtol=1e-9)
    gradients = np.array([gradient for _, gradient in draws])[:, : len(expected_gradient)]
    deviation = gradients.std(axis=0) / np.sqrt(len(draws))
    assert np.all(np.abs(gradients.mean(axis=0) - expected_gradient) <= 5 * deviation + 1e-9)


# -- the bound -------------------------------------------------------------------------------------


def test_over_all_states_the_gradient_is_central_differences():
    variational, _ = against_plain("bernoulli_rbm", ENUMERATED)
    theta = variational.theta + 0.3 * np.cos(np.arange(variational.theta.size))
    layout = variational.energy.layout + ENUMERATED.own_layout(variational.energy)
    assert_is_gradient(variational(theta)[1], lambda t: variational(t)[0], theta, layout, step=1e-5)


@pytest.mark.parametrize("name", LATENT_VARIABLE_MODELS)
def test_with_any_other_posterior_it_is_an_upper_bound_of_it(name, rng):
    variational, plain = against_plain(name, ENUMERATED)
    theta = variational.theta
    for _ in range(20):
        theta[plain.theta.size :] = rng.standard_normal(theta.size - plain.theta.size)
        theta[: plain.theta.size] = 0.7 * rng.standard_normal(plain.theta.size)
        assert variational(theta)[0] > plain(theta[: plain.theta.size])[0]


@pytest.mark.parametrize("name", LATENT_VARIABLE_MODELS)
def test_the_gap_is_the_f_divergence_of_the_two_posteriors(name):
    variational, plain = against_plain(name, ENUMERATED)
    energy, X, theta = variational.energy, variational.X, plain.theta[:-1]
    K = energy.n_components
    states = np.eye(K) if name == "gaussian_mixture" else binary_states(K)
    log_joint = np.transpose(
        [-energy.evaluate_joint(theta, X, np.tile(z, (len(X), 1)))[0] for z in states]
    )
    p = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    encoder = variational.objective.encoder(energy)
    distribution = encoder.encode(variational.theta[plain.theta.size :], X)
    q = np.exp(distribution.log_density(states[:, np.newaxis])).T
    assert_allclose(q.sum(axis=1), 1)
    log_noise = variational.state.density.log_density(X)
    log_model = logsumexp(log_joint, axis=1) - 0.3 * np.sqrt(X.shape[1])
    kappa = expit(log_model - log_noise - np.log(NU))[:, np.newaxis]
    gaps = (q * np.log(kappa + (1 - kappa) * q / p)).sum(axis=1)
    assert np.all(gaps > 0)
    assert_allclose(variational()[0] - plain()[0], variational.weights @ gaps, rtol=1e-8)


@pytest.mark.parametrize("name", ["bernoulli_rbm", "deep", "gaussian_mixture"])
def test_the_gap_closes_as_the_encoder_learns_the_posterior(name):
    """By the criterion's own gradient in φ, the model held fixed."""
    objective = vnce(
        posterior="encoder",
        hidden_layer_sizes=(12,),
        activation="tanh",
        n_importance_samples="all",
    )
    variational, plain = against_plain(name, objective)
    size, floor = plain.theta.size, plain()[0]

    def criterion(phi):
        value, gradient = variational(variational.with_encoder(phi))
        return value, gradient[size:]

    phi, _, _ = LBFGS(gradient_tol=1e-7, value_tol=0).minimize(
        criterion, variational.theta[size:], 1000, lambda phi, value: None
    )
    before, after = criterion(variational.theta[size:])[0] - floor, criterion(phi)[0] - floor
    assert 0 < after < 0.01 * before
    # Only the rows of data teach the encoder.
    distribution = objective.encoder(variational.energy).encode(phi, variational.X)
    expected = variational.energy.posterior(plain.theta[:-1], variational.X)
    assert np.abs(distribution.mean - expected).max() < 0.1


def test_few_importance_samples_make_the_second_term_too_small():
    name = "deep"
    variational, _ = against_plain(name, ENUMERATED)
    exact = variational()[0]

    def mean_value(n_draws):
        sampled = Run(
            vnce(posterior="encoder", hidden_layer_sizes=(5,), n_importance_samples=n_draws),
            *small_models()[name],
        )
        values = [sampled(variational.theta, seed)[0] for seed in range(400)]
        return np.mean(values), np.std(values) / 20

    (few, few_error), (many, many_error) = mean_value(2), mean_value(50)
    assert few < exact - 5 * few_error
    assert abs(many - exact) < (exact - few) / 5 + 5 * many_error


# -- the encoder's gradient ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bernoulli_rbm", "gaussian_mixture"])
@pytest.mark.parametrize("n_draws", [1, 4])
def test_draws_give_the_encoders_gradient_without_bias(name, n_draws):
    exact, _ = against_plain(name, ENUMERATED)
    sampled = Run(
        vnce(posterior="encoder", hidden_layer_sizes=(5,), n_importance_samples=n_draws),
        *small_models()[name],
    )
    theta = exact.theta + 0.5 * np.cos(np.arange(exact.theta.size))
    of_encoder = slice(exact.energy.layout.size + 1, None)
    expected = exact(theta)[1][of_encoder]
    gradients = np.array([sampled(theta, seed)[1][of_encoder] for seed in range(400)])
    deviation = gradients.std(axis=0) / np.sqrt(len(gradients))
    assert np.all(np.abs(gradients.mean(axis=0) - expected) <= 5 * deviation + 1e-9)
