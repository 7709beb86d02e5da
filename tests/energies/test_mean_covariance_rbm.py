"""The energy of the mean–covariance restricted Boltzmann machine."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from sklvm.energies import (
    GaussianRBMEnergy,
    MeanCovarianceRBMEnergy,
    NormalizedMeanCovarianceRBMEnergy,
)
from sklvm.partition import AnnealedImportanceSampling
from sklvm.samplers import HamiltonianChains
from sklvm.testing import EnergyTestCase, ExactDistribution, random_parameters

POOLINGS = {"identity": None, "pooled": np.array([[0.7, 0.3, 0.0], [0.0, 0.4, 0.6]])}


class TestMeanCovarianceRBMEnergy(EnergyTestCase):
    energy_class = MeanCovarianceRBMEnergy

    @pytest.fixture(autouse=True, params=sorted(POOLINGS))
    def _pooling(self, request):
        self.pooling = POOLINGS[request.param]

    def make(self, n_features=4):
        rng = np.random.default_rng(4)
        energy = self.energy_class(n_features, 2, 2, self.pooling, sigma="learn")
        theta = random_parameters(energy, rng)
        views = energy.layout.views(theta)
        if self.pooling is not None:
            np.abs(views["pooling"], out=views["pooling"])
        return energy, theta, rng.standard_normal((12, n_features))

    def make_small(self):
        return self.make(2)


class TestNormalizedMeanCovarianceRBMEnergy(TestMeanCovarianceRBMEnergy):
    energy_class = NormalizedMeanCovarianceRBMEnergy
    annealing = AnnealedImportanceSampling(n_temperatures=200, n_chains=400)


class TestCovarianceRBMEnergy(EnergyTestCase):
    def make(self):
        rng = np.random.default_rng(4)
        energy = MeanCovarianceRBMEnergy(2, 0, 3)
        return energy, random_parameters(energy, rng), rng.standard_normal((12, 2))


# -- special cases ------------------------------------------------------------------------------


def pack(energy, rng, **values):
    """θ of the given parameters, the others random."""
    theta = random_parameters(energy, rng)
    views = energy.layout.views(theta)
    for name, value in values.items():
        views[name][...] = value
    return theta


def test_without_factors_it_is_the_gaussian_rbm(rng):
    energy = MeanCovarianceRBMEnergy(3, 4, 2, sigma=0.8)
    theta, X = pack(energy, rng, factors=0.0), rng.standard_normal((9, 3))
    views = energy.layout.views(theta)
    rbm = GaussianRBMEnergy(3, 4, 0.8)
    theta_rbm = rbm.layout.pack(
        weights=0.64 * views["coefs_0"],
        visible_bias=0.64 * views["visible_bias"],
        hidden_bias=views["intercepts_0"],
    )
    difference = energy.evaluate(theta, X)[0] - rbm.evaluate(theta_rbm, X)[0]
    assert_allclose(difference, difference[0], rtol=1e-12)
    assert_allclose(energy.score(theta, X)[0], rbm.score(theta_rbm, X)[0], rtol=1e-10)
    log_z = energy.log_partition(theta), rbm.log_partition(theta_rbm)
    assert_allclose(log_z[0] + difference[0], log_z[1], rtol=1e-12)


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_given_its_hidden_units_x_is_gaussian(pooling, rng, random_seed):
    P = POOLINGS[pooling]
    energy = MeanCovarianceRBMEnergy(3, 2, 2, P, sigma=1.3)
    theta = random_parameters(energy, rng)
    views = energy.layout.views(theta)
    if P is not None:
        views["pooling"][...] = P
    X, state = rng.standard_normal((20, 3)), np.array([[1.0, 0.0, 0.0, 1.0]])
    y = state[0, 2:] if P is None else state[0, 2:] @ P
    covariance = np.linalg.inv(
        np.eye(3) / 1.69 + views["factors"].T @ (y[:, None] * views["factors"])
    )
    mean = covariance @ (views["visible_bias"] + views["coefs_0"][0])
    assert_allclose(energy.visible_mean(theta, state)[0], mean, rtol=1e-10)
    log_joint = -energy.evaluate_joint(theta, X, np.repeat(state, 20, axis=0))[0]
    difference = log_joint - multivariate_normal(mean, covariance).logpdf(X)
    assert_allclose(difference, difference[0], rtol=1e-10)
    draws = energy.sample_visible(theta, np.repeat(state, 40_000, axis=0), random_seed)
    assert_allclose(draws.mean(axis=0), mean, atol=0.03)
    assert_allclose(np.cov(draws.T), covariance, atol=0.05)


def test_gibbs_sampling_by_cholesky_factors_agrees_with_hamiltonian_chains(rng, random_seed):
    energy = MeanCovarianceRBMEnergy(2, 1, 2)
    theta = random_parameters(energy, rng, scale=1.5)
    exact = ExactDistribution(energy, theta, rng.standard_normal((10, 2)))
    X = exact.sample(20_000, rng)
    for sweep in range(3):
        Z = energy.draw_hidden(energy.posterior(theta, X), random_seed, sweep)
        X = energy.sample_visible(theta, Z, random_seed, sweep)
    exact.assert_drawn(X)
    chains = HamiltonianChains()
    start = np.zeros((20_000, 2))
    state = chains.start(energy, theta, start, random_seed)
    exact.assert_drawn(chains.run(energy, theta, state, 60)[0].visible)


def test_normalised_covariance_units_do_not_see_the_contrast(rng):
    energy = NormalizedMeanCovarianceRBMEnergy(5, 0, 3)
    theta, X = random_parameters(energy, rng), 100 * rng.standard_normal((8, 5))
    far = energy.posterior(theta, X)
    assert_allclose(far, energy.posterior(theta, 10 * X), atol=1e-3)
    views = energy.layout.views(theta)
    directions = X / np.sqrt((X**2).mean(axis=1, keepdims=True))
    logits = views["covariance_bias"] - 0.5 * (directions @ views["factors"].T) ** 2
    assert_allclose(energy.posterior_logits(theta, X), logits, atol=2e-3)
