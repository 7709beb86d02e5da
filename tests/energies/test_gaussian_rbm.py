"""The energy of the Gaussian restricted Boltzmann machine, for each way to have a σ."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import kstest, multivariate_normal, norm

from sklvm.energies import DeepEnergy, GaussianRBMEnergy
from sklvm.samplers import GibbsChains
from sklvm.testing import EnergyTestCase, binary_states, random_parameters

SIGMAS = [0.8, "learn", "learn_diagonal"]


class TestGaussianRBMEnergy(EnergyTestCase):
    @pytest.fixture(autouse=True, params=SIGMAS, ids=str)
    def _sigma(self, request):
        self.sigma = request.param

    def make(self, n_features=5):
        rng = np.random.default_rng(4)
        energy = GaussianRBMEnergy(n_features, 3, self.sigma)
        return energy, random_parameters(energy, rng), rng.standard_normal((12, n_features))

    def make_small(self):
        return self.make(2)


def mixture(energy, theta):
    """Log-weights (not normalised), means and covariance of the components, one for each z."""
    views, variances = energy.layout.views(theta), energy.variances(theta)
    Z = binary_states(energy.n_components)
    means = views["visible_bias"] + Z @ views["weights"]
    log_integral = 0.5 * np.log(2 * np.pi * variances).sum()
    squares = 0.5 * ((means**2 - views["visible_bias"] ** 2) / variances).sum(axis=1)
    return Z @ views["hidden_bias"] + squares + log_integral, means, np.diag(variances)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_it_is_a_mixture_of_gaussians(sigma, rng):
    energy = GaussianRBMEnergy(4, 3, sigma)
    theta, X = random_parameters(energy, rng), rng.standard_normal((10, 4))
    log_weights, means, covariance = mixture(energy, theta)
    assert_allclose(energy.log_partition(theta), logsumexp(log_weights), rtol=1e-12)
    densities = [multivariate_normal(mean, covariance).logpdf(X) for mean in means]
    expected = logsumexp(np.transpose(densities) + log_weights, axis=1)
    assert_allclose(-energy.evaluate(theta, X)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_marginal_of_some_units_is_the_mixture_of_their_marginals(sigma, rng):
    energy = GaussianRBMEnergy(4, 3, sigma)
    theta, X = random_parameters(energy, rng), rng.standard_normal((10, 4))
    free = np.array([True, False, True, False])
    log_weights, means, covariance = mixture(energy, theta)
    held = np.ix_(~free, ~free)
    densities = [
        multivariate_normal(mean[~free], covariance[held]).logpdf(X[:, ~free]) for mean in means
    ]
    expected = logsumexp(np.transpose(densities) + log_weights, axis=1)
    X[:, free] = np.nan
    assert_allclose(energy.log_clamped_partition(theta, X, free), expected, rtol=1e-11)


def test_it_is_the_deep_energy_without_layers(rng):
    # There −‖x‖²/2σ² + bᵀx: the same density with b = a/σ², weights W/σ².
    energy, deep = GaussianRBMEnergy(3, 4, 0.7), DeepEnergy(3, 4, (), sigma=0.7)
    theta, X = random_parameters(energy, rng), rng.standard_normal((9, 3))
    views = energy.layout.views(theta)
    W, a, b = views["weights"] / 0.49, views["visible_bias"], views["hidden_bias"]
    theta_deep = deep.layout.pack(visible_bias=a / 0.49, coefs_0=W, intercepts_0=b)
    assert_allclose(energy.score(theta, X)[0], deep.score(theta_deep, X)[0], rtol=1e-12)


@pytest.mark.parametrize("sigma", ["learn", "learn_diagonal"])
def test_the_start_is_close_to_the_gaussian_of_the_data(sigma, rng):
    scales = np.array([2.0, 2.0, 2.0] if sigma == "learn" else [0.1, 1.0, 10.0])
    X = rng.standard_normal((4000, 3)) * scales + [5.0, 0.0, -300.0]
    energy = GaussianRBMEnergy(3, 8, sigma)
    theta = energy.init_parameters(X, rng)
    log_density = -energy.evaluate(theta, X)[0] - energy.log_partition(theta)
    gaussian = multivariate_normal(X.mean(axis=0), np.diag(X.var(axis=0))).logpdf(X)
    assert abs(log_density.mean() - gaussian.mean()) < 0.3
    log_weights, _, _ = mixture(energy, theta)
    single = binary_states(8).sum(axis=1) == 1
    assert_allclose(np.exp(log_weights[single] - log_weights[0]), 0.1, rtol=1e-6)


def test_constant_features_have_a_finite_start(rng):
    X = np.zeros((20, 3))
    for sigma in SIGMAS:
        energy = GaussianRBMEnergy(3, 2, sigma)
        assert np.all(np.isfinite(energy.init_parameters(X, rng)))
    assert energy.variances(energy.tempered_start(X)) == pytest.approx(2e-6)


def test_clamped_units_stay_and_the_others_follow_the_conditional(rng, random_seed):
    energy = GaussianRBMEnergy(2, 3, "learn")
    theta = random_parameters(energy, rng, scale=1.0)
    start = np.tile([[0.5, 0.0]], (20_000, 1))
    chains, free = GibbsChains(), np.array([False, True])
    state = chains.start(energy, theta, start, random_seed)
    visible = chains.run(energy, theta, state, 50, free=free)[0].visible
    assert np.all(visible[:, 0] == 0.5)
    # Given x₀, x₁ follows the mixture with the weights of the components at x₀.
    log_weights, means, covariance = mixture(energy, theta)
    deviation = np.sqrt(covariance[0, 0])
    log_weights = log_weights + norm(means[:, 0], deviation).logpdf(0.5)
    weights = np.exp(log_weights - logsumexp(log_weights))
    p_value = kstest(
        visible[:, 1], lambda x: norm.cdf(x[:, None], means[:, 1], deviation) @ weights
    )
    assert p_value.pvalue > 1e-4
